import { OptionCheck } from '../internal/option-check.ts'
import { QuantileSketch } from './quantile-sketch.ts'

export interface HedgeDelayOptions {
  /** A call slower than this share of its kind is hedged. Above 0.5, below 1. Default 0.95. */
  readonly quantile?: number
  /** No hedge before so many calls of a key are known. A whole number, 10 or more. Default 100. */
  readonly minSamples?: number
  /** Milliseconds, above 0. Default 1. */
  readonly minDelayMs?: number
  /** Milliseconds, `minDelayMs` or more. Default 10 000. */
  readonly maxDelayMs?: number
  /** The quantile is that of the last one to two windows. Milliseconds, above 0. Default 30 000. */
  readonly windowMs?: number
  /** Keys remembered; the least recently used goes first. A whole number, 1 or more. Default 1 000 (3.6 MB). */
  readonly maxKeys?: number
}

interface Entry {
  readonly sketch: QuantileSketch
  delayMs: number
  untilCount: number
}

/**
 * When a call is late enough to be worth a second one: a live percentile for each key (an endpoint, a method). A static
 * delay breaks when the latencies move. Bounded in keys and in memory.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` at construction.
 */
export class HedgeDelay {
  readonly #quantile: number
  readonly #minSamples: number
  readonly #minDelayMs: number
  readonly #maxDelayMs: number
  readonly #windowMs: number
  readonly #maxKeys: number
  /** Least recently used first, to within a window: a touch on each call would cost more than the sketch. */
  readonly #entries = new Map<string, Entry>()

  constructor(options: HedgeDelayOptions = {}) {
    const { quantile = 0.95, minSamples = 100, minDelayMs = 1, windowMs = 30_000, maxKeys = 1_000 } = options
    const maxDelayMs = options.maxDelayMs ?? Math.max(10_000, minDelayMs)
    new OptionCheck('hedge delay')
      .that(quantile > 0.5 && quantile < 1, `quantile must be above 0.5 and below 1, got ${quantile}`)
      .whole('minSamples', minSamples, 10)
      .above0('minDelayMs', minDelayMs)
      .that(maxDelayMs >= minDelayMs, `maxDelayMs must be minDelayMs or more, got ${maxDelayMs}`)
      .above('windowMs', windowMs, 0)
      .whole('maxKeys', maxKeys, 1)
      .done()
    this.#quantile = quantile
    this.#minSamples = minSamples
    this.#minDelayMs = minDelayMs
    this.#maxDelayMs = maxDelayMs
    this.#windowMs = windowMs
    this.#maxKeys = maxKeys
  }

  /**
   * How long a first attempt took, or, when a hedge beat it, how long it had been under way: leaving the losers out
   * would pull the percentile down with every hedge. Not for errors and not for aborted calls.
   */
  record(key: string, durationMs: number, nowMs: number): void {
    const entry = this.#entries.get(key) ?? this.#add(key)
    if (entry.sketch.advance(nowMs)) {
      entry.untilCount = 0
      this.#entries.delete(key)
      this.#entries.set(key, entry)
    }
    entry.sketch.record(durationMs, nowMs)
    if (entry.sketch.count >= entry.untilCount) this.#update(entry)
  }

  /** The delay after which a call of `key` is hedged; `Infinity` while too little is known. */
  delayMs(key: string, nowMs: number): number {
    const entry = this.#entries.get(key)
    if (entry === undefined) return Infinity
    if (entry.sketch.advance(nowMs)) this.#update(entry)
    return entry.delayMs
  }

  #add(key: string): Entry {
    if (this.#entries.size >= this.#maxKeys) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        break
      }
    }
    const entry: Entry = { sketch: new QuantileSketch(this.#windowMs), delayMs: Infinity, untilCount: 0 }
    this.#entries.set(key, entry)
    return entry
  }

  /** Reads the percentile anew; the next time after 6 % more samples, so that its cost is spread. */
  #update(entry: Entry): void {
    const { count } = entry.sketch
    entry.untilCount = count + Math.max(8, count >> 4)
    if (count < this.#minSamples) {
      entry.delayMs = Infinity
      entry.untilCount = Math.min(entry.untilCount, this.#minSamples)
      return
    }
    const atMs = entry.sketch.quantile(this.#quantile)
    entry.delayMs = Math.min(this.#maxDelayMs, Math.max(this.#minDelayMs, atMs))
  }
}
