// Memory and CPU of a proxy that holds many open SSE streams, each with one event a second.
import { spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { cpuTimeOf, residentBytesOf, startPinned } from '../lib/process.ts'
import { median } from '../lib/report.ts'
import type { Peer } from './peers.ts'

export interface StreamRow {
  readonly proxy: string
  readonly streams: number
  /** Medians of the rounds, and the least. */
  readonly bytesPerStream: number
  readonly leastBytes: number
  readonly cpuUsPerEvent: number
  readonly leastUs: number
  /** Events that came, of one a second and stream. Less than 1: it was too slow for them on this machine. */
  readonly deliveredRatio: number
}

interface Sample {
  readonly bytes: number
  readonly us: number
  readonly delivered: number
}

const SECONDS = 10
const ROUNDS = 5
/** Below this share of the events more rounds would say nothing new. */
const TOO_SLOW_RATIO = 0.9
const WARM_UP_REQUESTS = 20_000

/** Streams are few calls a second: without requests before, a proxy that compiles what is hot would be measured cold. */
function warmUp(port: number): void {
  const load = [process.execPath, '--conditions=source', join(import.meta.dirname, 'load.ts')]
  const env = { PORT: String(port), SECONDS: '10', REQUESTS: String(WARM_UP_REQUESTS) }
  spawnSync('taskset', ['-c', '1', ...load], { env: { ...process.env, ...env } })
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function openStreams(port: number, count: number, onEvent: () => void): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let index = 0; index < count; index++) {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('connect', () => socket.write('GET /events HTTP/1.1\r\nHost: bench.local\r\n\r\n'))
    socket.on('data', (chunk: Buffer) => {
      if (chunk.includes('data: ')) onEvent()
    })
    socket.on('error', () => socket.destroy())
    sockets.push(socket)
    if (index % 100 === 99) await pause(20)
  }
  return sockets
}

async function sample(peer: Peer, port: number, count: number): Promise<Sample> {
  if ('absent' in peer.command) throw new Error(peer.command.absent)
  await using proxy = await startPinned(0, peer.command, port, peer.env)
  // A hundred streams first, so that code and pools that exist once are not charged to the streams.
  let events = 0
  const few = await openStreams(port, 100, () => events++)
  await pause(2000)
  const baseBytes = residentBytesOf(proxy.pid)
  const many = await openStreams(port, count, () => events++)
  await pause(3000)
  const grownBytes = residentBytesOf(proxy.pid)
  // After the memory was measured: the room that requests leave behind would hide what streams take.
  warmUp(port)
  await pause(1000)
  const before = cpuTimeOf(proxy.pid)
  events = 0
  await pause(SECONDS * 1000)
  const after = cpuTimeOf(proxy.pid)
  const open = [...few, ...many].filter((socket) => !socket.destroyed && !socket.readableEnded).length
  if (open < count + 100) throw new Error(`${peer.name}: only ${open} of ${count + 100} streams are open`)
  for (const socket of [...few, ...many]) socket.destroy()
  return {
    bytes: (grownBytes - baseBytes) / count,
    us: ((after.user + after.system - before.user - before.system) / Math.max(1, events)) * 1e6,
    delivered: events / ((count + 100) * SECONDS),
  }
}

/** Rounds over all peers, each started anew every time: what a stream takes depends on how the heap of the process has grown. */
export async function measureStreams(
  peers: readonly Peer[],
  port: number,
  count: number,
): Promise<StreamRow[]> {
  const samples = new Map<Peer, Sample[]>(peers.map((peer) => [peer, []]))
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [peer, own] of samples) {
      const [first] = own
      if (first === undefined || first.delivered >= TOO_SLOW_RATIO) own.push(await sample(peer, port, count))
    }
  }
  const rows = Array.from(samples, ([{ name }, own]) => rowOf(name, count, own))
  console.table(
    rows.map((row) => ({
      proxy: row.proxy,
      streams: row.streams,
      'KB a stream': (row.bytesPerStream / 1000).toFixed(1),
      'least KB': (row.leastBytes / 1000).toFixed(1),
      'CPU µs an event': row.cpuUsPerEvent.toFixed(1),
      'least µs': row.leastUs.toFixed(1),
      delivered: row.deliveredRatio.toFixed(2),
    })),
  )
  return rows
}

function rowOf(proxy: string, streams: number, samples: readonly Sample[]): StreamRow {
  const bytes = samples.map((sample) => sample.bytes)
  const us = samples.map((sample) => sample.us)
  return {
    proxy,
    streams,
    bytesPerStream: median(bytes),
    leastBytes: Math.min(...bytes),
    cpuUsPerEvent: median(us),
    leastUs: Math.min(...us),
    deliveredRatio: median(samples.map(({ delivered }) => delivered)),
  }
}
