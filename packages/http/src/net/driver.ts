import { readFileSync } from 'node:fs'
import { Socket, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions as TlsConnectionOptions, TLSSocket } from 'node:tls'
import type { Clock } from '@breakwater/core'
import type {
  Accept,
  ConnectOptions,
  Connecting,
  Driver,
  ListenOptions,
  Listener,
  Transport,
  TransportHandler,
} from '../transport.ts'
import { connectError } from './connect-error.ts'
import type { EntranceOwner } from './entrance.ts'
import { NetListener } from './listener.ts'
import { TickingWheel } from './ticking-wheel.ts'
import { NetTransport } from './transport.ts'
import { NetTurns } from './turns.ts'

/** Size of the buffer that all plain upstream sockets read into. */
const READ_BYTES = 65_536

/** Real sockets. */
export interface NetDriver extends Driver {
  /** Closes every listener and destroys every connection. */
  close(): Promise<void>
}

/**
 * Opens a driver over `node:net` and `node:tls`. One timer moves the wheel; the clock is read once a turn. Owns its sockets until
 * `close`.
 */
export function openNetDriver(): NetDriver {
  return new SocketDriver()
}

/** @internal */
export class SocketDriver implements NetDriver {
  readonly turns: NetTurns = new NetTurns()
  readonly clock: Clock = this.turns.clock
  readonly wheel: TickingWheel = new TickingWheel(this.turns)
  readonly #listeners = new Set<Listener>()
  readonly #sockets = new Set<Socket>()
  // One buffer for all: libuv reads when data is there, and every reader is done with it before the next read. Not on
  // Windows, where a read is posted with its buffer and completes later.
  readonly #shared = process.platform === 'win32' ? undefined : Buffer.allocUnsafeSlow(READ_BYTES)

  /** For whoever opens ports for this driver. */
  readonly owner: EntranceOwner = {
    own: (socket) => this.#own(socket),
    take: (socket, isSecure, accept) => this.#take(socket, isSecure, accept),
  }

  async listen(options: ListenOptions, accept: Accept): Promise<Listener> {
    const owner = { ...this.owner, onClose: () => this.#listeners.delete(listener) }
    const listener: NetListener = await NetListener.open(options, accept, owner)
    this.#listeners.add(listener)
    return listener
  }

  connect(
    options: ConnectOptions,
    onOpen: (transport: Transport, nowMs: number) => TransportHandler,
    onError: (error: Error, nowMs: number) => void,
  ): Connecting {
    let settled = false
    let transport: NetTransport | undefined
    const secure = options.tls !== undefined
    const socket = secure ? this.#connectTls(options) : this.#connectPlain(options, () => transport)
    this.#own(socket)
    const failed = (cause: Error): void => {
      if (settled) return
      settled = true
      socket.destroy()
      this.turns.run((nowMs) => onError(connectError(cause), nowMs))
    }
    const closed = (): void => failed(new Error('the connection closed before it was ready'))
    socket.once('error', failed)
    socket.once('close', closed)
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      if (settled) return
      settled = true
      socket.off('error', failed)
      socket.off('close', closed)
      const opened = new NetTransport(socket, this.turns, secure)
      transport = opened
      this.turns.run((nowMs) => opened.bind(onOpen(opened, nowMs), secure || this.#shared === undefined))
    })
    return {
      cancel: () => {
        if (settled) return
        settled = true
        socket.destroy()
      },
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.close()))
    for (const socket of this.#sockets) socket.destroy()
    this.wheel.stop()
  }

  #take(socket: Socket, secure: boolean, accept: Accept): void {
    this.#own(socket)
    const transport = new NetTransport(socket, this.turns, secure)
    this.turns.run((nowMs) => transport.bind(accept(transport, nowMs), true))
  }

  #connectPlain(options: ConnectOptions, transport: () => NetTransport | undefined): Socket {
    const buffer = this.#shared
    const { host, port } = options
    if (buffer === undefined)
      return new Socket({ allowHalfOpen: true }).setNoDelay(true).connect({ host, port })
    const callback = (bytes: number, memory: Uint8Array): boolean => {
      transport()?.deliver(memory.subarray(0, bytes))
      return true
    }
    const onread = { buffer, callback }
    return new Socket({ allowHalfOpen: true, onread }).setNoDelay(true).connect({ host, port })
  }

  #connectTls(options: ConnectOptions): TLSSocket {
    const { host, port, tls = {} } = options
    const servername = tls.servername ?? (isIP(host) === 0 ? host : '')
    const settings: TlsConnectionOptions = {
      host,
      port,
      ALPNProtocols: [...(tls.alpn ?? ['http/1.1'])],
      minVersion: 'TLSv1.2',
    }
    if (servername !== '') settings.servername = servername
    if (tls.caFile !== undefined) settings.ca = readFileSync(tls.caFile)
    const socket = connectTls(settings)
    socket.setNoDelay(true)
    return socket
  }

  #own(socket: Socket): void {
    this.#sockets.add(socket)
    // Without a listener an error in the time between two owners would end the process.
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
  }
}
