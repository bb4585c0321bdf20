import { OptionCheck } from '../internal/option-check.ts'

/**
 * How much, how often. The steady rate and the burst are two numbers on purpose: "60 per minute" with `burst: 1` lets
 * one through each second; with `burst: 60` it lets 60 through at once and then one each second. In any window of
 * `t` ms at most `burst + t * permits / perMs` are admitted, never a second burst at a window's edge.
 */
export interface Rate {
  /** Permits that come back in `perMs`. A whole number, 1 or more. */
  readonly permits: number
  /** Milliseconds, above 0. */
  readonly perMs: number
  /** Permits that may be taken at one instant after a rest. A whole number, 1 or more. No default. */
  readonly burst: number
}

export function checkRate(policy: string, { permits, perMs, burst }: Rate): void {
  new OptionCheck(policy)
    .whole('permits', permits, 1)
    .above('perMs', perMs, 0)
    .whole('burst', burst, 1)
    .done()
}
