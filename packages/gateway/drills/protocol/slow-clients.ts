import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill, SimLab } from '@breakwater/drill'

import {
  bodyIdleTimeout,
  firstByteTimeout,
  headTimeout,
  keepAliveTimeout,
  minRate,
  writeStallTimeout,
} from '../controls-protocol.ts'
import { GATEWAY_PORT } from '../lab/config.ts'
import { openGateway } from '../lab/gateway.ts'
import { RawClient } from '../lab/raw-client.ts'
import { SimService } from '../lab/service.ts'
import { sendVisitors, statusOf } from '../lab/visitors.ts'
import type { Visitors } from '../lab/visitors.ts'
import { SimWorld } from '../lab/world.ts'

/** One way of being slow, in a world of its own, so that only one limit stands against it. */
interface Wave {
  readonly name: string
  readonly attack: (client: RawClient) => void
  /** Limits that are set in both states, so that another one does not do the work of the one in question. */
  readonly timeouts?: Readonly<Record<string, string | false>>
}

const GATE = { host: 'gateway', port: GATEWAY_PORT }
const PLACES = 150
const ATTACK_FROM_MS = 15_000
const FULL_BY_MS = 60_000
const END_MS = 90_000
/** Slow, but honest: 1 KB a second each way. */
const SLOW_BYTES = 20_000

const waves: readonly Wave[] = [
  { name: 'silent connections', attack: () => {} },
  {
    name: 'heads without end',
    attack: (client) => client.trickle(`GET /shop/ HTTP/1.1\r\nHost: shop\r\nX-Pad: ${'a'.repeat(80)}`, 1000),
  },
  {
    name: 'bodies that stop',
    timeouts: { minRate: false },
    attack: (client) =>
      client.write('POST /shop/ HTTP/1.1\r\nHost: shop\r\nContent-Length: 5000\r\n\r\nonly this'),
  },
  {
    name: 'bodies that trickle',
    attack: (client) => {
      client.write('POST /shop/ HTTP/1.1\r\nHost: shop\r\nContent-Length: 5000\r\n\r\n')
      client.trickle('b'.repeat(90), 1000)
    },
  },
  {
    name: 'answers that nobody reads',
    attack: (client) => {
      client.write('GET /shop/large HTTP/1.1\r\nHost: shop\r\n\r\n')
      client.pauseAfter(1)
    },
  },
  {
    name: 'connections kept for nothing',
    attack: (client) => client.write('GET /shop/ HTTP/1.1\r\nHost: shop\r\n\r\n'),
  },
]

interface WaveEvidence {
  readonly name: string
  readonly visitors: Visitors
  readonly slowUpload: RawClient
}

async function playWave(lab: SimLab, wave: Wave, isOn: boolean): Promise<WaveEvidence> {
  const world = new SimWorld(lab)
  const off = {
    firstByte: false,
    head: false,
    bodyIdle: false,
    minRate: false,
    keepAlive: false,
    writeStall: false,
  } as const
  await SimService.open(world, {
    name: 'shop',
    workers: 50,
    serviceMs: 5,
    effect: ({ path }, body) => (path === '/shop/large' ? 'x'.repeat(600_000) : `${body.length} bytes`),
  })
  const gateway = await openGateway(world, {
    services: { shop: {} },
    listener: {
      limits: { maxConnections: PLACES },
      timeouts: { ...(isOn ? { keepAlive: '15s' } : off), ...wave.timeouts },
    },
  })
  lab.defer(() => gateway.close())
  const visitors = sendVisitors(world, {
    from: 'visitors',
    to: GATE,
    request: 'GET /shop/ HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n',
    perSecond: 5,
    fromMs: 0,
    untilMs: END_MS,
    timeoutMs: 3000,
    random: world.luck('visitors'),
  })
  const slowUpload = RawClient.open(world, 'mobile', GATE)
  slowUpload.write(`POST /shop/ HTTP/1.1\r\nHost: shop\r\nContent-Length: ${SLOW_BYTES}\r\n\r\n`)
  slowUpload.dribble('u'.repeat(SLOW_BYTES), 500, 500)
  for (let atMs = ATTACK_FROM_MS, number = 0; atMs < END_MS; atMs += 200, number++) {
    world.clock.schedule(atMs, () => wave.attack(RawClient.open(world, `attacker-${number}`, GATE)))
  }
  return { name: wave.name, visitors, slowUpload }
}

export const slowClients: Drill = defineDrill({
  id: 'slow-clients',
  title: 'Clients that hold connections by doing nothing, in six ways',
  threat: threats.slowClients,
  controls: [firstByteTimeout, headTimeout, bodyIdleTimeout, minRate, keepAliveTimeout, writeStallTimeout],
  lab: 'sim',
  arrange: (lab) => ({ lab }),
  async attack({ lab }, { control }) {
    const evidence: WaveEvidence[] = []
    for (const wave of waves) evidence.push(await playWave(lab, wave, control === 'on'))
    await lab.clock.advance(END_MS + 4000)
    return evidence
  },
  judge(evidence) {
    const shares = evidence.map(({ name, visitors }) => ({
      name,
      share: visitors.goodRatio(FULL_BY_MS, END_MS),
    }))
    return {
      outcome: shares.every(({ share }) => share >= 0.99) ? 'contained' : 'breached',
      because: shares.map(({ name, share }) => ({
        name: `visitors served during ${name}`,
        value: share,
        unit: 'ratio',
        atLeast: 0.99,
      })),
      honest: [
        {
          name: 'visitors served before the attacks',
          value: Math.min(...evidence.map(({ visitors }) => visitors.goodRatio(0, ATTACK_FROM_MS - 3000))),
          unit: 'ratio',
          atLeast: 0.99,
        },
        {
          name: 'slow but honest uploads that arrived whole',
          value: evidence.filter(({ slowUpload }) => statusOf(slowUpload.received) === 200).length,
          unit: '',
          atLeast: evidence.length,
        },
      ],
    }
  },
})
