import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { bulkhead } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

const INCIDENT_MS = 10_000
const END_MS = 40_000

/** One program with 40 workers calls two others; one of them stops answering. */
export const resourceExhaustion: Drill = defineDrill({
  id: 'resource-exhaustion',
  title: 'Reviews take every worker that prices need',
  threat: threats.resourceExhaustion,
  controls: [bulkhead],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const isOn = control === 'on'
    const guarded = {
      upstream: { bulkhead: isOn && { maxConcurrent: 10, maxQueue: 5, maxWait: '100ms' as const } },
      route: { timeout: '30s' as const },
    }
    const gateway = await openGateway(world, { services: { reviews: guarded, prices: guarded } })
    lab.defer(() => gateway.close())
    const reviews = await SimService.open(world, { name: 'reviews', workers: 8, serviceMs: 10 })
    await SimService.open(world, { name: 'prices', workers: 8, serviceMs: 10 })
    await SimService.open(world, {
      name: 'storefront',
      workers: 40,
      serviceMs: 2,
      calls: ({ path }) => [{ service: path === '/reviews' ? 'reviews' : 'prices', timeoutMs: 30_000 }],
    })
    const clients = { fromMs: 0, untilMs: END_MS, timeoutMs: 10_000, service: 'storefront', perSecond: 60 }
    sendClients(world, { ...clients, name: 'readers', ask: { path: '/reviews' } })
    const buyers = sendClients(world, { ...clients, name: 'buyers', ask: { path: '/prices' } })
    world.clock.schedule(INCIDENT_MS, () => reviews.setWorkers(0))
    await world.run(END_MS + 11_000)
    const of = (ledger: typeof buyers) => ({ goodRatio: ledger.goodRatio, p99Ms: ledger.quantileMs(0.99) })
    return {
      before: of(buyers.between(0, INCIDENT_MS - 500)),
      during: of(buyers.between(INCIDENT_MS, END_MS)),
    }
  },

  judge: ({ before, during }) => ({
    outcome: during.p99Ms > 1.5 * before.p99Ms || during.goodRatio < 0.999 ? 'breached' : 'contained',
    because: [
      {
        name: 'p99 of prices during the incident',
        value: during.p99Ms,
        unit: 'ms',
        atMost: 1.5 * before.p99Ms,
      },
      { name: 'good answers of prices during it', value: during.goodRatio, unit: 'ratio', atLeast: 0.999 },
    ],
    honest: [
      { name: 'good answers of prices before', value: before.goodRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 of prices before', value: before.p99Ms, unit: 'ms', atMost: 100 },
    ],
  }),
})
