import { errors } from '../errors.ts'

/** Throws `BW_RESILIENCE_OPTIONS_INVALID` listing every problem, when there is one. `false` entries are checks that held. */
export function refuse(policy: string, checks: readonly (string | false)[]): void {
  const problems = checks.filter((check) => check !== false)
  if (problems.length === 0) return
  throw errors.BW_RESILIENCE_OPTIONS_INVALID(`${policy}: ${problems.join('; ')}`, { details: { problems } })
}

/** A whole number, `least` or more. */
export function isWhole(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least
}

/** A finite number above `bound`. */
export function isAbove(value: number, bound: number): boolean {
  return value > bound && value < Infinity
}

/** A share, 0 to 1. */
export function isRatio(value: number): boolean {
  return value >= 0 && value <= 1
}
