import { errors } from '../errors.ts'
import type { HttpError } from '../errors.ts'
import { LazyTimer } from '../internal/lazy-timer.ts'
import type { Timing } from '../internal/lazy-timer.ts'
import type { Transport } from '../transport.ts'
import type { ResolvedServerOptions } from './options.ts'

/** Judges how fast a body arrives: silence, and bytes per window. Time that we spend holding the client back does not count. */
export class BodyWatch {
  readonly #options: ResolvedServerOptions
  #paused = false
  #bytes = 0
  #windowEndMs = 0
  #pausedSinceMs = 0
  #pausedMs = 0
  #lastByteMs = 0

  constructor(options: ResolvedServerOptions) {
    this.#options = options
  }

  get paused(): boolean {
    return this.#paused
  }

  start(nowMs: number): void {
    this.#paused = false
    this.#lastByteMs = nowMs
    this.#openWindow(nowMs)
  }

  received(bytes: number, nowMs: number): void {
    this.#bytes += bytes
    this.#lastByteMs = nowMs
  }

  pause(nowMs: number): void {
    this.#paused = true
    this.#pausedSinceMs = nowMs
  }

  resume(nowMs: number): void {
    this.#paused = false
    this.#pausedMs += nowMs - this.#pausedSinceMs
    this.#lastByteMs = nowMs
  }

  /** When `judge` has something to look at. */
  nextMs(): number {
    const idleAtMs = this.#paused ? Infinity : this.#lastByteMs + this.#options.bodyIdleTimeoutMs
    return Math.min(this.#windowEndMs, idleAtMs)
  }

  judge(nowMs: number): HttpError | undefined {
    const { bodyIdleTimeoutMs, minBytesPerSecond, rateWindowMs } = this.#options
    if (!this.#paused && nowMs >= this.#lastByteMs + bodyIdleTimeoutMs) {
      return errors.BW_HTTP_REQUEST_TIMEOUT(`no byte of the body for ${bodyIdleTimeoutMs} ms`)
    }
    if (nowMs < this.#windowEndMs) return undefined
    const bytes = this.#bytes
    const pausedMs = this.#pausedMs + (this.#paused ? nowMs - this.#pausedSinceMs : 0)
    const honest = bytes >= (minBytesPerSecond * (rateWindowMs - pausedMs)) / 1000
    this.#openWindow(nowMs)
    if (honest) return undefined
    const message = `${bytes} bytes of the body in ${rateWindowMs} ms, at least ${minBytesPerSecond} a second are asked`
    return errors.BW_HTTP_REQUEST_TIMEOUT(message)
  }

  #openWindow(nowMs: number): void {
    this.#bytes = 0
    this.#pausedMs = 0
    this.#pausedSinceMs = nowMs
    this.#windowEndMs = nowMs + this.#options.rateWindowMs
  }
}

/** Judges how fast a client takes an answer that waits for it. */
export class StallWatch {
  readonly #transport: Transport
  readonly #timing: Timing
  readonly #options: ResolvedServerOptions
  readonly #onStall: (error: HttpError, nowMs: number) => void
  #timer: LazyTimer | undefined
  /** What had been taken when it was looked at last. Bytes. */
  #mark = 0
  blocked: boolean = false

  constructor(
    transport: Transport,
    timing: Timing,
    options: ResolvedServerOptions,
    onStall: (error: HttpError, nowMs: number) => void,
  ) {
    this.#transport = transport
    this.#timing = timing
    this.#options = options
    this.#onStall = onStall
  }

  /** The transport said stop. */
  block(): void {
    if (this.blocked) return
    this.blocked = true
    this.#mark = this.#takenBytes
    this.#timer ??= new LazyTimer(this.#timing.wheel, (nowMs) => this.#judge(nowMs))
    this.#timer.set(this.#timing.clock.now() + this.#options.writeStallTimeoutMs)
  }

  /** The transport has room again. Returns whether it had none. */
  drained(): boolean {
    const was = this.blocked
    this.blocked = false
    this.#timer?.clear()
    return was
  }

  release(): void {
    this.#timer?.release()
  }

  get #takenBytes(): number {
    return this.#transport.writtenBytes - this.#transport.bufferedBytes
  }

  #judge(nowMs: number): void {
    if (!this.blocked) return
    const { minBytesPerSecond, writeStallTimeoutMs } = this.#options
    const taken = this.#takenBytes
    const progress = taken - this.#mark
    if (progress > 0 && progress >= (minBytesPerSecond * writeStallTimeoutMs) / 1000) {
      this.#mark = taken
      this.#timer?.set(nowMs + writeStallTimeoutMs)
      return
    }
    this.#onStall(
      errors.BW_HTTP_CLIENT_STALLED(`the client took ${progress} bytes in ${writeStallTimeoutMs} ms`),
      nowMs,
    )
  }
}
