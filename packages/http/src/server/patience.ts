import { errors } from '../errors.ts'
import type { HttpError } from '../errors.ts'
import { LazyTimer } from '../internal/lazy-timer.ts'
import type { Timing } from '../internal/lazy-timer.ts'
import { DRAIN_GRACE_MS } from './options.ts'
import type { ResolvedServerOptions } from './options.ts'
import { BodyWatch } from './watches.ts'

/** What a server connection waits for, which decides what a passed deadline means. */
export type Awaited = 'first byte' | 'head' | 'body' | 'next request' | 'nothing'

/** How long a server connection waits for its client, and for what. */
export class Patience {
  readonly #timing: Timing
  readonly #options: ResolvedServerOptions
  readonly #body: BodyWatch
  readonly #timer: LazyTimer
  #awaited: Awaited = 'first byte'

  /** `onExpire`: it is time to `judge`. */
  constructor(
    timing: Timing,
    options: ResolvedServerOptions,
    onExpire: (nowMs: number) => void,
    nowMs: number,
  ) {
    this.#timing = timing
    this.#options = options
    this.#body = new BodyWatch(options)
    this.#timer = new LazyTimer(timing.wheel, onExpire)
    this.#timer.set(nowMs + options.firstByteTimeoutMs)
  }

  get awaited(): Awaited {
    return this.#awaited
  }

  awaitHead(nowMs: number): void {
    this.#awaited = 'head'
    this.#timer.set(nowMs + this.#options.headTimeoutMs)
  }

  awaitBody(): void {
    this.#awaited = 'body'
    this.#body.start(this.#timing.clock.now())
    this.#timer.set(this.#body.nextMs())
  }

  awaitRequest(): void {
    this.#awaited = 'next request'
    this.#timer.set(this.#timing.clock.now() + this.#options.keepAliveTimeoutMs)
  }

  /** It is our turn, or nobody's any more. */
  awaitNothing(): void {
    this.#awaited = 'nothing'
    this.#timer.clear()
  }

  /** No request is welcome any more, but one that is on its way already. */
  drain(): void {
    if (this.#awaited === 'first byte' || this.#awaited === 'next request')
      this.#timer.set(this.#timing.clock.now() + DRAIN_GRACE_MS)
  }

  /** Part of the body has come. */
  received(bytes: number, nowMs: number): void {
    this.#body.received(bytes, nowMs)
  }

  /** Whether it is us who hold the body back. */
  get isPaused(): boolean {
    return this.#body.paused
  }

  pause(): void {
    this.#body.pause(this.#timing.clock.now())
  }

  resume(): void {
    this.#body.resume(this.#timing.clock.now())
    this.#timer.set(this.#body.nextMs())
  }

  /** For the end of the connection. */
  release(): void {
    this.#awaited = 'nothing'
    this.#timer.release()
  }

  /** Nobody has to send a request before the answer to the last one has left. */
  postpone(nowMs: number): void {
    this.#timer.set(nowMs + this.#options.lingerTimeoutMs)
  }

  /** Why the client is no longer waited for; undefined when it still is. */
  judge(nowMs: number): HttpError | 'no request' | undefined {
    switch (this.#awaited) {
      case 'head':
        return errors.BW_HTTP_REQUEST_TIMEOUT(`no complete head within ${this.#options.headTimeoutMs} ms`)
      case 'body': {
        const error = this.#body.judge(nowMs)
        if (error === undefined) this.#timer.set(this.#body.nextMs())
        return error
      }
      case 'first byte':
      case 'next request':
        return 'no request'
      case 'nothing':
        return undefined
    }
  }
}
