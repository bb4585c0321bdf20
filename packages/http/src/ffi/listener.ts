import { lookup } from 'node:dns/promises'
import { Socket } from 'node:net'
import { Entrance } from '../net/entrance.ts'
import { listenError } from '../net/listen-error.ts'
import type { ListenerOwner } from '../net/listener.ts'
import { count } from '../net/owned.ts'
import type { Accept, ListenOptions, Listener, ListenerSettings } from '../transport.ts'
import { EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM } from './libc.ts'
import { EPOLLIN } from './poller.ts'
import type { Pollable } from './poller.ts'
import type { Accepted } from './sockets.ts'
import { FfiTransport } from './transport.ts'
import type { Shared } from './transport.ts'

/** Taken in one go, before those that are connected already have their turn. */
const MAX_ACCEPTS = 64
/** No descriptor or no memory left. */
const EXHAUSTED: ReadonlySet<number> = new Set([EMFILE, ENFILE, ENOBUFS, ENOMEM])
/** Until there is some again, clients wait in the kernel's queue for this long, milliseconds. */
const EXHAUSTED_PAUSE_MS = 100

/** An open port, owned by its descriptor. */
export class FfiListener implements Listener, Pollable {
  readonly host: string
  readonly port: number
  connections = 0
  readonly #shared: Shared
  readonly #owner: ListenerOwner
  readonly #entrance: Entrance
  readonly #descriptor: number
  #slot: number
  #isOpen = true

  private constructor(
    options: ListenOptions,
    entrance: Entrance,
    address: string,
    owner: ListenerOwner,
    shared: Shared,
  ) {
    const { host, port, backlog = 511, reusePort = false } = options
    const opened = shared.sockets.listen(address, port, backlog, reusePort)
    this.host = host
    this.port = opened.port
    this.#shared = shared
    this.#owner = owner
    this.#entrance = entrance
    this.#descriptor = opened.descriptor
    try {
      this.#slot = shared.poller.add(opened.descriptor, EPOLLIN, this)
    } catch (error) {
      shared.libc.close(opened.descriptor)
      throw error
    }
  }

  /** @throws `BW_HTTP_LISTEN_FAILED`. */
  static async open(
    options: ListenOptions,
    accept: Accept,
    owner: ListenerOwner,
    shared: Shared,
  ): Promise<FfiListener> {
    const entrance = new Entrance(options, accept, owner)
    try {
      const { address } = await lookup(options.host)
      return new FfiListener(options, entrance, address, owner, shared)
    } catch (cause) {
      throw listenError(options, cause as NodeJS.ErrnoException)
    }
  }

  prepare(settings: ListenerSettings, accept: Accept): () => void {
    return this.#entrance.prepare(settings, accept)
  }

  close(): Promise<void> {
    if (!this.#isOpen) return Promise.resolve()
    this.#isOpen = false
    this.#ignore()
    this.#shared.libc.close(this.#descriptor)
    this.#owner.onClose()
    return Promise.resolve()
  }

  onReady(): void {
    for (let accepts = 0; accepts < MAX_ACCEPTS && this.#isOpen; accepts++) {
      const accepted = this.#shared.sockets.accept(this.#descriptor)
      if (typeof accepted === 'object') {
        this.#admit(accepted)
        continue
      }
      if (accepted === EAGAIN) return
      if (EXHAUSTED.has(accepted)) return this.#rest()
      // Any other error is of a client that left while it waited (accept(2)): on to the next.
    }
  }

  #admit(accepted: Accepted): void {
    const { libc, turns } = this.#shared
    if (this.connections >= this.#entrance.maxConnections) {
      libc.close(accepted.descriptor)
      return
    }
    if (this.#entrance.isSecure) {
      // TLS is spoken by Node.
      const socket = new Socket({ fd: accepted.descriptor, allowHalfOpen: true })
      count(socket, this)
      this.#entrance.admit(socket)
      return
    }
    this.connections++
    const transport = new FfiTransport(this.#shared, accepted, this)
    turns.run((nowMs) => transport.bind(this.#entrance.accept(transport, nowMs)))
  }

  /** Without a pause a ready port and no descriptor to take would keep the process busy. */
  #rest(): void {
    this.#ignore()
    this.#shared.turns.clock.schedule(EXHAUSTED_PAUSE_MS, () => {
      if (this.#isOpen) this.#slot = this.#shared.poller.add(this.#descriptor, EPOLLIN, this)
    })
  }

  #ignore(): void {
    if (this.#slot >= 0) this.#shared.poller.remove(this.#slot, this.#descriptor)
    this.#slot = -1
  }
}
