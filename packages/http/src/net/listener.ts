import { readFileSync } from 'node:fs'
import { Server as NetServer } from 'node:net'
import type { Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import type { TlsOptions } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import { messageOf } from '@breakwater/core'
import { errors } from '../errors.ts'
import type { Accept, ListenOptions, ListenTls, Listener, ListenerSettings } from '../transport.ts'
import { Handshakes } from './handshakes.ts'
import { listenError } from './listen-error.ts'

/** What a listener asks of its driver. */
export interface ListenerOwner {
  /** Looks after a socket whose handshake is not over yet. */
  readonly own: (socket: Socket) => void
  /** Makes a connection of a socket whose handshake, if there is one, is over. */
  readonly take: (socket: Socket, isSecure: boolean, accept: Accept) => void
  readonly onClose: () => void
}

/** Half of a listener that speaks TLS: the port itself belongs to the plain server in front of it. */
interface TlsEnd {
  readonly settings: TlsOptions
  readonly server: TlsServer
}

/**
 * An open port. TLS is a matter of each connection, not of the port, so that certificates, limits and TLS itself can change
 * while it stays open.
 */
export class NetListener implements Listener {
  readonly host: string
  readonly #server = new NetServer({ allowHalfOpen: true, noDelay: true })
  readonly #owner: ListenerOwner
  #accept: Accept
  #tls: TlsEnd | undefined
  #mayBegin: ListenTls['mayBegin']
  readonly #handshakes = new Handshakes()
  #connections = 0
  #port = 0

  private constructor(options: ListenOptions, accept: Accept, owner: ListenerOwner) {
    this.host = options.host
    this.#owner = owner
    this.#accept = accept
    this.prepare(options, accept)()
    this.#server.on('connection', (socket: Socket) => {
      this.#connections++
      socket.once('close', () => this.#connections--)
      if (this.#tls === undefined) {
        owner.take(socket, false, this.#accept)
        return
      }
      owner.own(socket)
      const { remoteAddress = '' } = socket
      if (this.#mayBegin?.(remoteAddress, this.#handshakes.of(remoteAddress)) === false) {
        socket.destroy()
        return
      }
      this.#handshakes.begin(socket)
      this.#tls.server.emit('connection', socket)
    })
  }

  /** @throws `BW_HTTP_LISTEN_FAILED`. */
  static async open(options: ListenOptions, accept: Accept, owner: ListenerOwner): Promise<NetListener> {
    const listener = new NetListener(options, accept, owner)
    const { host, port, backlog = 511, reusePort = false } = options
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // Later errors are of single accepts, such as EMFILE: the connection is lost, the listener is not.
    listener.#server.on('error', (cause) => reject(listenError(options, cause)))
    listener.#server.listen({ host, port, backlog, reusePort }, resolve)
    await promise
    const address = listener.#server.address()
    if (typeof address === 'object' && address !== null) listener.#port = address.port
    return listener
  }

  get port(): number {
    return this.#port
  }

  get connections(): number {
    return this.#connections
  }

  prepare({ tls, maxConnections = Number.MAX_SAFE_INTEGER }: ListenerSettings, accept: Accept): () => void {
    const end = tls === undefined ? undefined : this.#tlsEnd(tls)
    return () => {
      this.#tls = end
      this.#mayBegin = tls?.mayBegin
      this.#accept = accept
      this.#server.maxConnections = maxConnections
    }
  }

  close(): Promise<void> {
    // The server's own callback would wait for every connection; accepting stops at once.
    this.#server.close()
    this.#owner.onClose()
    return Promise.resolve()
  }

  #tlsEnd(tls: ListenTls): TlsEnd {
    const settings = tlsSettings(tls)
    // The same stays: a new one would not know the sessions that clients resume.
    if (this.#tls !== undefined && isDeepStrictEqual(settings, this.#tls.settings)) return this.#tls
    const server = usable(tls, () => new TlsServer(settings))
    server.on('secureConnection', (socket: Socket) => {
      this.#handshakes.end(socket)
      this.#owner.take(socket, true, this.#accept)
    })
    // A handshake that fails concerns that client only. Out of time it is still open: who listens has to end it.
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    return { settings, server }
  }
}

function tlsSettings(tls: ListenTls): TlsOptions {
  return usable(tls, () => ({
    cert: readFileSync(tls.certificateFile),
    key: readFileSync(tls.keyFile),
    ALPNProtocols: [...(tls.alpn ?? ['http/1.1'])],
    handshakeTimeout: Math.min(tls.handshakeTimeoutMs ?? 10_000, 0x7fff_ffff),
    minVersion: tls.minVersion ?? 'TLSv1.2',
    allowHalfOpen: true,
    noDelay: true,
  }))
}

function usable<Result>({ certificateFile, keyFile }: ListenTls, make: () => Result): Result {
  try {
    return make()
  } catch (cause) {
    throw errors.BW_HTTP_LISTEN_FAILED(`cannot use ${certificateFile} and ${keyFile}: ${messageOf(cause)}`, {
      cause,
    })
  }
}
