import type { Transport, TransportHandler } from '../transport.ts'

/** A connection that left HTTP: bytes only from here on. */
export interface Upgraded {
  readonly transport: Transport
  /** Gives the bytes to `handler`: at once those that came with the last head, then the rest. Call once. */
  attach(handler: TransportHandler, nowMs: number): void
}

/** Implements `Upgraded` for a connection state machine, which forwards its transport's events here. */
export class Handover implements Upgraded, TransportHandler {
  readonly transport: Transport
  #early: Uint8Array | undefined
  #handler: TransportHandler | undefined
  #ended = false
  #closed = false

  constructor(transport: Transport, early: Uint8Array | undefined) {
    this.transport = transport
    this.#early = early
    transport.pause()
  }

  attach(handler: TransportHandler, nowMs: number): void {
    this.#handler = handler
    const early = this.#early
    this.#early = undefined
    this.transport.resume()
    if (early !== undefined) handler.onBytes(early, nowMs)
    if (this.#ended) handler.onEnd(nowMs)
    if (this.#closed) handler.onClose(nowMs)
  }

  onBytes(bytes: Uint8Array, nowMs: number): void {
    if (this.#handler !== undefined) this.#handler.onBytes(bytes, nowMs)
    else this.#early = this.#early === undefined ? Buffer.from(bytes) : Buffer.concat([this.#early, bytes])
  }

  onDrain(nowMs: number): void {
    this.#handler?.onDrain(nowMs)
  }

  onEnd(nowMs: number): void {
    this.#ended = true
    this.#handler?.onEnd(nowMs)
  }

  onClose(nowMs: number, error?: Error): void {
    this.#closed = true
    this.#handler?.onClose(nowMs, error)
  }
}
