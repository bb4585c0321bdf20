import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { tenantFairness } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

const FLOOD_MS = 10_000
const END_MS = 30_000
const SETTLE_MS = 2000
const FIELD = 'x-tenant-id'

/** Nobody has set a rate. One tenant sends three times what there is, and shedding has to choose. */
export const greedyTenant: Drill = defineDrill({
  id: 'greedy-tenant',
  title: 'One tenant overloads a service that has no rate limit',
  threat: threats.noisyNeighbour,
  controls: [tenantFairness],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const gateway = await openGateway(world, {
      services: {
        orders: {
          upstream: { bulkhead: { maxConcurrent: 10, maxQueue: 50, maxWait: '500ms' } },
          route: { tenant: { header: FIELD } },
        },
      },
      rest: { shed: { targetQueueDelay: '50ms', tenantFairness: control === 'on' } },
    })
    lab.defer(() => gateway.close())
    await SimService.open(world, { name: 'orders', workers: 10, serviceMs: 50 })
    const clients = { service: 'orders', timeoutMs: 2000, untilMs: END_MS }
    const others = sendClients(world, {
      ...clients,
      name: 'others',
      ask: (random) => ({ fields: { [FIELD]: `tenant-${Math.floor(random() * 6)}` } }),
      perSecond: 60,
      fromMs: 0,
    })
    const greedy = sendClients(world, {
      ...clients,
      name: 'greedy',
      ask: { fields: { [FIELD]: 'greedy' } },
      perSecond: 600,
      fromMs: FLOOD_MS,
    })
    await world.run(END_MS + 5000)
    const before = others.between(0, FLOOD_MS - 1000)
    const during = others.between(FLOOD_MS + SETTLE_MS, END_MS)
    return {
      goodRatio: during.goodRatio,
      greedy: greedy.goodput(END_MS - FLOOD_MS),
      before: { goodRatio: before.goodRatio, p99Ms: before.quantileMs(0.99) },
    }
  },

  judge: ({ goodRatio, greedy, before }) => ({
    outcome: goodRatio < 0.9 ? 'breached' : 'contained',
    because: [
      { name: 'good answers to tenants within their share', value: goodRatio, unit: 'ratio', atLeast: 0.9 },
      { name: 'good answers a second to the greedy one', value: greedy, unit: '/s' },
    ],
    honest: [
      { name: 'good answers before', value: before.goodRatio, unit: 'ratio', atLeast: 0.99 },
      { name: 'p99 before', value: before.p99Ms, unit: 'ms', atMost: 500 },
    ],
  }),
})
