import type { ControlState, Outcome } from './definitions.ts'

/**
 * `passed`: off → breached, on → contained, honest traffic within its limits in both.
 * `broken`: contained with its control off, so that it proves nothing.
 * `failed`: anything else that went wrong. `skipped`: not run, for the reason given.
 */
export type Verdict = 'passed' | 'failed' | 'broken' | 'skipped'

/** What one run says, without the numbers. */
export interface Finding {
  readonly outcome: Outcome | 'crashed'
  readonly honestWithinLimits: boolean
}

export interface Ruling {
  readonly verdict: Verdict
  /** One sentence for each thing that is wrong. Empty exactly when the verdict is `passed`. */
  readonly reasons: readonly string[]
}

/**
 * Rules on the runs that were made: both states, or one (which then has to meet its own half of the expectation).
 * A crash outweighs everything, a drill that cannot go red outweighs the rest.
 */
export function rule(runs: Readonly<Partial<Record<ControlState, Finding>>>): Ruling {
  const { off, on } = runs
  if (off === undefined && on === undefined) return { verdict: 'failed', reasons: ['nothing was run'] }
  const reasons: string[] = []
  if (off?.outcome === 'crashed') reasons.push('the run with the control off crashed')
  if (on?.outcome === 'crashed') reasons.push('the run with the control on crashed')
  const hasCrashed = reasons.length > 0
  const isBroken = off?.outcome === 'contained'
  if (isBroken) reasons.push('contained with its control off: this drill cannot go red, it proves nothing')
  if (on?.outcome === 'breached') reasons.push('breached with its control on')
  for (const [state, run] of [['off', off] as const, ['on', on] as const]) {
    if (run !== undefined && run.outcome !== 'crashed' && !run.honestWithinLimits)
      reasons.push(`honest traffic is outside its limits with the control ${state}`)
  }
  if (reasons.length === 0) return { verdict: 'passed', reasons }
  return { verdict: isBroken && !hasCrashed ? 'broken' : 'failed', reasons }
}
