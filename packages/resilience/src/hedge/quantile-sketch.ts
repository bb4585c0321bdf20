/** Bounds of what is told apart: 10 µs to about 10 minutes. */
const MIN_MS = 0.01
const MAX_MS = 600_000
/** DDSketch (Masson et al., 2019): a value is known to within this share of itself. */
const RELATIVE_ERROR = 0.02
const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
const LN_GAMMA = Math.log(GAMMA)
const BINS = Math.ceil(Math.log(MAX_MS / MIN_MS) / LN_GAMMA) + 1

/**
 * Quantiles of the durations of the last one to two windows, to within 2 % of the value. 3.6 KB, fixed. `record` costs
 * about 20 ns; `quantile` scans 448 bins.
 */
export class QuantileSketch {
  readonly #windowMs: number
  #current = new Uint32Array(BINS)
  #previous = new Uint32Array(BINS)
  #currentCount = 0
  #previousCount = 0
  #window = -1

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  /** Durations recorded in the windows that count. */
  get count(): number {
    return this.#currentCount + this.#previousCount
  }

  record(durationMs: number, nowMs: number): void {
    this.advance(nowMs)
    const bin = binOf(durationMs)
    this.#current[bin] = (this.#current[bin] as number) + 1
    this.#currentCount++
  }

  /** The duration below which `ratio` (0–1) of the calls stayed; `Infinity` when there were none. */
  quantile(ratio: number): number {
    const rank = ratio * this.count
    if (this.count === 0) return Infinity
    let seen = 0
    for (let bin = 0; bin < BINS; bin++) {
      seen += (this.#current[bin] as number) + (this.#previous[bin] as number)
      if (seen > 0 && seen >= rank) return valueOf(bin)
    }
    return MAX_MS
  }

  /** Turns the windows; a sketch nobody touched for two windows is empty. True when something was forgotten. */
  advance(nowMs: number): boolean {
    const window = Math.floor(nowMs / this.#windowMs)
    if (window <= this.#window) return false
    const isNext = window === this.#window + 1
    const reused = this.#previous
    this.#previous = this.#current
    this.#previousCount = isNext ? this.#currentCount : 0
    if (!isNext) this.#previous.fill(0)
    this.#current = reused.fill(0)
    this.#currentCount = 0
    this.#window = window
    return true
  }
}

function binOf(durationMs: number): number {
  if (!(durationMs > MIN_MS)) return 0
  return Math.min(BINS - 1, Math.ceil(Math.log(durationMs / MIN_MS) / LN_GAMMA))
}

function valueOf(bin: number): number {
  return bin === 0 ? MIN_MS : (2 * MIN_MS * GAMMA ** bin) / (GAMMA + 1)
}
