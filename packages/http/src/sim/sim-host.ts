import type { Clock, DeadlineWheel } from '@breakwater/core'
import { errors } from '../errors.ts'
import type {
  Accept,
  Connecting,
  ConnectOptions,
  Driver,
  Listener,
  ListenerSettings,
  ListenOptions,
  Transport,
  TransportHandler,
} from '../transport.ts'
import type { Waiter } from './faults.ts'
import { SimTransport } from './sim-transport.ts'
import type { Standing, TransportOptions } from './sim-transport.ts'
import { SimWheel } from './sim-wheel.ts'
import type { Turns } from './turns.ts'

type Open = (transport: Transport, nowMs: number) => TransportHandler

/** Opens connections between hosts: the network. */
export interface Wires {
  connect(
    from: SimHost,
    options: ConnectOptions,
    onOpen: Open,
    onError: (error: Error, nowMs: number) => void,
  ): Connecting
}

/** A port that somebody listens on. */
export class SimListener implements Listener {
  readonly host: string
  readonly port: number
  isSecure: boolean
  readonly backlog: number
  #maxConnections: number
  #accept: Accept
  readonly #onClose: () => void
  connections: number = 0

  constructor(host: string, port: number, options: ListenOptions, accept: Accept, onClose: () => void) {
    this.host = host
    this.port = port
    this.isSecure = options.tls !== undefined
    this.backlog = options.backlog ?? 511
    this.#maxConnections = options.maxConnections ?? Infinity
    this.#accept = accept
    this.#onClose = onClose
  }

  get isFull(): boolean {
    return this.connections >= this.#maxConnections
  }

  /** Hands a connection to the owner of the port. Inside a turn. */
  take(transport: SimTransport, nowMs: number): void {
    this.connections++
    transport.own(this.#accept(transport, nowMs))
  }

  prepare({ tls, maxConnections = Infinity }: ListenerSettings, accept: Accept): () => void {
    return () => {
      this.isSecure = tls !== undefined
      this.#maxConnections = maxConnections
      this.#accept = accept
    }
  }

  close(): Promise<void> {
    this.#onClose()
    return Promise.resolve()
  }
}

/** One machine of the network: ports, connections, its own deadline wheel. It may stand still, or crash. */
export class SimHost implements Driver, Standing {
  readonly name: string
  readonly address: string
  readonly wheel: DeadlineWheel
  readonly #turns: Turns
  readonly #wires: Wires
  readonly #simWheel: SimWheel
  readonly #listeners = new Map<number, SimListener>()
  readonly #owners = new Map<SimTransport, SimListener | undefined>()
  #acceptQueue: { readonly transport: SimTransport; readonly listener: SimListener }[] = []
  #waiting: Waiter[] = []
  #isStill = false
  #nextPort = 49_152

  constructor(name: string, address: string, turns: Turns, wires: Wires) {
    this.name = name
    this.address = address
    this.#turns = turns
    this.#wires = wires
    this.#simWheel = new SimWheel(turns, () => this.#isStill)
    this.wheel = this.#simWheel
  }

  get clock(): Clock {
    return this.#turns.clock
  }

  /** Connections with an end on this host that are not closed. */
  get openConnections(): number {
    return this.#owners.size
  }

  async listen(options: ListenOptions, accept: Accept): Promise<Listener> {
    const port = options.port === 0 ? this.ephemeralPort() : options.port
    if (this.#listeners.has(port))
      throw errors.BW_HTTP_LISTEN_FAILED(`port ${port} of ${this.name} is taken`, {
        details: { host: options.host, port },
      })
    const listener = new SimListener(options.host, port, options, accept, () => this.#listeners.delete(port))
    this.#listeners.set(port, listener)
    return listener
  }

  connect(options: ConnectOptions, onOpen: Open, onError: (error: Error, nowMs: number) => void): Connecting {
    return this.#wires.connect(this, options, onOpen, onError)
  }

  ephemeralPort(): number {
    const port = this.#nextPort
    this.#nextPort = port === 65_535 ? 49_152 : port + 1
    return port
  }

  listenerAt(port: number): SimListener | undefined {
    return this.#listeners.get(port)
  }

  /** Whether the accept queue of `listener` has room for one more. */
  hasRoom(listener: SimListener): boolean {
    let queued = 0
    for (const entry of this.#acceptQueue) if (entry.listener === listener) queued++
    return queued < listener.backlog
  }

  createTransport(options: TransportOptions): SimTransport {
    const transport = new SimTransport(this.#turns, this, options)
    this.#owners.set(transport, undefined)
    return transport
  }

  /** A connection has come in: it waits in the accept queue while the host stands still. */
  arrive(transport: SimTransport, listener: SimListener): void {
    this.#acceptQueue.push({ transport, listener })
    if (!this.#isStill) this.#acceptAll()
  }

  waitWhileStill(waiter: Waiter): boolean {
    if (this.#isStill) this.#waiting.push(waiter)
    return this.#isStill
  }

  onClosed(transport: SimTransport): void {
    const listener = this.#owners.get(transport)
    if (listener !== undefined) listener.connections--
    this.#owners.delete(transport)
  }

  /** From now on nothing on this host runs: neither deadlines nor deliveries. Its kernel still completes handshakes. */
  freeze(): void {
    this.#isStill = true
  }

  thaw(): void {
    if (!this.#isStill) return
    this.#isStill = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const waiter of waiting) waiter.goOn()
    this.#simWheel.goOn()
    this.#acceptAll()
  }

  /** Loses every connection and every port at once, as a killed process does. Its own side hears of it too. */
  crash(): void {
    this.#listeners.clear()
    this.#acceptQueue = []
    for (const transport of this.#owners.keys()) transport.onBreak('reset')
  }

  #acceptAll(): void {
    const queue = this.#acceptQueue
    this.#acceptQueue = []
    for (const { transport, listener } of queue) {
      if (transport.isGone) continue
      if (listener.isFull) {
        transport.destroy()
        continue
      }
      this.#owners.set(transport, listener)
      const nowMs = this.#turns.enter()
      listener.take(transport, nowMs)
      this.#turns.leave()
    }
  }
}
