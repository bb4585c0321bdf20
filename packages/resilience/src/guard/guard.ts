import type { CircuitBreaker } from '../breaker/circuit-breaker.ts'
import { REFUSED } from '../breaker/circuit-breaker.ts'
import type { Outcome } from '../breaker/outcome.ts'
import { OptionCheck } from '../internal/option-check.ts'
import type { RetryBudget } from '../retry/budget.ts'

export interface GuardOptions {
  /** Calls a second, on average. Above 0; `Infinity` (the default): no limit. */
  readonly ratePerSecond?: number
  /** Calls that may come at once. A whole number, 1 or more. Default: one second's worth, at least 1. */
  readonly burst?: number
  /** Calls under way at the same time. A whole number, 1 or more, or `Infinity` (the default): no limit. */
  readonly maxInFlight?: number
  readonly breaker: CircuitBreaker
  /** Earns its share of every admitted call. */
  readonly budget: RetryBudget
  /** Calls with less time left than this are refused. Milliseconds, 0 or more. Default 0. */
  readonly minRemainingMs?: number
  /** Decide and count, but refuse nobody. Default false. */
  readonly dark?: boolean
}

export type GuardRefusal = 'deadline' | 'breaker' | 'in-flight' | 'rate'

const REFUSALS: readonly GuardRefusal[] = ['deadline', 'breaker', 'in-flight', 'rate']

/** The reason behind a negative answer of `Guard.enter`. */
export function guardRefusalOf(decision: number): GuardRefusal {
  return REFUSALS[-1 - decision] ?? 'deadline'
}

/**
 * All policies of one dependency in one synchronous step: deadline, breaker, calls in flight, token bucket (GCRA, ITU-T
 * I.371), retry budget. For the data path: no promise, no closure, no allocation. What takes something (the token, the
 * probe) comes last, so that a refusal takes nothing.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` at construction.
 */
export class Guard {
  readonly breaker: CircuitBreaker
  readonly budget: RetryBudget
  dark: boolean
  readonly counters: Record<GuardRefusal | 'wouldRefuse', number> = {
    deadline: 0,
    breaker: 0,
    'in-flight': 0,
    rate: 0,
    wouldRefuse: 0,
  }
  readonly #maxInFlight: number
  readonly #minRemainingMs: number
  /** Time between two calls at the full rate. */
  readonly #emissionMs: number
  /** How far the schedule may run ahead of the clock. */
  readonly #toleranceMs: number
  /** When the next call is due at the full rate. */
  #dueMs = -Infinity
  #inFlight = 0

  constructor(options: GuardOptions) {
    const { ratePerSecond = Infinity, maxInFlight = Infinity, minRemainingMs = 0, dark = false } = options
    const burst = options.burst ?? Math.max(1, ratePerSecond === Infinity ? 1 : Math.floor(ratePerSecond))
    const check = new OptionCheck('guard')
      .above0('ratePerSecond', ratePerSecond)
      .whole('burst', burst, 1)
      .from0('minRemainingMs', minRemainingMs)
    if (maxInFlight !== Infinity) check.whole('maxInFlight', maxInFlight, 1)
    check.done()
    this.breaker = options.breaker
    this.budget = options.budget
    this.dark = dark
    this.#maxInFlight = maxInFlight
    this.#minRemainingMs = minRemainingMs
    this.#emissionMs = 1000 / ratePerSecond
    this.#toleranceMs = (burst - 1) * this.#emissionMs
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /**
   * A permit (0 or more) to call now, which is given back with `leave`, or a negative number that `guardRefusalOf`
   * explains. `deadlineMs` is `Infinity` for a call without one.
   */
  enter(nowMs: number, deadlineMs: number): number {
    const refusal = this.#refusal(nowMs, deadlineMs)
    if (refusal < 0) {
      if (!this.dark) return this.#refuse(refusal)
      this.counters.wouldRefuse++
    }
    const permit = this.breaker.admit(nowMs)
    if (permit === REFUSED && !this.dark) return this.#refuse(-2)
    this.#dueMs = Math.max(this.#dueMs, nowMs) + this.#emissionMs
    this.#inFlight++
    this.budget.deposit(nowMs)
    return permit === REFUSED ? 0 : permit
  }

  /** The call is over: frees its place and tells the breaker. */
  leave(permit: number, outcome: Outcome, durationMs: number, nowMs: number): void {
    this.#inFlight--
    if (outcome === 'success') this.breaker.onSuccess(permit, durationMs, nowMs)
    else if (outcome === 'failure') this.breaker.onFailure(permit, durationMs, nowMs)
    else this.breaker.onIgnored(permit)
  }

  /** Whether the budget has an extra attempt, for a retry or a hedge. Takes it. */
  mayRepeat(nowMs: number): boolean {
    return this.budget.withdraw(nowMs)
  }

  /** When a call refused for `rate` may come again, from `nowMs`. Milliseconds. */
  retryAfterMs(nowMs: number): number {
    return Math.max(this.breaker.retryAfterMs(nowMs), this.#dueMs - this.#toleranceMs - nowMs, 0)
  }

  #refusal(nowMs: number, deadlineMs: number): number {
    const leftMs = deadlineMs - nowMs
    if (leftMs <= 0 || leftMs < this.#minRemainingMs) return -1
    if (!this.breaker.mayAdmit(nowMs)) return -2
    if (this.#inFlight >= this.#maxInFlight) return -3
    return this.#dueMs - this.#toleranceMs > nowMs ? -4 : 0
  }

  #refuse(decision: number): number {
    if (decision === -1) this.counters.deadline++
    else if (decision === -2) this.counters.breaker++
    else if (decision === -3) this.counters['in-flight']++
    else this.counters.rate++
    return decision
  }
}
