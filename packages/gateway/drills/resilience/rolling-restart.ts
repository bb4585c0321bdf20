import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { retry } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SERVICE_PORT, SimWorld } from '../lab/world.ts'

const FIRST_MS = 10_000
const END_MS = 40_000
const IDS = ['catalog-a', 'catalog-b', 'catalog-c'] as const

/** A new version is rolled out, one server after the other; each is away for two seconds and cuts what it was at. */
export const rollingRestart: Drill = defineDrill({
  id: 'rolling-restart',
  title: 'Servers restart one after the other',
  threat: threats.transientFault,
  controls: [retry],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const gateway = await openGateway(world, {
      services: {
        catalog: {
          upstream: { endpoints: IDS.map((id) => `${id}:${SERVICE_PORT}`) },
          route: { retry: control === 'on' },
        },
      },
    })
    lab.defer(() => gateway.close())
    for (const [index, name] of IDS.entries()) {
      const server = await SimService.open(world, { name, workers: 10, serviceMs: 30 })
      world.clock.schedule(FIRST_MS + index * 8000, () => server.crash())
      world.clock.schedule(FIRST_MS + index * 8000 + 2000, () => void server.listen())
    }
    const readers = sendClients(world, {
      name: 'readers',
      service: 'catalog',
      perSecond: 80,
      fromMs: 0,
      untilMs: END_MS,
      timeoutMs: 5000,
    })
    await world.run(END_MS + 6000)
    const before = readers.between(0, FIRST_MS - 1000)
    const during = readers.between(FIRST_MS - 1000, END_MS)
    return {
      errors: during.count - during.good.length,
      before: { goodRatio: before.goodRatio, p99Ms: before.quantileMs(0.99) },
    }
  },

  judge: ({ errors, before }) => ({
    outcome: errors > 0 ? 'breached' : 'contained',
    because: [{ name: 'errors that readers saw', value: errors, unit: '', atMost: 0 }],
    honest: [
      { name: 'good answers before', value: before.goodRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 before', value: before.p99Ms, unit: 'ms', atMost: 300 },
    ],
  }),
})
