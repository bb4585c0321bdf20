import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'
import { FieldList, HttpServer } from '@breakwater/http'

import { maxBody, maxFieldLine, maxFields, maxHead, maxTarget } from '../controls-protocol.ts'
import { GATEWAY_PORT } from '../lab/config.ts'
import { openGateway } from '../lab/gateway.ts'
import { RawClient } from '../lab/raw-client.ts'
import { sendVisitors, statusOf } from '../lab/visitors.ts'
import { SERVICE_PORT, SimWorld } from '../lab/world.ts'

const GATE = { host: 'gateway', port: GATEWAY_PORT }
/** A client sends so much at a time, and looks whether there is an answer before it goes on. */
const PIECE_BYTES = 16_384
const HEAD = 'POST /shop/ HTTP/1.1\r\nHost: shop\r\n'

/** A message of which one thing is too large, and nothing else: only one limit stands against it. */
interface Flood {
  readonly name: string
  readonly bytes: string
  /** What a server has to take at the most before it can know: the limit and two pieces. */
  readonly atMostBytes: number
  readonly expected: number
  /** Sent at once instead of piece by piece. */
  readonly isWhole?: boolean
}

const kib = (count: number): number => count * 1024

const floods: readonly Flood[] = [
  {
    name: 'a head of 640 KB in lines of 8000 bytes',
    bytes: `${HEAD}${`X-Pad: ${'h'.repeat(7990)}\r\n`.repeat(80)}\r\n`,
    atMostBytes: kib(32) + 2 * PIECE_BYTES,
    expected: 431,
  },
  {
    name: 'a head of 48 KB in one piece',
    bytes: `${HEAD}${`X-Pad: ${'h'.repeat(7990)}\r\n`.repeat(6)}\r\n`,
    atMostBytes: kib(64),
    expected: 431,
    isWhole: true,
  },
  {
    name: '6000 fields of three bytes',
    bytes: `${HEAD}${'a:\r\n'.repeat(6000)}\r\n`,
    atMostBytes: kib(8) + 2 * PIECE_BYTES,
    expected: 431,
  },
  {
    name: 'one field of 28 KB',
    bytes: `${HEAD}X-Pad: ${'l'.repeat(28_000)}\r\n\r\n`,
    atMostBytes: kib(8) + 2 * PIECE_BYTES,
    expected: 431,
  },
  {
    name: 'a target of 28 KB',
    bytes: `GET /shop/${'t'.repeat(28_000)} HTTP/1.1\r\nHost: shop\r\n\r\n`,
    atMostBytes: kib(8) + 2 * PIECE_BYTES,
    expected: 414,
  },
  {
    name: 'an announced body of 4 MB',
    bytes: `${HEAD}Content-Length: 4000000\r\n\r\n${'b'.repeat(4_000_000)}`,
    atMostBytes: 2 * PIECE_BYTES,
    expected: 413,
  },
  {
    name: 'chunks without end',
    bytes: `${HEAD}Transfer-Encoding: chunked\r\n\r\n${`2000\r\n${'c'.repeat(8192)}\r\n`.repeat(500)}`,
    atMostBytes: kib(256) + 4 * PIECE_BYTES,
    expected: 413,
  },
]

const NO_LIMITS = {
  maxHead: false,
  maxFields: false,
  maxFieldLine: false,
  maxTarget: false,
  maxBody: false,
} as const

interface FloodEvidence {
  readonly flood: Flood
  takenBytes: number
  status: number
}

/** Sends as fast as it is taken until there is an answer, and counts what was taken by then. */
function pour(world: SimWorld, flood: Flood, from: string): FloodEvidence {
  const evidence: FloodEvidence = { flood, takenBytes: 0, status: 0 }
  const client = RawClient.open(world, from, GATE)
  const pieceBytes = flood.isWhole === true ? flood.bytes.length : PIECE_BYTES
  const next = (index: number): void => {
    evidence.takenBytes = Math.max(0, index - client.bufferedBytes)
    evidence.status = statusOf(client.received)
    if (evidence.status > 0 || client.closedMs !== undefined) return
    if (index >= flood.bytes.length || client.bufferedBytes > PIECE_BYTES) {
      world.clock.schedule(2, () => next(index))
      return
    }
    client.write(flood.bytes.slice(index, index + pieceBytes))
    world.clock.schedule(2, () => next(index + pieceBytes))
  }
  world.clock.schedule(5000, () => next(0))
  return evidence
}

