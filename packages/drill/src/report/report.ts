import type { ControlState, LabKind, Outcome } from '../definitions.ts'
import type { Figure, LimitedFigure } from '../figure.ts'
import type { Verdict } from '../verdict.ts'

/** One run of a drill: one state of its controls in one fresh world. */
export interface DrillRun {
  readonly control: ControlState
  readonly outcome: Outcome | 'crashed'
  readonly because: readonly Figure[]
  readonly honest: readonly LimitedFigure[]
  readonly honestWithinLimits: boolean
  /** Present exactly when `outcome` is `crashed`. */
  readonly error?: { readonly message: string; readonly code?: string }
  /** Real time, milliseconds. The only part that differs between two simulated runs with one seed. */
  readonly durationMs: number
}

export interface DrillResult {
  readonly id: string
  readonly title: string
  readonly threat: { readonly id: string; readonly title: string }
  readonly controls: readonly { readonly id: string; readonly title: string; readonly code: string }[]
  readonly lab: LabKind
  readonly seed: number
  readonly verdict: Verdict
  /** Why it did not pass, one sentence each. Empty when it did. */
  readonly reasons: readonly string[]
  readonly runs: Readonly<Partial<Record<ControlState, DrillRun>>>
  readonly durationMs: number
}

/** What `breakwater drill --json` prints. Fields are only ever added within one `schemaVersion`. */
export interface DrillReport {
  readonly schemaVersion: 1
  readonly seed: number
  /** `passed` only when every drill that was run has passed, and at least one was. */
  readonly verdict: 'passed' | 'failed'
  readonly counts: Readonly<Record<Verdict, number>>
  readonly drills: readonly DrillResult[]
  readonly durationMs: number
}

export function countVerdicts(results: readonly DrillResult[]): Record<Verdict, number> {
  const counts: Record<Verdict, number> = { passed: 0, failed: 0, broken: 0, skipped: 0 }
  for (const { verdict } of results) counts[verdict]++
  return counts
}

/** Nothing run is not a success, and neither is an interrupted one. */
export function overallVerdict(results: readonly DrillResult[]): 'passed' | 'failed' {
  const { passed, failed, broken } = countVerdicts(results)
  return passed > 0 && failed === 0 && broken === 0 ? 'passed' : 'failed'
}
