import { OptionCheck } from '../internal/option-check.ts'
import { publish } from '../internal/events.ts'

export interface RetryBudgetOptions {
  /** Names the budget in events. Default ''. */
  readonly key?: string
  /** Extra attempts for each call, on average. 0–1. Default 0.1. */
  readonly ratio?: number
  /** Extra attempts a second that are always allowed, so that a quiet or young client may retry at all. 0 or more. Default 1. */
  readonly minPerSecond?: number
  /** How long a call counts. Milliseconds, above 0. Default 10 000. */
  readonly ttlMs?: number
  /** Decide and count, but refuse nobody. Default false. */
  readonly dark?: boolean
}

const BUCKETS = 10

/**
 * Bounds the extra load of retries and hedges together: in any `ttlMs` at most `ratio` × calls + `minPerSecond` × ttl
 * extra attempts. One budget per dependency, shared by everything that repeats calls to it. Deposits and withdrawals
 * cost about 10 ns and allocate nothing. Idea: Finagle's retry budgets.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` at construction.
 */
export class RetryBudget {
  readonly key: string
  dark: boolean
  readonly counters: { deposits: number; granted: number; refused: number; wouldRefuse: number } = {
    deposits: 0,
    granted: 0,
    refused: 0,
    wouldRefuse: 0,
  }

  readonly #ratio: number
  readonly #reserve: number
  readonly #bucketMs: number
  readonly #deposits = new Int32Array(BUCKETS)
  readonly #withdrawals = new Int32Array(BUCKETS)
  #deposited = 0
  #withdrawn = 0
  #tick = -1

  constructor(options: RetryBudgetOptions = {}) {
    const { key = '', ratio = 0.1, minPerSecond = 1, ttlMs = 10_000, dark = false } = options
    new OptionCheck('retry budget')
      .ratio('ratio', ratio)
      .that(
        minPerSecond >= 0 && minPerSecond < Infinity,
        `minPerSecond must be 0 or more and finite, got ${minPerSecond}`,
      )
      .above('ttlMs', ttlMs, 0)
      .done()
    this.key = key
    this.dark = dark
    this.#ratio = ratio
    this.#reserve = (minPerSecond * ttlMs) / 1000
    this.#bucketMs = ttlMs / BUCKETS
  }

  /** A call began. Once for each call, not for its retries: they must not earn further retries. */
  deposit(nowMs: number): void {
    this.#advance(nowMs)
    const bucket = this.#tick % BUCKETS
    this.#deposits[bucket] = (this.#deposits[bucket] as number) + 1
    this.#deposited++
    this.counters.deposits++
  }

  /** Takes one extra attempt, when the budget has one. A refusal changes nothing but a counter. */
  withdraw(nowMs: number): boolean {
    this.#advance(nowMs)
    if (this.#available() < 1) {
      if (!this.dark) {
        this.counters.refused++
        return false
      }
      this.counters.wouldRefuse++
      publish({ name: 'dark.would-refuse', key: this.key, control: 'retry-budget' })
      return true
    }
    const bucket = this.#tick % BUCKETS
    this.#withdrawals[bucket] = (this.#withdrawals[bucket] as number) + 1
    this.#withdrawn++
    this.counters.granted++
    return true
  }

  /** Extra attempts that could be taken at `nowMs`. */
  available(nowMs: number): number {
    this.#advance(nowMs)
    return Math.max(0, this.#available())
  }

  #available(): number {
    // The epsilon keeps 10 × 0.1 at 1.
    return this.#ratio * this.#deposited + this.#reserve - this.#withdrawn + 1e-9
  }

  #advance(nowMs: number): void {
    const tick = Math.floor(nowMs / this.#bucketMs)
    if (tick <= this.#tick) return
    const first = this.#tick < 0 ? tick - BUCKETS + 1 : Math.max(this.#tick + 1, tick - BUCKETS + 1)
    this.#tick = tick
    for (let passed = Math.max(0, first); passed <= tick; passed++) {
      const bucket = passed % BUCKETS
      this.#deposited -= this.#deposits[bucket] as number
      this.#withdrawn -= this.#withdrawals[bucket] as number
      this.#deposits[bucket] = 0
      this.#withdrawals[bucket] = 0
    }
  }
}
