import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { breaker, ladder, timeout } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import type { ServiceSettings } from '../lab/config.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { watchForStandstill } from '../lab/watch.ts'
import { SimWorld } from '../lab/world.ts'

const INCIDENT_MS = 10_000
const END_MS = INCIDENT_MS + 60_000
const PATIENCE_MS = 30_000
const POOL = { maxConnections: 25, maxPending: 10_000, pendingTimeoutMs: 30_000 }

/** Two in the morning: catalog runs out of connections to its database, three hops away from the checkout. */
export const cascade: Drill = defineDrill({
  id: 'cascade',
  title: 'catalog runs out of database connections at 2 a.m.',
  threat: threats.cascadingFailure,
  controls: [timeout, breaker, ladder],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const isOn = control === 'on'
    const service: ServiceSettings = {
      upstream: isOn ? { breaker: { consecutiveFailures: 5, openFor: '5s' } } : {},
      route: { timeout: isOn ? '2s' : false },
    }
    const catalogSettings: ServiceSettings = {
      upstream: service.upstream ?? {},
      route: {
        timeout: isOn ? '1s' : false,
        ladder: isOn && { steps: [{ serve: 'static', body: '{"title":null}', parts: ['product-titles'] }] },
      },
    }
    const names = ['storefront', 'orders', 'payments', 'billing', 'help']
    const gateway = await openGateway(world, {
      services: { ...Object.fromEntries(names.map((name) => [name, service])), catalog: catalogSettings },
    })
    lab.defer(() => gateway.close())

    const to = (name: string) => ({ service: name, timeoutMs: PATIENCE_MS })
    const program = { serviceMs: 4, workers: 30, pool: POOL }
    const catalog = await SimService.open(world, { ...program, name: 'catalog', serviceMs: 10 })
    const services = [
      catalog,
      await SimService.open(world, { ...program, name: 'payments', calls: [to('catalog')] }),
      await SimService.open(world, { ...program, name: 'billing', calls: [to('catalog')] }),
      await SimService.open(world, {
        ...program,
        name: 'orders',
        calls: [to('payments'), { ...to('billing'), isOptional: true }],
      }),
      await SimService.open(world, { ...program, name: 'storefront', calls: [to('orders')] }),
    ]
    await SimService.open(world, { ...program, name: 'help' })

    const clients = { fromMs: 0, untilMs: END_MS, timeoutMs: 10_000 }
    const checkouts = sendClients(world, {
      ...clients,
      name: 'shoppers',
      service: 'storefront',
      perSecond: 40,
    })
    const questions = sendClients(world, { ...clients, name: 'askers', service: 'help', perSecond: 10 })
    sendClients(world, { ...clients, name: 'accountants', service: 'billing', perSecond: 10 })
    const failed = watchForStandstill(world, services, { untilMs: END_MS, forMs: 3000 })
    world.clock.schedule(INCIDENT_MS, () => catalog.setWorkers(0))
    await world.run(END_MS + 11_000)

    const before = checkouts.between(0, INCIDENT_MS - 1000)
    const during = checkouts.between(INCIDENT_MS, END_MS)
    const lost = during.good.flatMap(({ missing }) => missing).filter((part) => part !== 'product-titles')
    return {
      failed: failed.size,
      goodRatio: during.goodRatio,
      p99Ms: during.quantileMs(0.99),
      otherPartsLost: lost.length,
      before: { goodRatio: before.completeRatio, p99Ms: before.quantileMs(0.99) },
      elsewhere: { goodRatio: questions.goodRatio, p99Ms: questions.quantileMs(0.99) },
    }
  },

  judge: ({ failed, goodRatio, p99Ms, otherPartsLost, before, elsewhere }) => ({
    outcome: failed >= 5 || goodRatio < 0.99 || otherPartsLost > 0 ? 'breached' : 'contained',
    because: [
      { name: 'services and pools at a standstill within 60 s', value: failed, unit: '', atMost: 4 },
      { name: 'checkouts that succeed during the incident', value: goodRatio, unit: 'ratio', atLeast: 0.99 },
      { name: 'p99 of checkouts during the incident', value: p99Ms, unit: 'ms' },
      { name: 'answers that lack more than product titles', value: otherPartsLost, unit: '', atMost: 0 },
    ],
    honest: [
      { name: 'complete checkouts before', value: before.goodRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 of checkouts before', value: before.p99Ms, unit: 'ms', atMost: 200 },
      {
        name: 'good answers of a service beside it',
        value: elsewhere.goodRatio,
        unit: 'ratio',
        atLeast: 0.999,
      },
      { name: 'p99 of a service beside it', value: elsewhere.p99Ms, unit: 'ms', atMost: 100 },
    ],
  }),
})
