import type { Random } from '@breakwater/core'
import { errors } from '../errors.ts'
import { publish } from '../internal/events.ts'
import { resolveBreakerOptions } from './options.ts'
import type { BreakerOptions, ResolvedBreakerOptions } from './options.ts'
import { RollingWindow } from './rolling-window.ts'
import type { BreakerCause, BreakerCounters, BreakerSnapshot, BreakerState } from './state.ts'

/** What `admit` answers instead of a permit. */
export const REFUSED = -1
/** The permit of a call that a dark or forced breaker lets through without listening to its result. */
const UNHEARD = 0

export interface BreakerDeps {
  /** Default `Math.random`. */
  readonly random?: Random
}

type Kind = BreakerState['kind']

/**
 * Stops calling a dependency that fails, and finds out with one probe at a time (by default) whether it is back. Synchronous, without
 * timers: time comes in with each call. `admit` and the three reports cost about 10 ns and allocate nothing.
 *
 * Every admitted call reports exactly once, with the permit it got. A permit is valid for the generation that issued it:
 * each transition and each probe begins a new one, so the reports of calls admitted earlier change nothing.
 *
 * It does not tell what a failure is: see `outcomeOf`. It does not bound how long a call takes: see `timeout`.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` at construction.
 */
export class CircuitBreaker {
  readonly key: string
  /** Decide and count, but refuse nobody. May be switched at run time. */
  dark: boolean
  readonly counters: BreakerCounters = {
    refused: 0,
    wouldRefuse: 0,
    opened: 0,
    probes: 0,
    probesLost: 0,
    staleReports: 0,
    ignored: 0,
  }

  readonly #options: ResolvedBreakerOptions
  readonly #random: Random
  readonly #window: RollingWindow
  #kind: Kind = 'closed'
  #generation = 1
  #consecutive = 0
  #untilMs = 0
  #lastOpenMs = 0
  #closedAtMs = -Infinity
  #openings = 0
  #cause: BreakerCause = 'consecutive'
  #probesOut = 0
  #leaseUntilMs = 0
  #probeSuccesses = 0
  #probeFailures = 0
  #forcedBy = ''

  constructor(options: BreakerOptions = {}, deps: BreakerDeps = {}) {
    this.#options = resolveBreakerOptions(options)
    this.#random = deps.random ?? Math.random
    this.#window = new RollingWindow(this.#options.windowMs, this.#options.windowBuckets)
    this.key = this.#options.key
    this.dark = this.#options.dark
  }

