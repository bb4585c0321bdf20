import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { clientThrottle } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

const RUSH_MS = 10_000
const END_MS = 30_000

/** Saying no takes this service nearly as long as saying yes: it looks into the order before it asks a full database. */
export const costlyRefusals: Drill = defineDrill({
  id: 'costly-refusals',
  title: 'A service that does nothing but refuse',
  threat: threats.overload,
  controls: [clientThrottle],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const gateway = await openGateway(world, {
      services: {
        orders: {
          upstream: {
            clientThrottle: control === 'on' && { factor: 1.5, window: '5s' },
            pool: { maxConnections: 5000 },
          },
        },
      },
    })
    lab.defer(() => gateway.close())
    await SimService.open(world, { name: 'database', workers: 2, serviceMs: 40, maxQueue: 4 })
    await SimService.open(world, {
      name: 'orders',
      workers: 10,
      serviceMs: 40,
      calls: [{ service: 'database', timeoutMs: 5000 }],
      noticesAbort: true,
    })
    const clients = { service: 'orders', timeoutMs: 1000 }
    const regulars = sendClients(world, {
      ...clients,
      name: 'regulars',
      perSecond: 15,
      fromMs: 0,
      untilMs: RUSH_MS,
    })
    const crowd = sendClients(world, {
      ...clients,
      name: 'crowd',
      perSecond: 400,
      fromMs: RUSH_MS,
      untilMs: END_MS,
    })
    await world.run(END_MS + 5000)
    const settled = crowd.between(RUSH_MS + 5000, END_MS)
    const before = regulars.between(0, RUSH_MS - 1000)
    return {
      goodput: settled.goodput(END_MS - RUSH_MS - 5000),
      before: { goodRatio: before.goodRatio, p99Ms: before.quantileMs(0.99) },
    }
  },

  judge: ({ goodput, before }) => ({
    outcome: goodput < 20 ? 'breached' : 'contained',
    because: [
      { name: 'good answers a second, of 50 that are possible', value: goodput, unit: '/s', atLeast: 20 },
    ],
    honest: [
      { name: 'good answers before', value: before.goodRatio, unit: 'ratio', atLeast: 0.95 },
      { name: 'p99 before', value: before.p99Ms, unit: 'ms', atMost: 900 },
    ],
  }),
})
