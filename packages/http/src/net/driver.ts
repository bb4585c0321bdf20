import type { Socket } from 'node:net'
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
import { NetConnecting } from './connecting.ts'
import type { SharedSockets } from './connecting.ts'
import type { EntranceOwner } from './entrance.ts'
import { NetListener } from './listener.ts'
import { own } from './owned.ts'
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
  readonly #shared: SharedSockets = {
    turns: this.turns,
    open: new Set<Socket>(),
    // libuv reads when data is there, and every reader is done with it before the next read. Not on Windows, where a read is
    // posted with its buffer and completes later.
    inbox: process.platform === 'win32' ? undefined : Buffer.allocUnsafeSlow(READ_BYTES),
  }

  /** For whoever opens ports for this driver. */
  readonly owner: EntranceOwner = {
    own: (socket) => own(socket, this.#shared.open),
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
    return new NetConnecting(options, { onOpen, onError }, this.#shared)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.close()))
    for (const socket of this.#shared.open) socket.destroy()
    this.wheel.stop()
  }

  #take(socket: Socket, secure: boolean, accept: Accept): void {
    own(socket, this.#shared.open)
    const transport = new NetTransport(socket, this.turns, secure)
    this.turns.run((nowMs) => transport.bind(accept(transport, nowMs), true))
  }
}