  /** A permit (0 or more) to call the dependency now, or `REFUSED`. Takes the probe's place when half-open. */
  admit(nowMs: number): number {
    if (this.#kind === 'closed') return this.#generation
    return this.#admitUnlessOpen(nowMs)
  }

  /** Whether `admit` would give a permit. Takes nothing: for balancers and dashboards that only look. */
  mayAdmit(nowMs: number): boolean {
    if (this.#kind === 'closed' || this.#kind === 'forced-closed' || this.dark) return true
    if (this.#kind === 'open') return nowMs >= this.#untilMs
    return this.#kind === 'half-open' && (this.#hasProbePlace || nowMs >= this.#leaseUntilMs)
  }

  /** The dependency answered, in `durationMs`. Client errors (4xx) are answers too. */
  onSuccess(permit: number, durationMs: number, nowMs: number): void {
    if (!this.#isCurrent(permit)) return
    const slow = durationMs >= this.#options.slowCallMs
    if (this.#kind !== 'closed') return this.#onProbe(!slow, nowMs)
    this.#consecutive = 0
    this.#window.record(false, slow, nowMs)
    if (slow) this.#judgeWindow(nowMs)
  }

  /** The dependency failed, `durationMs` after the call began. */
  onFailure(permit: number, durationMs: number, nowMs: number): void {
    if (!this.#isCurrent(permit)) return
    if (this.#kind !== 'closed') return this.#onProbe(false, nowMs)
    this.#window.record(true, durationMs >= this.#options.slowCallMs, nowMs)
    if (++this.#consecutive >= this.#options.consecutiveFailures) this.#open('consecutive', nowMs)
    else this.#judgeWindow(nowMs)
  }

  /** The call says nothing about the dependency: the caller left, it never started, the server asked for patience. */
  onIgnored(permit: number): void {
    if (!this.#isCurrent(permit)) return
    this.counters.ignored++
    if (this.#kind === 'half-open' && this.#probesOut > 0) this.#probesOut--
  }

  /** How long an admission is surely refused from `nowMs` on, for `Retry-After`. Milliseconds; 0 when it may be admitted. */
  retryAfterMs(nowMs: number): number {
    return this.#kind === 'open' ? Math.max(0, this.#untilMs - nowMs) : 0
  }

  /** Opens now, as if the dependency had failed; recovers by itself as ever. */
  trip(nowMs: number): void {
    this.#open('operator', nowMs)
  }

  /** Closes now and forgets every failure; also ends a forced state. */
  reset(nowMs: number): void {
    this.#openings = 0
    this.#close(nowMs)
  }

  /** Refuses everything until `reset`. `by` is whoever asked, for the state and the audit log. */
  forceOpen(by: string): void {
    this.#forcedBy = by
    this.#become('forced-open')
  }

  /** Lets everything through until `reset`. */
  forceClosed(by: string): void {
    this.#forcedBy = by
    this.#become('forced-closed')
  }

  /** The state at `nowMs`. Changes nothing; allocates: not for the hot path. */
  state(nowMs: number): BreakerState {
    switch (this.#kind) {
      case 'closed':
        this.#window.advance(nowMs)
        return {
          kind: 'closed',
          calls: this.#window.calls,
          failures: this.#window.failures,
          slow: this.#window.slow,
          consecutiveFailures: this.#consecutive,
        }
      case 'open':
        if (nowMs >= this.#untilMs)
          return { kind: 'half-open', successes: 0, failures: 0, probe: undefined, openings: this.#openings }
        return { kind: 'open', untilMs: this.#untilMs, openings: this.#openings, cause: this.#cause }
      case 'half-open':
        return {
          kind: 'half-open',
          successes: this.#probeSuccesses,
          failures: this.#probeFailures,
          probe:
            this.#probesOut > 0 && nowMs < this.#leaseUntilMs
              ? { leaseUntilMs: this.#leaseUntilMs }
              : undefined,
          openings: this.#openings,
        }
      case 'forced-open':
      case 'forced-closed':
        return { kind: this.#kind, by: this.#forcedBy }
    }
  }

  /** The state in a form that survives this process. Written by `JSON.stringify`, read by `restore`. */
  export(nowMs: number): BreakerSnapshot {
    const state = this.state(nowMs)
    const openings = this.#openings
    if (state.kind === 'closed')
      return { kind: 'closed', consecutiveFailures: state.consecutiveFailures, openings }
    if (state.kind === 'open') return { kind: 'open', remainingMs: state.untilMs - nowMs, openings }
    return state.kind === 'half-open' ? { kind: 'half-open', openings } : state
  }

  /**
   * Takes over an exported state, `elapsedMs` after its export. Permits issued before are void. A remaining time beyond
   * `maxOpenMs` is cut to it.
   *
   * @throws `BW_RESILIENCE_OPTIONS_INVALID` when the snapshot is not one.
   */
  restore(snapshot: BreakerSnapshot, nowMs: number, elapsedMs = 0): void {
    checkSnapshot(snapshot)
    if (snapshot.kind === 'forced-open') return this.forceOpen(snapshot.by)
    if (snapshot.kind === 'forced-closed') return this.forceClosed(snapshot.by)
    this.#openings = snapshot.openings
    if (snapshot.kind === 'closed') {
      this.#close(nowMs)
      this.#consecutive = Math.min(snapshot.consecutiveFailures, this.#options.consecutiveFailures - 1)
      return
    }
    const remainingMs = snapshot.kind === 'open' ? snapshot.remainingMs - elapsedMs : 0
    this.#untilMs = nowMs + Math.min(Math.max(0, remainingMs), this.#options.maxOpenMs)
    this.#lastOpenMs = Math.max(0, remainingMs)
    this.#cause = 'restored'
    this.#become('open')
  }

  #admitUnlessOpen(nowMs: number): number {
    if (this.#kind === 'forced-closed') return UNHEARD
    if (this.#kind === 'open' && nowMs >= this.#untilMs) this.#halfOpen()
    if (this.#kind === 'half-open') {
      if (!this.#hasProbePlace && nowMs >= this.#leaseUntilMs) this.#loseProbes(nowMs)
      if (this.#kind === 'half-open' && this.#hasProbePlace) return this.#startProbe(nowMs)
    }
    if (this.dark) {
      this.counters.wouldRefuse++
      publish({ name: 'dark.would-refuse', key: this.key, control: 'breaker' })
      return UNHEARD
    }
    this.counters.refused++
    return REFUSED
  }

  get #hasProbePlace(): boolean {
    return this.#probesOut < this.#options.maxConcurrentProbes
  }

  #isCurrent(permit: number): boolean {
    if (permit === this.#generation) return true
    if (permit > UNHEARD) this.counters.staleReports++
    return false
  }

  #startProbe(nowMs: number): number {
    this.#probesOut++
    this.#leaseUntilMs = nowMs + this.#options.probeLeaseMs
    this.counters.probes++
    // Several at a time share one generation, so that the report of one does not void the others.
    return this.#options.maxConcurrentProbes === 1 ? ++this.#generation : this.#generation
  }

  #loseProbes(nowMs: number): void {
    this.counters.probesLost += this.#probesOut
    this.#probesOut = 0
    this.#generation++
    this.#onProbe(false, nowMs)
  }

  #onProbe(succeeded: boolean, nowMs: number): void {
    if (this.#probesOut > 0) this.#probesOut--
    if (this.#options.maxConcurrentProbes === 1) this.#generation++
    if (succeeded) this.#probeSuccesses++
    else this.#probeFailures++
    const { probes, probeSuccesses } = this.#options
    if (this.#probeSuccesses >= probeSuccesses) this.#close(nowMs)
    else if (this.#probeFailures > probes - probeSuccesses) this.#open('probe', nowMs)
  }

  #judgeWindow(nowMs: number): void {
    const { minCalls, failureRatio, slowRatio } = this.#options
    const { calls, failures, slow } = this.#window
    if (calls < minCalls) return
    if (failures >= failureRatio * calls) this.#open('failure-ratio', nowMs)
    else if (slow >= slowRatio * calls) this.#open('slow-ratio', nowMs)
  }

  #open(cause: BreakerCause, nowMs: number): void {
    const { openMs, openGrowth, maxOpenMs, openJitterRatio } = this.#options
    // Growth is forgotten only by a breaker that stayed closed for longer than it was last open: flapping still grows.
    if (this.#kind === 'closed' && nowMs - this.#closedAtMs > this.#lastOpenMs) this.#openings = 0
    const fullMs = Math.min(maxOpenMs, openMs * openGrowth ** this.#openings)
    this.#lastOpenMs = fullMs * (1 - openJitterRatio * this.#random())
    this.#untilMs = nowMs + this.#lastOpenMs
    this.#openings++
    this.#cause = cause
    this.counters.opened++
    this.#become('open')
  }

  #halfOpen(): void {
    this.#probesOut = 0
    this.#probeSuccesses = 0
    this.#probeFailures = 0
    this.#become('half-open')
  }

  #close(nowMs: number): void {
    this.#consecutive = 0
    this.#window.clear()
    this.#closedAtMs = nowMs
    this.#become('closed')
  }

  #become(kind: Kind): void {
    const from = this.#kind
    this.#kind = kind
    this.#generation++
    if (from !== kind) publish({ name: 'breaker.transition', key: this.key, from, to: kind })
  }
}

function checkSnapshot(snapshot: BreakerSnapshot): void {
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
  let valid: boolean
  if (snapshot.kind === 'closed') valid = isCount(snapshot.openings) && isCount(snapshot.consecutiveFailures)
  else if (snapshot.kind === 'open')
    valid = isCount(snapshot.openings) && Number.isFinite(snapshot.remainingMs)
  else if (snapshot.kind === 'half-open') valid = isCount(snapshot.openings)
  else valid = ['forced-open', 'forced-closed'].includes(snapshot.kind) && typeof snapshot.by === 'string'
  if (!valid)
    throw errors.BW_RESILIENCE_OPTIONS_INVALID(
      `breaker: this is not an exported state: ${JSON.stringify(snapshot)}`,
    )
}
