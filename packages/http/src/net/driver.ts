import { readFileSync } from 'node:fs'
import { Server as NetServer, Socket, isIP } from 'node:net'
import { Server as TlsServer, connect as connectTls } from 'node:tls'
import type { ConnectionOptions as TlsConnectionOptions, TLSSocket } from 'node:tls'
import { errors } from '../errors.ts'
import type {
  ConnectOptions,
  Connecting,
  Driver,
  ListenOptions,
  ListenTls,
  Listener,
  Transport,
  TransportHandler,
} from '../transport.ts'
import { connectError } from './connect-error.ts'
import { listenError } from './listen-error.ts'
import { NetTransport } from './transport.ts'
import { NetTurns, TickingWheel } from './turns.ts'

/** Size of the buffer that all plain upstream sockets read into. */
const READ_BYTES = 65_536

type Accept = (transport: Transport, nowMs: number) => TransportHandler

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

class SocketDriver implements NetDriver {
  readonly #turns = new NetTurns()
  readonly clock = this.#turns.clock
  readonly wheel: TickingWheel = new TickingWheel(this.#turns)
  readonly #listeners = new Set<Listener>()
  readonly #sockets = new Set<Socket>()
  // One buffer for all: libuv reads when data is there, and every reader is done with it before the next read. Not on
  // Windows, where a read is posted with its buffer and completes later.
  readonly #shared = process.platform === 'win32' ? undefined : Buffer.allocUnsafeSlow(READ_BYTES)

  async listen(options: ListenOptions, accept: Accept): Promise<Listener> {
    const server =
      options.tls === undefined
        ? new NetServer({ allowHalfOpen: true, noDelay: true })
        : tlsServer(options.tls)
    if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections
    const secure = options.tls !== undefined
    server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) =>
      this.#accept(socket, secure, accept),
    )
    // A handshake that fails concerns that client only.
    server.on('tlsClientError', () => undefined)
    return await new Promise((resolve, reject) => {
      // Later errors are of single accepts, such as EMFILE: the connection is lost, the listener is not.
      server.on('error', (cause) => reject(listenError(options, cause)))
      server.listen(
        {
          host: options.host,
          port: options.port,
          backlog: options.backlog ?? 511,
          reusePort: options.reusePort ?? false,
        },
        () => {
          const listener = new OpenListener(server, options.host, () => this.#listeners.delete(listener))
          this.#listeners.add(listener)
          resolve(listener)
        },
      )
    })
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
      this.#turns.run((nowMs) => onError(connectError(cause), nowMs))
    }
    const closed = (): void => failed(new Error('the connection closed before it was ready'))
    socket.once('error', failed)
    socket.once('close', closed)
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      if (settled) return
      settled = true
      socket.off('error', failed)
      socket.off('close', closed)
      const opened = new NetTransport(socket, this.#turns, secure)
      transport = opened
      this.#turns.run((nowMs) => opened.bind(onOpen(opened, nowMs), secure || this.#shared === undefined))
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

  #accept(socket: Socket, secure: boolean, accept: Accept): void {
    this.#own(socket)
    const transport = new NetTransport(socket, this.#turns, secure)
    this.#turns.run((nowMs) => transport.bind(accept(transport, nowMs), true))
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

function tlsServer(tls: ListenTls): TlsServer {
  try {
    return new TlsServer({
      cert: readFileSync(tls.certificateFile),
      key: readFileSync(tls.keyFile),
      ALPNProtocols: [...(tls.alpn ?? ['http/1.1'])],
      handshakeTimeout: Math.min(tls.handshakeTimeoutMs ?? 10_000, 0x7fff_ffff),
      minVersion: tls.minVersion ?? 'TLSv1.2',
      allowHalfOpen: true,
      noDelay: true,
    })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw errors.BW_HTTP_LISTEN_FAILED(`cannot use ${tls.certificateFile} and ${tls.keyFile}: ${reason}`, {
      cause,
    })
  }
}

class OpenListener implements Listener {
  readonly #server: NetServer
  readonly #onClose: () => void
  readonly host: string
  readonly port: number
  #connections = 0

  constructor(server: NetServer, host: string, onClose: () => void) {
    this.#server = server
    this.#onClose = onClose
    this.host = host
    const address = server.address()
    this.port = typeof address === 'object' && address !== null ? address.port : 0
    server.on('connection', (socket: Socket) => {
      this.#connections++
      socket.once('close', () => this.#connections--)
    })
  }

  get connections(): number {
    return this.#connections
  }

  close(): Promise<void> {
    // The server's own callback would wait for every connection; accepting stops at once.
    this.#server.close()
    this.#onClose()
    return Promise.resolve()
  }
}
