import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { backoff } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { peakWithin } from '../lab/ledger.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

const STALL_MS = 10_000
const RESTART_MS = 20_000
const END_MS = 40_000
const WINDOW_MS = 50

/** A thousand clients wait for a service that stands still. It is restarted, and all of them are let go at once. */
export const thunderingHerd: Drill = defineDrill({
  id: 'thundering-herd',
  title: 'A thousand clients come back in the same millisecond',
  threat: threats.thunderingHerd,
  controls: [backoff],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const waits = control === 'on' ? (['2s', '4s'] as const) : (['0ms', '0ms'] as const)
    const [base, max] = waits
    const gateway = await openGateway(world, {
      listener: { limits: { maxConnectionsPerAddress: 4096 } },
      services: {
        orders: {
          upstream: { pool: { maxConnections: 2000 } },
          route: { timeout: '30s', retry: { maxAttempts: 4, maxElapsed: false, backoff: { base, max } } },
        },
      },
    })
    lab.defer(() => gateway.close())
    const orders = await SimService.open(world, {
      name: 'orders',
      workers: 20,
      serviceMs: 20,
      maxQueue: 1000,
    })
    const clients = { service: 'orders', timeoutMs: 30_000 }
    const early = sendClients(world, { ...clients, name: 'early', perSecond: 100, fromMs: 0, untilMs: 8000 })
    const crowd = sendClients(world, {
      ...clients,
      name: 'crowd',
      perSecond: 100,
      fromMs: STALL_MS,
      untilMs: RESTART_MS,
    })
    world.clock.schedule(STALL_MS, () => orders.setWorkers(0))
    world.clock.schedule(RESTART_MS, () => {
      orders.crash({ maxQueue: 150 })
      void orders.listen()
    })
    await world.run(END_MS + 20_000)
    const arrivalsMs = orders.arrivalsMs.filter((timeMs) => timeMs > RESTART_MS)
    return {
      waiting: crowd.count,
      peak: peakWithin(arrivalsMs, WINDOW_MS),
      crowd: crowd.goodRatio,
      early: { goodRatio: early.goodRatio, p99Ms: early.quantileMs(0.99) },
    }
  },

  judge: ({ waiting, peak, crowd, early }) => ({
    outcome: peak > 100 || crowd < 0.99 ? 'breached' : 'contained',
    because: [
      { name: 'most arrivals within 50 ms of the return', value: peak, unit: '', atMost: 100 },
      { name: 'clients that were let go together', value: waiting, unit: '' },
      { name: 'of those, answered well in the end', value: crowd, unit: 'ratio', atLeast: 0.99 },
    ],
    honest: [
      { name: 'good answers before', value: early.goodRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 before', value: early.p99Ms, unit: 'ms', atMost: 200 },
    ],
  }),
})
