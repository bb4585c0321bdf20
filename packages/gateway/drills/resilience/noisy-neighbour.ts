import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { rateLimit } from '../controls-resilience.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { TENANT_HEADER, playGreedyTenant } from '../lab/tenants.ts'
import { SimWorld } from '../lab/world.ts'

/** One customer's script runs in a loop, and every other customer waits behind it. */
export const noisyNeighbour: Drill = defineDrill({
  id: 'noisy-neighbour',
  title: 'One tenant sends five times what the service can do',
  threat: threats.noisyNeighbour,
  controls: [rateLimit],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const gateway = await openGateway(world, {
      services: {
        orders: {
          upstream: { pool: { maxConnections: 5000 } },
          route: {
            tenant: { header: TENANT_HEADER },
            rateLimit: control === 'on' && { rate: '30/s', burst: 30, key: 'tenant' },
          },
        },
      },
    })
    lab.defer(() => gateway.close())
    await SimService.open(world, { name: 'orders', workers: 4, serviceMs: 40 })
    return playGreedyTenant(world, {
      service: 'orders',
      timeoutMs: 1500,
      others: { tenants: 5, perSecond: 40 },
      greedyPerSecond: 500,
      settleMs: 0,
    })
  },

  judge: ({ goodRatio, p99Ms, greedy, before }) => ({
    outcome: goodRatio < 0.99 ? 'breached' : 'contained',
    because: [
      { name: 'good answers to the other tenants', value: goodRatio, unit: 'ratio', atLeast: 0.99 },
      { name: 'p99 of the other tenants', value: p99Ms, unit: 'ms' },
      { name: 'good answers a second to the greedy one', value: greedy, unit: '/s' },
    ],
    honest: [
      { name: 'good answers before', value: before.goodRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 before', value: before.p99Ms, unit: 'ms', atMost: 500 },
    ],
  }),
})
