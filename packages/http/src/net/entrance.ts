import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import type { TlsOptions } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import { messageOf } from '@breakwater/core'
import { errors } from '../errors.ts'
import type { Accept, ListenTls, ListenerSettings } from '../transport.ts'
import { Handshakes } from './handshakes.ts'

/** Makes a connection of a socket whose handshake, if there is one, is over. @internal */
export type TakeSocket = (socket: Socket, isSecure: boolean, accept: Accept) => void

/** What a listener asks of its driver. @internal */
export interface EntranceOwner {
  /** Looks after a socket whose handshake is not over yet. */
  readonly own: (socket: Socket) => void
  readonly take: TakeSocket
}

/** Half of a listener that speaks TLS: the port itself belongs to the plain server in front of it. */
interface TlsEnd {
  readonly settings: TlsOptions
  readonly server: TlsServer
}

/**
 * What an open port does with those who come. TLS is a matter of each connection, not of the port, so that certificates, limits
 * and TLS itself can change while it stays open. @internal
 */
export class Entrance {
  readonly #owner: EntranceOwner
  readonly #handshakes = new Handshakes()
  #tls: TlsEnd | undefined
  #mayBegin: ListenTls['mayBegin']
  #accept: Accept
  #maxConnections = Number.MAX_SAFE_INTEGER

  constructor(settings: ListenerSettings, accept: Accept, owner: EntranceOwner) {
    this.#owner = owner
    this.#accept = accept
    this.prepare(settings, accept)()
  }

  /** Whoever serves the connections that come now. */
  get accept(): Accept {
    return this.#accept
  }

  get isSecure(): boolean {
    return this.#tls !== undefined
  }

  get maxConnections(): number {
    return this.#maxConnections
  }

  /** As `Listener.prepare`. */
  prepare({ tls, maxConnections = Number.MAX_SAFE_INTEGER }: ListenerSettings, accept: Accept): () => void {
    const end = tls === undefined ? undefined : this.#tlsEnd(tls)
    return () => {
      this.#tls = end
      this.#mayBegin = tls?.mayBegin
      this.#accept = accept
      this.#maxConnections = maxConnections
    }
  }

  /** Takes a connection in: at once, or when its handshake is over. */
  admit(socket: Socket): void {
    if (this.#tls === undefined) {
      this.#owner.take(socket, false, this.#accept)
      return
    }
    this.#owner.own(socket)
    const { remoteAddress = '' } = socket
    if (this.#mayBegin?.(remoteAddress, this.#handshakes.of(remoteAddress)) === false) {
      socket.destroy()
      return
    }
    this.#handshakes.begin(socket)
    this.#tls.server.emit('connection', socket)
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
