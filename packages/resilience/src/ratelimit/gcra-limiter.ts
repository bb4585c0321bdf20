import { OptionCheck } from '../internal/option-check.ts'
import { CellTable } from './cell-table.ts'
import { checkRate } from './rate.ts'
import type { Rate } from './rate.ts'

export interface GcraLimiterOptions extends Rate {
  /** Keys with a cell of their own. A whole number, 1 or more. Default 65 536 (about 10 MB when full). */
  readonly maxKeys?: number
  /** Longer keys are kept as a prefix and a hash. Characters, 32 or more. Default 256. */
  readonly maxKeyLength?: number
  /** Cells shared by newcomers while the table is full. A power of two. Default 256. */
  readonly overflowCells?: number
  /** Decide and count, but admit everything. Default false. */
  readonly dark?: boolean
}

export interface GcraLimiterDeps {
  /** Secret start of the hash that spreads overflowing keys: 32 bits that outsiders cannot guess. */
  readonly seed: number
}

/**
 * A rate limit per key: the generic cell rate algorithm (ITU-T I.371), one number of state a key, equal to a token
 * bucket with a steady refill. Bounded memory: a key at rest costs nothing, a key in use is never evicted, and
 * newcomers to a full table are limited together. About 50 ns for a known key, no allocation.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID`
 */
export class GcraLimiter {
  readonly dark: boolean
  readonly #intervalMs: number
  readonly #burst: number
  readonly #toleranceMs: number
  readonly #cells: CellTable
  /** Requests refused, or in dark mode those that would have been. */
  rejected = 0
  admitted = 0

  constructor(options: GcraLimiterOptions, deps: GcraLimiterDeps) {
    const { maxKeys = 65_536, maxKeyLength = 256, overflowCells = 256 } = options
    checkRate('rate limit', options)
    new OptionCheck('rate limit')
      .whole('maxKeys', maxKeys, 1)
      .whole('maxKeyLength', maxKeyLength, 32)
      .powerOfTwo('overflowCells', overflowCells)
      .done()
    this.#intervalMs = options.perMs / options.permits
    this.#burst = options.burst
    this.#toleranceMs = this.#intervalMs * options.burst
    this.#cells = new CellTable(maxKeys, maxKeyLength, overflowCells, deps.seed)
    this.dark = options.dark ?? false
  }

  /** Keys in use. Bounded by `maxKeys`. */
  get keys(): number {
    return this.#cells.size
  }

  /** Decisions that fell to a shared overflow cell because the table was full. */
  get overflows(): number {
    return this.#cells.overflows
  }

  /**
   * Takes `cost` permits of `key` and returns 0, or takes none and returns how many milliseconds to wait before as
   * many are there; `Infinity` when `cost` exceeds the burst. In dark mode always 0: read `rejected`.
   */
  take(key: string, nowMs: number, cost = 1): number {
    const slot = this.#cells.claim(key, nowMs)
    const arrivalMs = Math.max(this.#cells.timeOf(slot), nowMs)
    const nextMs = arrivalMs + cost * this.#intervalMs
    const waitMs = nextMs - nowMs - this.#toleranceMs
    // Sums of intervals such as 1000/3 round off by a few units in the last place; a billionth of a permit is no debt.
    if (waitMs <= this.#intervalMs * 1e-9) {
      this.#cells.setTime(slot, nextMs)
      this.admitted++
      return 0
    }
    this.rejected++
    if (this.dark) return 0
    return cost > this.#burst ? Infinity : waitMs
  }

  /** Gives back `cost` permits, for work that was admitted here and then not done. Never more than the burst. */
  refund(key: string, nowMs: number, cost = 1): void {
    const slot = this.#cells.find(key)
    if (slot >= 0)
      this.#cells.setTime(slot, Math.max(nowMs, this.#cells.timeOf(slot) - cost * this.#intervalMs))
  }

  /** Permits `key` could take at once now. Whole number, 0 up to the burst. */
  remaining(key: string, nowMs: number): number {
    const slot = this.#cells.find(key)
    if (slot < 0) return this.#burst
    const usedMs = Math.max(0, this.#cells.timeOf(slot) - nowMs)
    return Math.max(0, Math.floor((this.#toleranceMs - usedMs) / this.#intervalMs + 1e-9))
  }

  /** Milliseconds until `key` has its whole burst again. */
  resetMs(key: string, nowMs: number): number {
    const slot = this.#cells.find(key)
    return slot < 0 ? 0 : Math.max(0, this.#cells.timeOf(slot) - nowMs)
  }

  /** Frees the memory of all keys at rest. O(keys), never needed for correctness. */
  sweep(nowMs: number): void {
    this.#cells.sweep(nowMs)
  }
}
