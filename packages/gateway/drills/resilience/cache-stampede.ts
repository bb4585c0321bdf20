import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { coalesce } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

const SALE_MS = 10_000
const END_MS = 30_000
const PATIENCE_MS = 2000

/** A sale begins, and everybody opens the same three pages, each of which takes a fifth of a second to make. */
export const cacheStampede: Drill = defineDrill({
  id: 'cache-stampede',
  title: 'Everybody asks for the same three pages',
  threat: threats.thunderingHerd,
  controls: [coalesce],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const gateway = await openGateway(world, {
      services: { catalog: { route: { coalesce: control === 'on' } } },
    })
    lab.defer(() => gateway.close())
    const catalog = await SimService.open(world, { name: 'catalog', workers: 4, serviceMs: 200 })
    const clients = { service: 'catalog', timeoutMs: PATIENCE_MS }
    const early = sendClients(world, {
      ...clients,
      name: 'early',
      ask: (random) => ({ path: `/products/${Math.floor(random() * 1000)}` }),
      perSecond: 4,
      fromMs: 0,
      untilMs: SALE_MS - 2000,
    })
    const crowd = sendClients(world, {
      ...clients,
      name: 'crowd',
      ask: (random) => ({ path: `/sale/${Math.floor(random() * 3)}` }),
      perSecond: 100,
      fromMs: SALE_MS,
      untilMs: END_MS,
    })
    await world.run(END_MS + 5000)
    return {
      goodRatio: crowd.goodRatio,
      p99Ms: crowd.quantileMs(0.99),
      calls: catalog.arrivalsMs.filter((timeMs) => timeMs > SALE_MS).length / crowd.count,
      early: { goodRatio: early.goodRatio, p50Ms: early.quantileMs(0.5) },
    }
  },

  judge: ({ goodRatio, p99Ms, calls, early }) => ({
    outcome: goodRatio < 0.99 ? 'breached' : 'contained',
    because: [
      { name: 'pages that are served in the sale', value: goodRatio, unit: 'ratio', atLeast: 0.99 },
      { name: 'p99 in the sale', value: p99Ms, unit: 'ms' },
      { name: 'calls to catalog for each page', value: calls, unit: '' },
    ],
    honest: [
      { name: 'good answers before the sale', value: early.goodRatio, unit: 'ratio', atLeast: 0.99 },
      { name: 'median before the sale', value: early.p50Ms, unit: 'ms', atMost: 400 },
    ],
  }),
})
