/** What tripped a breaker. `operator` covers `trip`; `probe` a failed half-open sample; `restored` an imported state. */
export type BreakerCause = 'consecutive' | 'failure-ratio' | 'slow-ratio' | 'probe' | 'operator' | 'restored'

/** A breaker as people and dashboards see it. Times are monotonic milliseconds of the machine that asked. */
export type BreakerState =
  | {
      readonly kind: 'closed'
      readonly calls: number
      readonly failures: number
      readonly slow: number
      readonly consecutiveFailures: number
    }
  | {
      readonly kind: 'open'
      readonly untilMs: number
      readonly openings: number
      readonly cause: BreakerCause
    }
  | {
      readonly kind: 'half-open'
      readonly successes: number
      readonly failures: number
      /** Whether a probe is under way, and until when it may report. */
      readonly probe: { readonly leaseUntilMs: number } | undefined
      readonly openings: number
    }
  | { readonly kind: 'forced-open'; readonly by: string }
  | { readonly kind: 'forced-closed'; readonly by: string }

/** What a breaker hands to its successor (a restarted process, a worker). Durations only: clocks differ between processes. */
export type BreakerSnapshot =
  | { readonly kind: 'closed'; readonly consecutiveFailures: number; readonly openings: number }
  | { readonly kind: 'open'; readonly remainingMs: number; readonly openings: number }
  | { readonly kind: 'half-open'; readonly openings: number }
  | { readonly kind: 'forced-open'; readonly by: string }
  | { readonly kind: 'forced-closed'; readonly by: string }

/** Running totals since the breaker was made. */
export interface BreakerCounters {
  refused: number
  /** Calls a breaker in dark mode would have refused. */
  wouldRefuse: number
  opened: number
  probes: number
  /** Probes whose lease ran out before they reported. */
  probesLost: number
  /** Reports that came after a transition and therefore said nothing about the present. */
  staleReports: number
  ignored: number
}