/** A service that keeps every body until it has all of it, as most do, and has no limits of its own. */
async function openHoarder(world: SimWorld): Promise<{ largestBody: number; mostFields: number }> {
  const kept = { largestBody: 0, mostFields: 0 }
  const all = Number.MAX_SAFE_INTEGER
  await HttpServer.open(
    world.host('shop'),
    { host: 'shop', port: SERVICE_PORT },
    {
      onRequest(exchange) {
        kept.mostFields = Math.max(kept.mostFields, exchange.request.fields.size)
        let bytes = 0
        exchange.readBody({
          onData: (chunk) => {
            bytes += chunk.length
            kept.largestBody = Math.max(kept.largestBody, bytes)
          },
          onEnd: () => {
            exchange.sendHead(200, new FieldList(), { kind: 'length', bytes: 0 })
            exchange.sendEnd()
          },
          onAbort: () => {},
        })
      },
    },
    { limits: { maxHeadBytes: all, maxFields: all, maxFieldLineBytes: all, maxTargetBytes: all } },
  )
  return kept
}

export const headerAndBodyFlood: Drill = defineDrill({
  id: 'flood-heads-and-bodies',
  title: 'Heads, fields, lines, targets and bodies far beyond any honest need',
  threat: threats.headerAndBodyFlood,
  controls: [maxHead, maxFields, maxFieldLine, maxTarget, maxBody],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),
  async attack({ lab, world }, { control }) {
    const shop = await openHoarder(world)
    const gateway = await openGateway(world, {
      services: { shop: {} },
      listener: { limits: control === 'on' ? { maxBody: '256KiB' } : NO_LIMITS },
    })
    lab.defer(() => gateway.close())
    const upload = 'u'.repeat(200_000)
    const visitors = sendVisitors(world, {
      from: 'visitors',
      to: GATE,
      request: `POST /shop/ HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nX-Token: ${'t'.repeat(4000)}\r\nContent-Length: ${upload.length}\r\n\r\n${upload}`,
      perSecond: 4,
      fromMs: 0,
      untilMs: 10_000,
      timeoutMs: 3000,
      random: world.luck('visitors'),
    })
    const poured = floods.map((flood, index) => pour(world, flood, `attacker-${index}`))
    await lab.clock.advance(15_000)
    return { poured, visitors, largestBody: shop.largestBody, mostFields: shop.mostFields }
  },
  judge({ poured, visitors, largestBody, mostFields }) {
    const isContained = ({ flood, takenBytes, status }: FloodEvidence): boolean =>
      takenBytes <= flood.atMostBytes && status === flood.expected
    const missed = poured.filter((one) => !isContained(one)).length
    return {
      outcome: missed === 0 ? 'contained' : 'breached',
      because: [
        { name: `of ${poured.length} floods, those not refused in time`, value: missed, unit: '', atMost: 0 },
        ...poured.map(({ flood, takenBytes, status }) => ({
          name: `taken of ${flood.name}, answered ${status}:`,
          value: takenBytes,
          unit: 'bytes',
          atMost: flood.atMostBytes,
        })),
        { name: 'largest body in the memory of the service', value: largestBody, unit: 'bytes' },
        { name: 'most fields that the service was given at once', value: mostFields, unit: '' },
      ],
      honest: [
        {
          name: 'uploads of 200 KB with a field of 4 KB that arrived',
          value: visitors.goodRatio(),
          unit: 'ratio',
          atLeast: 0.99,
        },
      ],
    }
  },
})
