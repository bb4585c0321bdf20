import type { Transport, TransportHandler } from '@breakwater/http'

import type { SimWorld } from './world.ts'

/** A connection that speaks bytes, for attackers who do not keep to the rules. */
export class RawClient implements TransportHandler {
  readonly #world: SimWorld
  #transport: Transport | undefined
  #queued = ''
  /** Everything received so far, latin1. */
  received: string = ''
  /** When the connection was closed by the other side or lost; `undefined` while it stands or is being made. */
  closedMs: number | undefined
  /** Whether the connection was refused. */
  isRefused: boolean = false

  private constructor(world: SimWorld) {
    this.#world = world
  }

  /** Begins to connect from the host `from`. What is written before it stands is sent then. */
  static open(
    world: SimWorld,
    from: string,
    to: { readonly host: string; readonly port: number },
  ): RawClient {
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
    const next = (index: number): void => {
      if (index >= text.length || this.closedMs !== undefined) return
      this.write(text.charAt(index))
      this.#world.clock.schedule(everyMs, () => next(index + 1))
    }
    next(0)
  }

  /** Stops reading: the other side's answer piles up on its side. */
  pause(): void {
    this.#transport?.pause()
  }

  close(): void {
    this.#transport?.destroy()
    this.closedMs ??= this.#world.clock.now()
  }

  onBytes(bytes: Uint8Array): void {
    this.received += Buffer.from(bytes).toString('latin1')
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
