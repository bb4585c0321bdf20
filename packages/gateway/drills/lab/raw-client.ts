import type { Clock } from '@breakwater/core'
import type { Driver, Transport, TransportHandler } from '@breakwater/http'

/** Where raw clients play: a simulated world, or real sockets under the name of a single host. */
export interface Wire {
  readonly clock: Clock
  host(name: string): Driver
}

/** A connection that speaks bytes, for attackers who do not keep to the rules. */
export class RawClient implements TransportHandler {
  readonly #world: Wire
  #transport: Transport | undefined
  #queued = ''
  #pauseAfterBytes = Infinity
  /** Everything received so far, latin1. */
  received: string = ''
  /** When the connection was closed by the other side or lost; `undefined` while it stands or is being made. */
  closedMs: number | undefined
  /** Whether the connection was refused. */
  isRefused: boolean = false

  private constructor(world: Wire) {
    this.#world = world
  }

  /** Begins to connect from the host `from`. What is written before it stands is sent then. */
  static open(world: Wire, from: string, to: { readonly host: string; readonly port: number }): RawClient {
    const client = new RawClient(world)
    world.host(from).connect(
      { host: to.host, port: to.port },
      (transport) => {
        client.#transport = transport
        if (client.#queued !== '') transport.write(client.#queued)
        return client
      },
      (_error, nowMs) => {
        client.isRefused = true
        client.closedMs = nowMs
      },
    )
    return client
  }

  get isOpen(): boolean {
    return this.#transport !== undefined && this.closedMs === undefined
  }

  /** Bytes as latin1. */
  write(text: string): void {
    if (this.#transport === undefined) this.#queued += text
    else if (this.closedMs === undefined) this.#transport.write(text)
  }

  /** Sends `text` one byte at a time, one every `everyMs`, for as long as the connection stands. */
  trickle(text: string, everyMs: number): void {
    this.dribble(text, 1, everyMs)
  }

  /** Sends `text` in pieces of `bytes`, one every `everyMs`, for as long as the connection stands. */
  dribble(text: string, bytes: number, everyMs: number): void {
    const next = (index: number): void => {
      if (index >= text.length || this.closedMs !== undefined) return
      this.write(text.slice(index, index + bytes))
      this.#world.clock.schedule(everyMs, () => next(index + bytes))
    }
    next(0)
  }

  /** Reads no more once this many bytes have come: the rest of the answer piles up on the other side. */
  pauseAfter(bytes: number): void {
    this.#pauseAfterBytes = bytes
  }

  /** Bytes that are on their way or still wait to leave. */
  get bufferedBytes(): number {
    return this.#transport?.bufferedBytes ?? this.#queued.length
  }

  /** Stops reading: the other side's answer piles up on its side. */
  pause(): void {
    this.#transport?.pause()
  }

  /** Reads on. */
  resume(): void {
    this.#pauseAfterBytes = Infinity
    this.#transport?.resume()
  }

  close(): void {
    this.#transport?.destroy()
    this.closedMs ??= this.#world.clock.now()
  }

  onBytes(bytes: Uint8Array): void {
    this.received += Buffer.from(bytes).toString('latin1')
    if (this.received.length >= this.#pauseAfterBytes) this.pause()
  }

  onDrain(): void {}

  onEnd(nowMs: number): void {
    this.closedMs ??= nowMs
    this.#transport?.end()
  }

  onClose(nowMs: number): void {
    this.closedMs ??= nowMs
  }
}
