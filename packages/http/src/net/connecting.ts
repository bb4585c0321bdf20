import { readFileSync } from 'node:fs'
import { Socket, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions as TlsConnectionOptions, TLSSocket } from 'node:tls'
import type { ConnectOptions, Connecting, Transport, TransportHandler } from '../transport.ts'
import { connectError } from './connect-error.ts'
import { own } from './owned.ts'
import { NetTransport } from './transport.ts'
import type { NetTurns } from './turns.ts'

/** Who wants to be connected. @internal */
export interface ConnectHandler {
  readonly onOpen: (transport: Transport, nowMs: number) => TransportHandler
  readonly onError: (error: Error, nowMs: number) => void
}

/** What all sockets of a driver share. @internal */
export interface SharedSockets {
  readonly turns: NetTurns
  readonly open: Set<Socket>
  /** Where plain upstream sockets read into; left out where each needs memory of its own. */
  readonly inbox: Buffer | undefined
}

/** One attempt to connect over `node:net` or `node:tls`. @internal */
export class NetConnecting implements Connecting {
  readonly #shared: SharedSockets
  readonly #socket: Socket
  #handler: ConnectHandler | undefined
  #transport: NetTransport | undefined

  constructor(options: ConnectOptions, handler: ConnectHandler, shared: SharedSockets) {
    this.#shared = shared
    this.#handler = handler
    const isSecure = options.tls !== undefined
    const socket = isSecure ? secureSocket(options) : this.#plainSocket(options)
    this.#socket = socket
    own(socket, shared.open)
    const failed = (cause?: Error): void => this.#fail(cause)
    const closed = (): void => this.#fail(undefined)
    socket.on('error', failed)
    socket.on('close', closed)
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      socket.off('error', failed)
      socket.off('close', closed)
      this.#open(isSecure)
    })
  }

  cancel(): void {
    if (this.#handler === undefined) return
    this.#handler = undefined
    this.#socket.destroy()
  }

  #open(isSecure: boolean): void {
    const handler = this.#handler
    if (handler === undefined) return
    this.#handler = undefined
    const { turns, inbox } = this.#shared
    const transport = new NetTransport(this.#socket, turns, isSecure)
    this.#transport = transport
    turns.run((nowMs) => transport.bind(handler.onOpen(transport, nowMs), isSecure || inbox === undefined))
  }

  #fail(cause: Error = new Error('the connection closed before it was ready')): void {
    const handler = this.#handler
    if (handler === undefined) return
    this.#handler = undefined
    this.#socket.destroy()
    this.#shared.turns.run((nowMs) => handler.onError(connectError(cause), nowMs))
  }

  #plainSocket({ host, port }: ConnectOptions): Socket {
    const buffer = this.#shared.inbox
    const callback = (bytes: number, memory: Uint8Array): boolean => {
      this.#transport?.deliver(memory.subarray(0, bytes))
      return true
    }
    const reading = buffer === undefined ? {} : { onread: { buffer, callback } }
    return new Socket({ allowHalfOpen: true, ...reading }).setNoDelay(true).connect({ host, port })
  }
}

function secureSocket({ host, port, tls = {} }: ConnectOptions): TLSSocket {
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
