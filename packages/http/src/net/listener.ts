import { Server as NetServer } from 'node:net'
import type { Socket } from 'node:net'
import type { Accept, ListenOptions, Listener, ListenerSettings } from '../transport.ts'
import { Entrance } from './entrance.ts'
import type { EntranceOwner } from './entrance.ts'
import { listenError } from './listen-error.ts'
import { count } from './owned.ts'

/** What a listener asks of its driver. */
export interface ListenerOwner extends EntranceOwner {
  readonly onClose: () => void
}

/** An open port of `node:net`. */
export class NetListener implements Listener {
  readonly host: string
  readonly #server = new NetServer({ allowHalfOpen: true, noDelay: true })
  readonly #owner: ListenerOwner
  readonly #entrance: Entrance
  connections = 0
  #port = 0

  private constructor(options: ListenOptions, accept: Accept, owner: ListenerOwner) {
    this.host = options.host
    this.#owner = owner
    this.#entrance = new Entrance(options, accept, owner)
    this.#server.maxConnections = this.#entrance.maxConnections
    this.#server.on('connection', (socket: Socket) => {
      count(socket, this)
      this.#entrance.admit(socket)
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

  prepare(settings: ListenerSettings, accept: Accept): () => void {
    const change = this.#entrance.prepare(settings, accept)
    return () => {
      change()
      this.#server.maxConnections = this.#entrance.maxConnections
    }
  }

  close(): Promise<void> {
    // The server's own callback would wait for every connection; accepting stops at once.
    this.#server.close()
    this.#owner.onClose()
    return Promise.resolve()
  }
}
