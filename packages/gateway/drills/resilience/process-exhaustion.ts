import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { overloadManager } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

const INCIDENT_MS = 10_000
const END_MS = 40_000
/** What the process takes before the first request, and what each waiting request adds. Shares of its memory. */
const IDLE_RATIO = 0.3
const EACH_RATIO = 0.001

/** Reports hang, requests for them pile up in the gateway's memory, and in the end it dies: checkouts with it. */
export const processExhaustion: Drill = defineDrill({
  id: 'process-exhaustion',
  title: 'One slow upstream fills the memory of the gateway',
  threat: threats.processExhaustion,
  controls: [overloadManager],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const heapRatio = (): number => {
      const waiting = gateway
        .status()
        .upstreams.flatMap(({ endpoints }) => endpoints)
        .reduce((sum, { inFlight }) => sum + inFlight, 0)
      return IDLE_RATIO + EACH_RATIO * waiting
    }
    const gateway = await openGateway(
      world,
      {
        services: {
          reports: {
            upstream: { pool: { maxConnections: 5000 } },
            route: { priority: 'low', timeout: '120s' },
          },
          checkout: { route: { priority: 'critical' } },
        },
        rest: { overload: control === 'on' && { interval: '100ms' } },
      },
      'gateway',
      { readOverload: () => ({ heapRatio: heapRatio() }) },
    )
    lab.defer(() => gateway.close())
    const reports = await SimService.open(world, { name: 'reports', workers: 20, serviceMs: 50 })
    await SimService.open(world, { name: 'checkout', workers: 10, serviceMs: 20 })
    let diedMs = Infinity
    let highest = 0
    const look = (): void => {
      highest = Math.max(highest, heapRatio())
      if (highest >= 1) {
        diedMs = world.clock.now()
        world.network.crash('gateway')
      } else world.clock.schedule(50, look)
    }
    look()
    const clients = { fromMs: 0, untilMs: END_MS }
    sendClients(world, {
      ...clients,
      name: 'analysts',
      service: 'reports',
      perSecond: 60,
      timeoutMs: 120_000,
    })
    const buyers = sendClients(world, {
      ...clients,
      name: 'buyers',
      service: 'checkout',
      perSecond: 20,
      timeoutMs: 2000,
    })
    world.clock.schedule(INCIDENT_MS, () => reports.setWorkers(0))
    await world.run(END_MS + 3000)
    const before = buyers.between(0, INCIDENT_MS)
    const during = buyers.between(INCIDENT_MS, END_MS)
    return {
      livedMs: Math.min(diedMs, END_MS) - INCIDENT_MS,
      highest,
      checkouts: during.goodRatio,
      before: { goodRatio: before.goodRatio, p99Ms: before.quantileMs(0.99) },
    }
  },

  judge: ({ livedMs, highest, checkouts, before }) => ({
    outcome: highest >= 0.95 || checkouts < 0.99 ? 'breached' : 'contained',
    because: [
      { name: 'most memory that was in use', value: highest, unit: 'ratio', atMost: 0.95 },
      { name: 'checkouts that succeed', value: checkouts, unit: 'ratio', atLeast: 0.99 },
      { name: 'life of the gateway after the incident began', value: livedMs, unit: 'ms' },
    ],
    honest: [
      { name: 'checkouts that succeed before', value: before.goodRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 of checkouts before', value: before.p99Ms, unit: 'ms', atMost: 200 },
    ],
  }),
})
