import type { Random } from '@breakwater/core'

/** What every laboratory offers, whatever time and network it plays in. */
export interface Lab {
  /** The seed of this run. The same seed gives the same luck in both states of the control. */
  readonly seed: number
  /** Seeded luck. The only luck that a drill may use. */
  readonly random: Random
  /** Aborts when the run has used up its budget or the user has interrupted it. */
  readonly signal: AbortSignal
  /** Calls `dispose` at the end of the run, in reverse order, also when `arrange` throws half way. */
  defer(dispose: () => Promise<void> | void): void
}
