import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { tenantFairness } from '../controls-resilience.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { TENANT_HEADER, playGreedyTenant } from '../lab/tenants.ts'
import { SimWorld } from '../lab/world.ts'

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
          route: { tenant: { header: TENANT_HEADER } },
        },
      },
      rest: { shed: { targetQueueDelay: '50ms', tenantFairness: control === 'on' } },
    })
    lab.defer(() => gateway.close())
    await SimService.open(world, { name: 'orders', workers: 10, serviceMs: 50 })
    return playGreedyTenant(world, {
      service: 'orders',
      timeoutMs: 2000,
      others: { tenants: 6, perSecond: 60 },
      greedyPerSecond: 600,
      settleMs: 2000,
    })
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
