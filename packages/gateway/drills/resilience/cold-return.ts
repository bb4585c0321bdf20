import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { slowStart } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SERVICE_PORT, SimWorld } from '../lab/world.ts'

const CRASH_MS = 8000
const RETURN_MS = 12_000
const END_MS = 40_000
const WORKERS = 10
const WARM_AFTER = 150
/** Waiting requests that a cold process has no memory for. */
const FATAL_QUEUE = 30
const IDS = ['catalog-a', 'catalog-b', 'catalog-c'] as const

/** A server comes back with empty caches, and gets a full third of the traffic in its first second. */
export const coldReturn: Drill = defineDrill({
  id: 'cold-return',
  title: 'A server that comes back cold gets its full share at once',
  threat: threats.thunderingHerd,
  controls: [slowStart],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const gateway = await openGateway(world, {
      services: {
        catalog: {
          upstream: {
            endpoints: IDS.map((id) => `${id}:${SERVICE_PORT}`),
            balancer: { policy: 'round-robin' },
            healthCheck: { interval: '500ms', timeout: '250ms', healthyThreshold: 2, unhealthyThreshold: 2 },
            slowStart: control === 'on' && { window: '15s', minShare: 0.05 },
          },
        },
      },
    })
    lab.defer(() => gateway.close())
    const servers: SimService[] = []
    for (const name of IDS)
      servers.push(await SimService.open(world, { name, workers: WORKERS, serviceMs: 20 }))
    const [, server] = servers as [SimService, SimService, SimService]
    let crashes = 0
    let warmAtAnswers = 0
    let isDown = false
    const crash = (): void => {
      crashes++
      isDown = true
      server.crash()
      world.clock.schedule(RETURN_MS - CRASH_MS, () => {
        isDown = false
        void server.listen()
        server.setWorkers(1)
        warmAtAnswers = server.counters.answered + WARM_AFTER
      })
    }
    const look = (): void => {
      if (!isDown && server.workers.queued > FATAL_QUEUE) crash()
      else if (!isDown && server.counters.answered >= warmAtAnswers) server.setWorkers(WORKERS)
      world.clock.schedule(10, look)
    }
    look()
    world.clock.schedule(CRASH_MS, crash)
    const readers = sendClients(world, {
      name: 'readers',
      service: 'catalog',
      perSecond: 300,
      fromMs: 0,
      untilMs: END_MS,
      timeoutMs: 3000,
    })
    await world.run(END_MS + 5000)
    const before = readers.between(0, CRASH_MS - 1000)
    const later = readers.between(RETURN_MS + 1000, END_MS)
    return {
      crashes,
      laterGood: later.goodRatio,
      before: { goodRatio: before.goodRatio, p99Ms: before.quantileMs(0.99) },
    }
  },

  judge: ({ crashes, laterGood, before }) => ({
    outcome: crashes > 1 || laterGood < 0.99 ? 'breached' : 'contained',
    because: [
      { name: 'crashes, the first included', value: crashes, unit: '', atMost: 1 },
      { name: 'good answers after the first return', value: laterGood, unit: 'ratio', atLeast: 0.99 },
    ],
    honest: [
      { name: 'good answers before', value: before.goodRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 before', value: before.p99Ms, unit: 'ms', atMost: 200 },
    ],
  }),
})
