import { LazyTimer } from '../internal/lazy-timer.ts'
import type { Timing } from '../internal/lazy-timer.ts'
import type { Transport, TransportHandler } from '../transport.ts'
import { MAX_DISCARD_BYTES } from './options.ts'
import type { ResolvedServerOptions } from './options.ts'
import type { StallWatch } from './watches.ts'

/**
 * The end of a connection that we close: our side is closed, and the client's is read for a while and dropped, because a reset
 * would destroy the answer in the client's buffer (RFC 9112 §9.6). Takes the transport's events from then on.
 */
export class Linger implements TransportHandler {
  readonly #transport: Transport
  readonly #timing: Timing
  readonly #options: ResolvedServerOptions
  readonly #output: StallWatch
  readonly #timer: LazyTimer
  #discardedBytes = 0
  /** What had not left yet when it was looked at last. */
  #leftBytes = Infinity

  constructor(transport: Transport, timing: Timing, options: ResolvedServerOptions, output: StallWatch) {
    this.#transport = transport
    this.#timing = timing
    this.#options = options
    this.#output = output
    this.#timer = new LazyTimer(timing.wheel, (nowMs) => this.#expired(nowMs))
  }

  begin(hasInputEnded: boolean): void {
    this.#transport.end()
    if (hasInputEnded && this.#transport.bufferedBytes === 0) return this.#transport.destroy()
    this.#transport.resume()
    this.#timer.set(this.#timing.clock.now() + this.#options.lingerTimeoutMs)
  }

  onBytes(bytes: Uint8Array): void {
    this.#discardedBytes += bytes.length
    if (this.#discardedBytes > MAX_DISCARD_BYTES * 16) this.#transport.destroy()
  }

  onDrain(): void {
    this.#output.drained()
  }

  onEnd(): void {
    // Both sides have ended: the transport closes by itself as soon as our last words are out.
    if (this.#transport.bufferedBytes === 0) this.#transport.destroy()
  }

  onClose(): void {
    this.#timer.release()
  }

  /** A slow client keeps its connection as long as it takes something of the answer. */
  #expired(nowMs: number): void {
    const { bufferedBytes } = this.#transport
    if (bufferedBytes > 0 && (this.#output.blocked || bufferedBytes < this.#leftBytes)) {
      this.#leftBytes = bufferedBytes
      this.#timer.set(nowMs + this.#options.writeStallTimeoutMs)
    } else this.#transport.destroy()
  }
}
