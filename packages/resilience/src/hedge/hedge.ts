import type { Timer } from '@breakwater/core'
import type { Call, OwnedCall } from '../call.ts'
import { errors } from '../errors.ts'
import { hasMark, markedCall } from '../internal/call-node.ts'
import { OptionCheck } from '../internal/option-check.ts'
import { publish } from '../internal/events.ts'
import type { RetryBudget } from '../retry/budget.ts'
import type { Layer, Service } from '../service.ts'
import type { HedgeDelay } from './hedge-delay.ts'

export interface HedgeOptions<Request, Response> {
  /** When a call is late. */
  readonly delay: HedgeDelay
  /** The kind of a request, for the percentile: an endpoint or a method, never an id. Default: one kind. */
  readonly keyOf?: (request: Request) => string
  /** Whether a request may run twice at the same time. Default: never. */
  readonly replayable?: (request: Request) => boolean
  /** Shared with the retries of the same dependency. Exhausted, it stops new hedges and touches nothing under way. */
  readonly budget: RetryBudget
  /** Extra attempts for one call. A whole number, 1 or more. Default 1. */
  readonly maxHedges?: number
  /** Takes the answer of a loser that ignored its abort, to release what it holds. */
  readonly onLate?: (response: Response) => void
  /** Decide and count (event `hedge.suppressed`, reason `dark`), but start nothing. Default false. */
  readonly dark?: boolean
}

/**
 * Starts a second attempt when the first is slower than its kind usually is, commits to the first answer and aborts the
 * others with `BW_RESILIENCE_HEDGE_LOST`. An attempt that fails while another is under way does not end the call.
 *
 * @throws what the first failing attempt threw, when all have failed.
 * @throws the call's `abortReason`, untouched and at once, when the caller aborts.
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` at construction.
 */
export function hedge<Request, Response>(options: HedgeOptions<Request, Response>): Layer<Request, Response> {
  const { replayable = () => false, maxHedges = 1, budget } = options
  new OptionCheck('hedge').whole('maxHedges', maxHedges, 1).done()
  return (inner) => async (request, call) => {
    if (call.aborted) throw call.abortReason
    if (!replayable(request)) return inner(request, call)
    if (!hasMark(call, budget)) budget.deposit(call.clock.now())
    return new Race(inner, request, call, options, maxHedges).run()
  }
}

class Race<Request, Response> {
  readonly #inner: Service<Request, Response>
  readonly #request: Request
  readonly #call: Call
  readonly #options: HedgeOptions<Request, Response>
  readonly #maxHedges: number
  readonly #key: string
  readonly #startedMs: number
  readonly #attempts: OwnedCall[] = []
  readonly #outcome: PromiseWithResolvers<Response> = Promise.withResolvers()
  #pending = 0
  #isOver = false
  #isFirstFailed = false
  #failure: { readonly error: unknown } | undefined
  #timer: Timer | undefined

  constructor(
    inner: Service<Request, Response>,
    request: Request,
    call: Call,
    options: HedgeOptions<Request, Response>,
    maxHedges: number,
  ) {
    this.#inner = inner
    this.#request = request
    this.#call = call
    this.#options = options
    this.#maxHedges = maxHedges
    this.#key = options.keyOf?.(request) ?? ''
    this.#startedMs = call.clock.now()
  }

  async run(): Promise<Response> {
    const subscription = this.#call.onAbort((reason) => {
      if (!this.#end()) return
      this.#outcome.reject(reason)
    })
    this.#launch()
    this.#armNext()
    try {
      return await this.#outcome.promise
    } finally {
      subscription.cancel()
      for (const attempt of this.#attempts) attempt[Symbol.dispose]()
    }
  }

  #armNext(): void {
    if (this.#isOver || this.#attempts.length > this.#maxHedges) return
    const { clock } = this.#call
    const delayMs = this.#options.delay.delayMs(this.#key, clock.now())
    if (delayMs === Infinity) return
    this.#timer = clock.schedule(delayMs, () => this.#hedge())
  }

  #hedge(): void {
    const { budget, dark = false } = this.#options
    if (this.#isOver) return
    if (dark || !budget.withdraw(this.#call.clock.now())) {
      publish({ name: 'hedge.suppressed', key: this.#key, reason: dark ? 'dark' : 'budget' })
      return
    }
    publish({ name: 'hedge.started', key: this.#key, attempt: this.#attempts.length + 1 })
    this.#launch()
    this.#armNext()
  }

  #launch(): void {
    const number = this.#attempts.length
    const attempt = markedCall(this.#call, this.#call.attempt + number, this.#options.budget)
    this.#attempts.push(attempt)
    this.#pending++
    // A service that throws before its first await must not take the race down with it.
    const started = (async () => this.#inner(this.#request, attempt))()
    started.then(
      (response) => this.#onResponse(number, response),
      (error: unknown) => this.#onError(number, error),
    )
  }

  #onResponse(number: number, response: Response): void {
    if (!this.#end()) {
      this.#options.onLate?.(response)
      return
    }
    const nowMs = this.#call.clock.now()
    if (!this.#isFirstFailed) this.#options.delay.record(this.#key, nowMs - this.#startedMs, nowMs)
    if (number > 0) publish({ name: 'hedge.won', key: this.#key, attempt: number + 1 })
    this.#outcome.resolve(response)
    for (const [index, attempt] of this.#attempts.entries()) if (index !== number) attempt.abort(lost())
  }

  #onError(number: number, error: unknown): void {
    this.#pending--
    if (number === 0) this.#isFirstFailed = true
    this.#failure ??= { error }
    if (this.#pending > 0 || !this.#end()) return
    this.#outcome.reject(this.#failure.error)
  }

  /** True for the first that ends the race. */
  #end(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.#timer?.cancel()
    return true
  }
}

function lost(): Error {
  return errors.BW_RESILIENCE_HEDGE_LOST('another attempt of this call answered first')
}
