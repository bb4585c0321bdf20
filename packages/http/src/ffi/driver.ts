import { failed, messageOf, ok } from '@breakwater/core'
import type { Clock, DeadlineWheel, Result } from '@breakwater/core'
import { SocketDriver } from '../net/driver.ts'
import type { NetDriver } from '../net/driver.ts'
import type {
  Accept,
  ConnectOptions,
  Connecting,
  ListenOptions,
  Listener,
  Transport,
  TransportHandler,
} from '../transport.ts'
import { FfiConnecting } from './connecting.ts'
import { Inbox } from './inbox.ts'
import { loadLibc } from './libc.ts'
import type { Libc } from './libc.ts'
import { FfiListener } from './listener.ts'
import { BOX_BYTES, Outbox } from './outbox.ts'
import { Poller } from './poller.ts'
import { probe } from './probe.ts'
import { Sockets } from './sockets.ts'
import type { Shared } from './transport.ts'

/**
 * Opens a driver that makes its system calls itself, through `node:ffi`, and waits with an epoll instance of its own inside Node's
 * event loop: no stream, no handle and no object of Node stands behind a connection. Linux on x64 and arm64, main thread, Node 26.1 and later;
 * TLS is still spoken through `node:tls`. Experimental, as `node:ffi` is.
 *
 * @returns failed with the reason, in words, where this process cannot have it: `openNetDriver` always can.
 */
export function openFfiDriver(): Result<NetDriver, string> {
  const libc = loadLibc()
  if (!libc.ok) return libc
  try {
    const problem = probe(libc.value)
    return problem === undefined ? ok(new FfiDriver(libc.value)) : failed(problem)
  } catch (cause) {
    return failed(messageOf(cause))
  }
}

class FfiDriver implements NetDriver {
  /** Whatever speaks TLS. The same turns, the same wheel. */
  readonly #net = new SocketDriver()
  readonly #listeners = new Set<Listener>()
  readonly #shared: Shared

  constructor(libc: Libc) {
    const { turns } = this.#net
    const outbox = new Outbox(libc, turns)
    this.#shared = {
      libc,
      sockets: new Sockets(libc),
      turns,
      poller: new Poller(libc, turns, outbox),
      outbox,
      inbox: new Inbox(libc),
      staging: libc.allocate(BOX_BYTES),
      open: new Set(),
    }
  }

  get clock(): Clock {
    return this.#net.clock
  }

  get wheel(): DeadlineWheel {
    return this.#net.wheel
  }

  async listen(options: ListenOptions, accept: Accept): Promise<Listener> {
    const owner = { ...this.#net.owner, onClose: () => this.#listeners.delete(listener) }
    const listener: FfiListener = await FfiListener.open(options, accept, owner, this.#shared)
    this.#listeners.add(listener)
    return listener
  }

  connect(
    options: ConnectOptions,
    onOpen: (transport: Transport, nowMs: number) => TransportHandler,
    onError: (error: Error, nowMs: number) => void,
  ): Connecting {
    if (options.tls !== undefined) return this.#net.connect(options, onOpen, onError)
    return new FfiConnecting(this.#shared, options, { onOpen, onError })
  }

  async close(): Promise<void> {
    // In one go: whatever begins between two steps of it would stay open.
    for (const listener of this.#listeners) void listener.close()
    for (const open of this.#shared.open) open.destroy()
    this.#shared.poller.close()
    await this.#net.close()
  }
}
