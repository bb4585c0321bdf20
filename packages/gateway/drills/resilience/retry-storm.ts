import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { retryBudget } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

const INCIDENT_MS = 10_000
const END_MS = 30_000

/** Three hops, each with three tries: what fails at the end is asked for 27 times. */
export const retryStorm: Drill = defineDrill({
  id: 'retry-storm',
  title: 'Three hops that try three times each',
  threat: threats.retryStorm,
  controls: [retryBudget],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const settings = {
      upstream: { retryBudget: control === 'on' && { ratio: 0.04, min: '0/s' as const } },
      route: { retry: { maxAttempts: 3, backoff: { base: '20ms' as const, max: '100ms' as const } } },
    }
    const gateway = await openGateway(world, {
      services: { orders: settings, payments: settings, catalog: settings },
    })
    lab.defer(() => gateway.close())
    const program = { workers: 60, serviceMs: 2 }
    const catalog = await SimService.open(world, { ...program, name: 'catalog', maxQueue: 0 })
    const calling = (service: string) => [{ service, timeoutMs: 10_000 }]
    await SimService.open(world, { ...program, name: 'payments', calls: calling('catalog') })
    await SimService.open(world, { ...program, name: 'orders', calls: calling('payments') })

    const shoppers = sendClients(world, {
      name: 'shoppers',
      service: 'orders',
      perSecond: 25,
      fromMs: 0,
      untilMs: END_MS,
      timeoutMs: 10_000,
    })
    world.clock.schedule(INCIDENT_MS, () => catalog.setWorkers(0))
    await world.run(END_MS + 5000)

    const asked = (from: number): number => catalog.arrivalsMs.filter((timeMs) => timeMs >= from).length
    const during = shoppers.between(INCIDENT_MS, END_MS)
    const before = shoppers.between(0, INCIDENT_MS - 500)
    return {
      amplification: asked(INCIDENT_MS) / during.count,
      amplificationBefore: (asked(0) - asked(INCIDENT_MS)) / shoppers.between(0, INCIDENT_MS).count,
      before: { goodRatio: before.goodRatio, p99Ms: before.quantileMs(0.99) },
    }
  },

  judge: ({ amplification, amplificationBefore, before }) => ({
    outcome: amplification > 1.2 ? 'breached' : 'contained',
    because: [
      { name: 'requests at catalog for each checkout', value: amplification, unit: '', atMost: 1.2 },
      { name: 'the same before the incident', value: amplificationBefore, unit: '' },
    ],
    honest: [
      { name: 'good checkouts before', value: before.goodRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 of checkouts before', value: before.p99Ms, unit: 'ms', atMost: 100 },
    ],
  }),
})
