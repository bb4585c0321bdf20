import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What came of one try to leave HTTP/1.1. */
export interface TunnelTry {
  /** The answer to the request that asked for it: 101 when it was given, 0 when there was none. */
  readonly status: number
  /** What was read by HTTP/2 requests in it. */
  readonly read: readonly string[]
}

const PATIENCE_MS = 700

/**
 * Sends `head` and then, whatever is answered, speaks HTTP/2 on the same connection and asks for `paths`. An empty head is prior
 * knowledge: HTTP/2 from the first byte (RFC 9113 §3.3).
 */
export async function tryTunnel(port: number, head: string, paths: readonly string[]): Promise<TunnelTry> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  try {
    await once(socket, 'connect')
    const status = head === '' ? 0 : await statusOf(socket, head)
    return { status, read: await readOver(socket, paths) }
  } finally {
    socket.destroy()
  }
}

/** Sends a head and reads the head of its answer off the socket. The bytes behind it are left in there. */
export async function statusOf(socket: Socket, head: string): Promise<number> {
  socket.write(head, 'latin1')
  let text = ''
  const whole = new Promise<void>((resolve) => {
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      if (!text.includes('\r\n\r\n')) return
      socket.off('data', onData)
      socket.pause()
      const rest = text.slice(text.indexOf('\r\n\r\n') + 4)
      if (rest !== '') socket.unshift(Buffer.from(rest, 'latin1'))
      resolve()
    }
    socket.on('data', onData)
    socket.once('close', () => resolve())
  })
  await Promise.race([whole, sleep(PATIENCE_MS)])
  return Number(/^HTTP\/1\.\d (\d{3})/.exec(text)?.[1] ?? 0)
}

async function readOver(socket: Socket, paths: readonly string[]): Promise<readonly string[]> {
  if (socket.destroyed) return []
  const session = connectHttp2('http://shop', { createConnection: () => socket })
  session.on('error', () => {})
  const read: string[] = []
  const all = paths.map(async (path) => {
    const stream = session.request({ ':method': 'GET', ':path': path })
    stream.on('error', () => {})
    let text = ''
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => (text += chunk))
    await once(stream, 'close')
    if (text !== '') read.push(text)
  })
  await Promise.race([Promise.allSettled(all), sleep(PATIENCE_MS)])
  session.destroy()
  return read
}
