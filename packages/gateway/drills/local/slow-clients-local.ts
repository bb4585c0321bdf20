import { threats } from '@breakwater/contract'
import type { ConfigInput } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill, LocalLab } from '@breakwater/drill'

import { bodyIdleTimeout, headTimeout, minRate, writeStallTimeout } from '../controls-protocol.ts'
import { RawClient } from '../lab/raw-client.ts'
import { sendVisitors } from '../lab/visitors.ts'
import type { Visitors } from '../lab/visitors.ts'
import { openWire, pause, startProgram, startProgramWithConfig } from './programs.ts'

const ATTACK_FROM_MS = 1500
const FULL_BY_MS = 6000
const END_MS = 8500
const PATIENCE_MS = 1200

interface Wave {
  readonly name: string
  /** Connections that its listener takes, and how many the attackers open a second. */
  readonly places: number
  readonly perSecond: number
  readonly attack: (client: RawClient) => void
}

const POST = 'POST /shop/ HTTP/1.1\r\nHost: shop\r\n'

/** Each against a listener of its own, so that they do not help each other. */
const waves: readonly Wave[] = [
  {
    name: 'heads',
    places: 60,
    perSecond: 20,
    attack: (client) => client.trickle(`GET /shop/ HTTP/1.1\r\nHost: shop\r\nX-Pad: ${'a'.repeat(80)}`, 200),
  },
  {
    name: 'bodies',
    places: 60,
    perSecond: 20,
    attack: (client) => {
      client.write(`${POST}Content-Length: 5000\r\n\r\n`)
      client.trickle('b'.repeat(80), 200)
    },
  },
  {
    name: 'readers',
    places: 12,
    perSecond: 3,
    attack: (client) => {
      client.pauseAfter(1)
      client.write('GET /shop/large HTTP/1.1\r\nHost: shop\r\n\r\n')
    },
  },
]

function configOf(lab: LocalLab, servicePort: number, isOn: boolean): ConfigInput {
  const timeouts = isOn
    ? { head: '600ms', bodyIdle: '600ms', minRate: '200B/s', minRateGrace: '600ms', writeStall: '600ms' }
    : { head: false as const, bodyIdle: false as const, minRate: false as const, writeStall: false as const }
  return {
    admin: false,
    overload: false,
    telemetry: { accessLog: false },
    listeners: Object.fromEntries(
      waves.map(({ name, places }) => [
        name,
        { host: lab.host, port: 0, limits: { maxConnections: places }, timeouts },
      ]),
    ),
    upstreams: { shop: { endpoints: [`${lab.host}:${servicePort}`] } },
    routes: { shop: { match: '/shop/*', upstream: 'shop' } },
  }
}

export const slowClientsLocal: Drill = defineDrill({
  id: 'slow-clients-local',
  title: 'Slow heads, bodies and readers over real sockets, against a gateway process',
  threat: threats.slowClients,
  controls: [headTimeout, bodyIdleTimeout, minRate, writeStallTimeout],
  lab: 'local',
  arrange: (lab) => ({ lab }),
  async attack({ lab }, { control }) {
    const service = await startProgram(lab, 'service-process', ['20', '2'])
    const config = configOf(lab, service.ports['service'] ?? 0, control === 'on')
    const ports = await startProgramWithConfig(lab, 'gateway-process', config)
    const wire = openWire(lab)
    const startMs = wire.clock.now()
    const all = waves.map((wave) => {
      const to = { host: lab.host, port: ports[wave.name] ?? 0 }
      const visitors = sendVisitors(wire, {
        from: 'visitors',
        to,
        request: 'GET /shop/ HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n',
        perSecond: 8,
        fromMs: startMs,
        untilMs: startMs + END_MS,
        timeoutMs: PATIENCE_MS,
        random: lab.random,
      })
      const everyMs = 1000 / wave.perSecond
      for (let atMs = ATTACK_FROM_MS; atMs < END_MS; atMs += everyMs)
        wire.clock.schedule(atMs, () => wave.attack(RawClient.open(wire, 'attacker', to)))
      return { wave, visitors }
    })
    await pause(END_MS + PATIENCE_MS + 200)
    return all.map(({ wave, visitors }) => ({ name: wave.name, ...sharesOf(visitors, startMs) }))
  },
  judge(evidence) {
    return {
      outcome: evidence.every(({ during }) => during >= 0.9) ? 'contained' : 'breached',
      because: evidence.map(({ name, during }) => ({
        name: `visitors served beside slow ${name}`,
        value: during,
        unit: 'ratio',
        atLeast: 0.9,
      })),
      honest: evidence.map(({ name, before }) => ({
        name: `visitors served before the slow ${name}`,
        value: before,
        unit: 'ratio',
        atLeast: 0.9,
      })),
    }
  },
})

function sharesOf(visitors: Visitors, startMs: number): { readonly before: number; readonly during: number } {
  return {
    before: visitors.goodRatio(startMs, startMs + ATTACK_FROM_MS - 200),
    during: visitors.goodRatio(startMs + FULL_BY_MS, startMs + END_MS),
  }
}
