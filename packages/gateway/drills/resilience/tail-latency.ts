import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { hedge } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SERVICE_PORT, SimWorld } from '../lab/world.ts'

const BATCHES_MS = 10_000
const END_MS = 50_000
const IDS = ['catalog-a', 'catalog-b', 'catalog-c'] as const

/** Somebody else's job throws a heap of work at one server at a time; whoever is behind it waits. */
export const tailLatency: Drill = defineDrill({
  id: 'tail-latency',
  title: 'Somebody else’s batch job sits in the queue',
  threat: threats.tailLatency,
  controls: [hedge],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const gateway = await openGateway(world, {
      services: {
        catalog: {
          upstream: {
            endpoints: IDS.map((id) => `${id}:${SERVICE_PORT}`),
            balancer: { policy: 'round-robin' },
            retryBudget: { ratio: 0.2, min: '1/s' },
          },
          route: { hedge: control === 'on' && { percentile: 0.9, minSamples: 50 } },
        },
      },
    })
    lab.defer(() => gateway.close())
    for (const [index, name] of IDS.entries()) {
      await SimService.open(world, { name, workers: 4, serviceMs: 10 })
      const fromMs = BATCHES_MS + index * 2000
      for (let startMs = fromMs; startMs < END_MS; startMs += 6000)
        sendClients(world, {
          name: `job ${name} ${startMs}`,
          service: name,
          perSecond: 2000,
          fromMs: startMs,
          untilMs: startMs + 60,
          timeoutMs: 60_000,
        })
    }
    const readers = sendClients(world, {
      name: 'readers',
      service: 'catalog',
      perSecond: 60,
      fromMs: 0,
      untilMs: END_MS,
      timeoutMs: 5000,
    })
    await world.run(END_MS + 6000)
    const before = readers.between(2000, BATCHES_MS)
    const during = readers.between(BATCHES_MS, END_MS)
    return {
      p99Ms: during.quantileMs(0.99),
      p50Ms: during.quantileMs(0.5),
      before: { goodRatio: before.goodRatio, p99Ms: before.quantileMs(0.99) },
    }
  },

  judge: ({ p99Ms, p50Ms, before }) => ({
    outcome: p99Ms > 120 ? 'breached' : 'contained',
    because: [
      { name: 'p99 of readers', value: p99Ms, unit: 'ms', atMost: 120 },
      { name: 'median of readers', value: p50Ms, unit: 'ms' },
    ],
    honest: [
      { name: 'good answers before', value: before.goodRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 before', value: before.p99Ms, unit: 'ms', atMost: 120 },
    ],
  }),
})
