import { OptionCheck } from '../internal/option-check.ts'

export interface SlowStartOptions {
  /** How long an endpoint takes from its first request to its full share. Milliseconds, above 0. Default 30 000. */
  readonly windowMs?: number
  /** Share of the normal weight it begins with. Above 0, up to 1. Default 0.1. */
  readonly minShare?: number
  /** 1 grows in a straight line; above 1 holds back longer. Above 0. Default 1. */
  readonly exponent?: number
}

/**
 * How much of its normal share an endpoint gets while its caches, connections and compiler are cold. Used for new
 * endpoints and for those that come back from ejection. Pure: the time since the start in, a factor out.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID`
 */
export class SlowStart {
  readonly windowMs: number
  readonly #minShare: number
  readonly #exponent: number

  constructor(options: SlowStartOptions = {}) {
    const { windowMs = 30_000, minShare = 0.1, exponent = 1 } = options
    new OptionCheck('slow start')
      .above('windowMs', windowMs, 0)
      .share('minShare', minShare)
      .above('exponent', exponent, 0)
      .done()
    this.windowMs = windowMs
    this.#minShare = minShare
    this.#exponent = exponent
  }

  /** Above 0, at most 1; 1 for an endpoint that began at `-Infinity`. */
  factor(startedMs: number, nowMs: number): number {
    const elapsed = (nowMs - startedMs) / this.windowMs
    if (!(elapsed < 1)) return 1
    if (elapsed <= 0) return this.#minShare
    return Math.max(this.#minShare, elapsed ** this.#exponent)
  }
}
