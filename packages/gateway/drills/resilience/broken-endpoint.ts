import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { healthCheck, outlierEjection, perTryTimeout } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import type { ServiceSettings } from '../lab/config.ts'
import type { Ledger } from '../lab/ledger.ts'
import { SimService } from '../lab/service.ts'
import { SERVICE_PORT, SimWorld } from '../lab/world.ts'

const INCIDENT_MS = 10_000
const END_MS = 30_000

// Three drills of one kind: three servers take turns, one of them breaks in a way of its own. Taking turns, so that it
// is the control that notices, and not the balancer.

const IDS = ['catalog-a', 'catalog-b', 'catalog-c'] as const
const TURNS = {
  endpoints: IDS.map((id) => `${id}:${SERVICE_PORT}`),
  balancer: { policy: 'round-robin' as const },
  timeouts: { connect: '500ms' as const },
}

async function serversAndReaders(world: SimWorld): Promise<{ servers: SimService[]; readers: Ledger }> {
  const servers: SimService[] = []
  for (const name of IDS) {
    const database = `database-${name.slice(-1)}`
    await SimService.open(world, { name: database, workers: 10, serviceMs: 5 })
    const calls = [{ service: database, timeoutMs: 1000 }]
    servers.push(await SimService.open(world, { name, workers: 10, serviceMs: 10, calls }))
  }
  const readers = sendClients(world, {
    name: 'readers',
    service: 'catalog',
    perSecond: 60,
    fromMs: 0,
    untilMs: END_MS,
    timeoutMs: 6000,
  })
  return { servers, readers }
}

interface Seen {
  readonly goodRatio: number
  readonly p99Ms: number
  readonly before: { readonly goodRatio: number; readonly p99Ms: number }
}

/** What readers saw, once the control had `noticeMs` to notice. */
function seenBy(readers: Ledger, noticeMs: number): Seen {
  const before = readers.between(0, INCIDENT_MS - 1000)
  const during = readers.between(INCIDENT_MS + noticeMs, END_MS)
  return {
    goodRatio: during.goodRatio,
    p99Ms: during.quantileMs(0.99),
    before: { goodRatio: before.goodRatio, p99Ms: before.quantileMs(0.99) },
  }
}

const judge: Drill['judge'] = (evidence) => {
  const { goodRatio, p99Ms, before } = evidence as Seen
  return {
    outcome: goodRatio < 0.98 ? 'breached' : 'contained',
    because: [
      {
        name: 'good answers with one server of three broken',
        value: goodRatio,
        unit: 'ratio',
        atLeast: 0.98,
      },
      { name: 'p99 of them', value: p99Ms, unit: 'ms' },
    ],
    honest: [
      { name: 'good answers before', value: before.goodRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 before', value: before.p99Ms, unit: 'ms', atMost: 200 },
    ],
  }
}

/** It lost its database and answers 502 at once: the fastest of the three, and always free. */
export const brokenEndpoint: Drill = defineDrill({
  id: 'broken-endpoint',
  title: 'One server of three fails everything, quickly',
  threat: threats.brokenEndpoint,
  controls: [outlierEjection],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const catalog: ServiceSettings = {
      upstream: {
        ...TURNS,
        outlierEjection: control === 'on' && { consecutiveFailures: 5, baseEjection: '10s' },
      },
    }
    const gateway = await openGateway(world, { services: { catalog } })
    lab.defer(() => gateway.close())
    const { readers } = await serversAndReaders(world)
    world.clock.schedule(INCIDENT_MS, () => world.network.crash('database-b'))
    await world.run(END_MS + 7000)
    return seenBy(readers, 1000)
  },
  judge,
})

/** Its machine is gone. Connections are refused for as long as it is away. */
export const deadEndpoint: Drill = defineDrill({
  id: 'dead-endpoint',
  title: 'One server of three is gone',
  threat: threats.brokenEndpoint,
  controls: [healthCheck],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const catalog: ServiceSettings = {
      upstream: {
        ...TURNS,
        healthCheck: control === 'on' && { interval: '500ms', timeout: '250ms', unhealthyThreshold: 2 },
      },
    }
    const gateway = await openGateway(world, { services: { catalog } })
    lab.defer(() => gateway.close())
    const { servers, readers } = await serversAndReaders(world)
    world.clock.schedule(INCIDENT_MS, () => servers[1]?.crash())
    await world.run(END_MS + 7000)
    return seenBy(readers, 2000)
  },
  judge,
})

/** It accepts every connection and answers none. Retries would help, were there any time left for them. */
export const hungEndpoint: Drill = defineDrill({
  id: 'hung-endpoint',
  title: 'One server of three takes requests and says nothing',
  threat: threats.brokenEndpoint,
  controls: [perTryTimeout],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const catalog: ServiceSettings = {
      upstream: { ...TURNS, pool: { maxConnections: 5000 } },
      route: {
        timeout: '3s',
        perTryTimeout: control === 'on' && '300ms',
        retry: { maxAttempts: 3 },
      },
    }
    const gateway = await openGateway(world, { services: { catalog } })
    lab.defer(() => gateway.close())
    const { readers } = await serversAndReaders(world)
    world.clock.schedule(INCIDENT_MS, () => world.network.freeze('catalog-b'))
    await world.run(END_MS + 7000)
    return seenBy(readers, 0)
  },
  judge,
})
