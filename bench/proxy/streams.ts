// Memory and CPU of a proxy that holds many open SSE streams, each with one event a second.
import { spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { cpuTimeOf, residentBytesOf, startPinned } from '../lib/process.ts'
import type { Peer } from './peers.ts'

export interface StreamRow {
  readonly proxy: string
  readonly streams: number
  readonly bytesPerStream: number
  readonly cpuUsPerEvent: number
  /** Events that came, of one a second and stream. Less than 1: it was too slow for them on this machine. */
  readonly deliveredRatio: number
}

const SECONDS = 6
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

export async function measureStreams(
  peers: readonly Peer[],
  port: number,
  count: number,
): Promise<StreamRow[]> {
  const rows: StreamRow[] = []
  for (const peer of peers) {
    if ('absent' in peer.command) continue
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
    rows.push({
      proxy: peer.name,
      streams: count,
      bytesPerStream: (grownBytes - baseBytes) / count,
      cpuUsPerEvent: ((after.user + after.system - before.user - before.system) / Math.max(1, events)) * 1e6,
      deliveredRatio: events / ((count + 100) * SECONDS),
    })
  }
  console.table(
    rows.map((row) => ({
      proxy: row.proxy,
      streams: row.streams,
      'KB a stream': (row.bytesPerStream / 1000).toFixed(1),
      'CPU µs an event': row.cpuUsPerEvent.toFixed(1),
      delivered: row.deliveredRatio.toFixed(2),
    })),
  )
  return rows
}
