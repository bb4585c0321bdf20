import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { ladder, staleIfError } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import type { Ledger } from '../lab/ledger.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

const INCIDENT_MS = 10_000
const END_MS = 30_000

/** A product page needs nothing but prices, and fails all the same when recommendations are away. */
export const partialFailure: Drill = defineDrill({
  id: 'partial-failure',
  title: 'Recommendations are down, the page is gone',
  threat: threats.partialFailure,
  controls: [ladder],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const steps = [{ serve: 'static' as const, body: '[]', parts: ['recommendations'] }]
    const gateway = await openGateway(world, {
      services: {
        storefront: {},
        prices: {},
        recommendations: { route: { ladder: control === 'on' && { steps } } },
      },
    })
    lab.defer(() => gateway.close())
    const program = { workers: 20, serviceMs: 5 }
    await SimService.open(world, { ...program, name: 'prices' })
    const recommendations = await SimService.open(world, { ...program, name: 'recommendations' })
    const calls = ['prices', 'recommendations'].map((service) => ({ service, timeoutMs: 2000 }))
    await SimService.open(world, { ...program, name: 'storefront', calls })
    const pages = sendClients(world, {
      name: 'readers',
      service: 'storefront',
      perSecond: 50,
      fromMs: 0,
      untilMs: END_MS,
      timeoutMs: 5000,
    })
    world.clock.schedule(INCIDENT_MS, () => recommendations.crash())
    await world.run(END_MS + 5000)
    return aroundTheIncident(pages, 'recommendations')
  },

  judge: ({ goodRatio, namedRatio, before }) => ({
    outcome: goodRatio < 0.99 || namedRatio < 0.99 ? 'breached' : 'contained',
    because: [
      { name: 'pages that are served during the outage', value: goodRatio, unit: 'ratio', atLeast: 0.99 },
      { name: 'of those, name what they lack', value: namedRatio, unit: 'ratio', atLeast: 0.99 },
    ],
    honest: [
      { name: 'complete pages before', value: before.completeRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 of pages before', value: before.p99Ms, unit: 'ms', atMost: 100 },
    ],
  }),
})

/** Texts that were right a minute ago are gone because who wrote them is. */
export const staleTexts: Drill = defineDrill({
  id: 'stale-texts',
  title: 'The catalog is down, every text is gone',
  threat: threats.partialFailure,
  controls: [staleIfError],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const gateway = await openGateway(world, {
      services: { catalog: { route: { staleIfError: control === 'on' && { ttl: '5m' } } } },
    })
    lab.defer(() => gateway.close())
    const catalog = await SimService.open(world, { name: 'catalog', workers: 10, serviceMs: 10 })
    const readers = sendClients(world, {
      name: 'readers',
      service: 'catalog',
      ask: (random) => ({ path: `/products/${Math.floor(random() * 40)}` }),
      perSecond: 60,
      fromMs: 0,
      untilMs: END_MS,
      timeoutMs: 2000,
    })
    world.clock.schedule(INCIDENT_MS, () => catalog.crash())
    await world.run(END_MS + 5000)
    return aroundTheIncident(readers, 'stale')
  },

  judge: ({ goodRatio, namedRatio, before }) => ({
    outcome: goodRatio < 0.99 || namedRatio < 0.99 ? 'breached' : 'contained',
    because: [
      { name: 'texts that are served during the outage', value: goodRatio, unit: 'ratio', atLeast: 0.99 },
      { name: 'of those, say that they are old', value: namedRatio, unit: 'ratio', atLeast: 0.99 },
    ],
    honest: [
      { name: 'fresh texts before', value: before.completeRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 of texts before', value: before.p99Ms, unit: 'ms', atMost: 200 },
    ],
  }),
})

/** What readers got before the incident, and during it: how much was served, and whether it named what it lacked. */
function aroundTheIncident(answers: Ledger, lacking: string): Evidence {
  const before = answers.between(0, INCIDENT_MS - 500)
  const during = answers.between(INCIDENT_MS, END_MS)
  const named = during.good.filter(({ missing }) => missing.join() === lacking)
  return {
    goodRatio: during.goodRatio,
    namedRatio: named.length / Math.max(1, during.good.length),
    before: { completeRatio: before.completeRatio, p99Ms: before.quantileMs(0.99) },
  }
}

interface Evidence {
  readonly goodRatio: number
  readonly namedRatio: number
  readonly before: { readonly completeRatio: number; readonly p99Ms: number }
}
