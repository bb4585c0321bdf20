import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { rateLimit } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

const FLOOD_MS = 10_000
const END_MS = 30_000
const FIELD = 'x-tenant-id'

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
            tenant: { header: FIELD },
            rateLimit: control === 'on' && { rate: '30/s', burst: 30, key: 'tenant' },
          },
        },
      },
    })
    lab.defer(() => gateway.close())
    await SimService.open(world, { name: 'orders', workers: 4, serviceMs: 40 })
    const clients = { service: 'orders', timeoutMs: 1500, untilMs: END_MS }
    const others = sendClients(world, {
      ...clients,
      name: 'others',
      ask: (random) => ({ fields: { [FIELD]: `tenant-${Math.floor(random() * 5)}` } }),
      perSecond: 40,
      fromMs: 0,
    })
    const greedy = sendClients(world, {
      ...clients,
      name: 'greedy',
      ask: { fields: { [FIELD]: 'greedy' } },
      perSecond: 500,
      fromMs: FLOOD_MS,
    })
    await world.run(END_MS + 5000)
    const before = others.between(0, FLOOD_MS - 2000)
    const during = others.between(FLOOD_MS, END_MS)
    return {
      goodRatio: during.goodRatio,
      p99Ms: during.quantileMs(0.99),
      greedy: greedy.goodput(END_MS - FLOOD_MS),
      before: { goodRatio: before.goodRatio, p99Ms: before.quantileMs(0.99) },
    }
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
