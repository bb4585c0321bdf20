import type { Random } from '@breakwater/core'
import { OptionCheck } from '../internal/option-check.ts'
import type { RetryBudget } from './budget.ts'

export interface RetryPolicyOptions {
  /** Tries in all, the first included. A whole number, 1 or more. Default 3. */
  readonly maxAttempts?: number
  /** No new try begins later than this after the first began. Milliseconds, above 0. Default `Infinity`. */
  readonly maxElapsedMs?: number
  /** Upper bound of the first wait; the real wait is uniform below the bound ("full jitter"). Milliseconds, 0 or more. Default 100. */
  readonly initialBackoffMs?: number
  /** Upper bound of every wait. Milliseconds, `initialBackoffMs` or more. Default 10 000. */
  readonly maxBackoffMs?: number
  /** Growth of the bound from one wait to the next. 1 or more. Default 2. */
  readonly backoffGrowth?: number
  /** A server that asks for more patience than this is not tried again. Milliseconds, 0 or more. Default 30 000. */
  readonly maxRetryAfterMs?: number
  /** Shared by everything that repeats calls to one dependency. Without it a retry storm has no bound. */
  readonly budget: RetryBudget
  /** Decide and count, but do not retry. Default false. */
  readonly dark?: boolean
}

export interface RetryDeps {
  /** Default `Math.random`. */
  readonly random?: Random
}

/** Why a failed call is not tried again. `attempts` and `not-replayable` are ordinary; the rest are suppressed retries. */
export type RetryRefusal =
  | 'not-replayable'
  | 'attempts'
  | 'elapsed'
  | 'deadline'
  | 'retry-after'
  | 'budget'
  | 'dark'

const REFUSALS: readonly RetryRefusal[] = [
  'not-replayable',
  'attempts',
  'elapsed',
  'deadline',
  'retry-after',
  'budget',
  'dark',
]

/** The reason behind a negative answer of `RetryPolicy.decide`. */
export function retryRefusalOf(decision: number): RetryRefusal {
  return REFUSALS[-1 - decision] ?? 'not-replayable'
}

/**
 * Decides whether and when a failed call is tried again. Synchronous; allocates nothing. The order of the questions is
 * fixed: replayable, attempts, what the server asked for, elapsed, deadline, and the budget last, so that only a retry
 * that will happen is paid for.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` at construction.
 */
export class RetryPolicy {
  readonly budget: RetryBudget
  readonly maxAttempts: number
  dark: boolean
  /** Decisions by reason. `retried` counts the positive ones. */
  readonly counters: Record<RetryRefusal | 'retried', number> = {
    retried: 0,
    'not-replayable': 0,
    attempts: 0,
    elapsed: 0,
    deadline: 0,
    'retry-after': 0,
    budget: 0,
    dark: 0,
  }

  readonly #maxElapsedMs: number
  readonly #initialBackoffMs: number
  readonly #maxBackoffMs: number
  readonly #growth: number
  readonly #maxRetryAfterMs: number
  readonly #random: Random

  constructor(options: RetryPolicyOptions, deps: RetryDeps = {}) {
    const { maxAttempts = 3, maxElapsedMs = Infinity, initialBackoffMs = 100, budget, dark = false } = options
    const { backoffGrowth = 2, maxRetryAfterMs = 30_000 } = options
    const maxBackoffMs = options.maxBackoffMs ?? Math.max(10_000, initialBackoffMs)
    new OptionCheck('retry')
      .whole('maxAttempts', maxAttempts, 1)
      .above0('maxElapsedMs', maxElapsedMs)
      .from0('initialBackoffMs', initialBackoffMs)
      .that(
        maxBackoffMs >= initialBackoffMs && maxBackoffMs < Infinity,
        `maxBackoffMs must be finite and at least initialBackoffMs (${initialBackoffMs}), got ${maxBackoffMs}`,
      )
      .that(backoffGrowth >= 1, `backoffGrowth must be 1 or more, got ${backoffGrowth}`)
      .from0('maxRetryAfterMs', maxRetryAfterMs)
      .done()
    this.budget = budget
    this.maxAttempts = maxAttempts
    this.dark = dark
    this.#maxElapsedMs = maxElapsedMs
    this.#initialBackoffMs = initialBackoffMs
    this.#maxBackoffMs = maxBackoffMs
    this.#growth = backoffGrowth
    this.#maxRetryAfterMs = maxRetryAfterMs
    this.#random = deps.random ?? Math.random
  }

  /** The first try of a call begins: earns the budget its share. */
  begin(nowMs: number): void {
    this.budget.deposit(nowMs)
  }

  /**
   * After try number `attempt` (1 is the first) failed: milliseconds to wait before the next one, or a negative number
   * that `retryRefusalOf` explains. `retryAfterMs` is what the server asked for, negative when it did not.
   */
  decide(
    attempt: number,
    startedMs: number,
    deadlineMs: number,
    isReplayable: boolean,
    retryAfterMs: number,
    nowMs: number,
  ): number {
    if (!isReplayable) return this.#refuse(0)
    if (attempt >= this.maxAttempts) return this.#refuse(1)
    if (retryAfterMs > this.#maxRetryAfterMs) return this.#refuse(4)
    const delayMs = Math.max(0, retryAfterMs) + this.#random() * this.backoffBoundMs(attempt)
    if (nowMs - startedMs + delayMs >= this.#maxElapsedMs) return this.#refuse(2)
    if (nowMs + delayMs >= deadlineMs) return this.#refuse(3)
    if (this.dark) return this.#refuse(6)
    if (!this.budget.withdraw(nowMs)) return this.#refuse(5)
    this.counters.retried++
    return delayMs
  }

  /** The exclusive upper bound of the wait after try `attempt`, before what the server asks for is added. */
  backoffBoundMs(attempt: number): number {
    return Math.min(this.#maxBackoffMs, this.#initialBackoffMs * this.#growth ** (attempt - 1))
  }

  #refuse(reason: number): number {
    const name = REFUSALS[reason] as RetryRefusal
    this.counters[name]++
    return -1 - reason
  }
}
