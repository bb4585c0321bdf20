import { checkRate } from './rate.ts'
import type { Rate } from './rate.ts'

/**
 * One bucket of permits that refills steadily. `take` decides before the work; `charge` bills afterwards what the work
 * turned out to cost (model tokens, bytes) and may leave the bucket in debt. About 5 ns a decision, no allocation.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID`
 */
export class TokenBucket {
  readonly #permitsPerMs: number
  readonly #burst: number
  #permits: number
  #atMs: number

  constructor(rate: Rate, nowMs: number) {
    checkRate('token bucket', rate)
    this.#permitsPerMs = rate.permits / rate.perMs
    this.#burst = rate.burst
    this.#permits = rate.burst
    this.#atMs = nowMs
  }

  /** Permits there are now; below 0 after a `charge` that overdrew. */
  available(nowMs: number): number {
    this.#refill(nowMs)
    return this.#permits
  }

  /**
   * Takes `cost` permits and returns 0, or takes none and returns the milliseconds after which as many will be there:
   * `Infinity` when `cost` exceeds the burst, because waiting does not help.
   */
  take(nowMs: number, cost = 1): number {
    this.#refill(nowMs)
    if (cost > this.#burst) return Infinity
    if (this.#permits >= cost) {
      this.#permits -= cost
      return 0
    }
    return (cost - this.#permits) / this.#permitsPerMs
  }

  /** Takes `cost` permits whether they are there or not. A negative cost gives back. */
  charge(nowMs: number, cost: number): void {
    this.#refill(nowMs)
    this.#permits = Math.min(this.#burst, this.#permits - cost)
  }

  #refill(nowMs: number): void {
    if (nowMs <= this.#atMs) return
    this.#permits = Math.min(this.#burst, this.#permits + (nowMs - this.#atMs) * this.#permitsPerMs)
    this.#atMs = nowMs
  }
}
