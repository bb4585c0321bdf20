import { OptionCheck } from '../internal/option-check.ts'
import { SampleWindow } from './sample-window.ts'

export interface AdaptiveLimitOptions {
  /** Concurrency to begin with. Whole number, `minLimit` to `maxLimit`. Default 20. */
  readonly initialLimit?: number
  /** The limit never falls below this. Whole number, 1 or more. Default 1. */
  readonly minLimit?: number
  /** The limit never rises above this. Whole number, `minLimit` or more. Default 10 000. */
  readonly maxLimit?: number
  /** Latency accepted as a multiple of the latency without queueing. Above 1. Default 1.5. */
  readonly tolerance?: number
  /** Shortest measuring window. Milliseconds, above 0. Default 100. */
  readonly windowMs?: number
  /** Answers needed before a window is judged. Whole number, 10 or more. Default 40. */
  readonly minSamples?: number
  /** Longest time a busy limit goes without checking whether its idea of "no queue" still holds. Milliseconds, above 0. Default 30 000. */
  readonly recheckMs?: number
  /** Share of the window's requests that may time out or be refused by the upstream before the limit is cut. Above 0, below 1. Default 0.1. */
  readonly maxDropRatio?: number
  /** Decide and count, but admit everything. Default false. */
  readonly dark?: boolean
}

/** How far an experiment cuts concurrency: enough to tell queueing from noise, little enough to go unnoticed. */
const EXPERIMENT_CUT = 0.75

/**
 * A concurrency limit that finds itself (the family of TCP Vegas and Netflix's Gradient). The upstream is a queue: as
 * long as it has free workers, latency does not depend on how much is in flight; once it has none, latency grows with
 * it. So a *cut* is an experiment. When less in flight buys less latency, there was a queue, and the cut stays. When
 * it buys nothing, there was none: the upstream has simply become slower, and the limit goes back up with the new
 * latency as its baseline. The baseline never moves on latency alone, so load cannot talk it upwards, and no window of
 * enforced near-zero concurrency is needed to measure it.
 *
 * Windows in which callers did not use the limit teach nothing about it and leave it alone. Only answers count: give
 * back failures, cancelled calls and streams with `onIgnored`, timeouts and "overloaded" answers with `onDropped`.
 * Every admitted call ends in exactly one of the three. About 10 ns a call, no allocation.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID`
 */
export class AdaptiveLimit {
  readonly dark: boolean
  readonly #minLimit: number
  readonly #maxLimit: number
  readonly #tolerance: number
  readonly #windowMs: number
  readonly #minSamples: number
  readonly #recheckMs: number
  readonly #maxDropRatio: number
  readonly #window: SampleWindow
  #limit: number
  #inflight = 0
  #baselineMs = 0
  #lastLatencyMs = 0
  /** Answers to requests that began before this belong to another limit and are not measured. */
  #epochMs: number
  #provenMs = -Infinity
  /** Doubling until the first sign of a queue, so that a cold start does not turn healthy load away for long. */
  #starting = true
  #floorSeen = false
  // The experiment that is running, if any: what things were like before the first cut.
  #experimenting = false
  #barrenCuts = 0
  #beforeLimit = 0
  #beforeLatencyMs = 0
  #beforeInflight = 0
  /** Calls refused, or in dark mode those that would have been. */
  rejected = 0

  constructor(options: AdaptiveLimitOptions, nowMs: number) {
    const { initialLimit = 20, minLimit = 1, maxLimit = 10_000, tolerance = 1.5, windowMs = 100 } = options
    const { minSamples = 40, recheckMs = 30_000, maxDropRatio = 0.1 } = options
    new OptionCheck('adaptive limit')
      .whole('minLimit', minLimit, 1)
      .whole('maxLimit', maxLimit, minLimit)
      .whole('initialLimit', initialLimit, minLimit)
      .that(
        initialLimit <= maxLimit,
        `initialLimit must be maxLimit (${maxLimit}) or less, got ${initialLimit}`,
      )
      .above('tolerance', tolerance, 1)
      .above('windowMs', windowMs, 0)
      .whole('minSamples', minSamples, 10)
      .above('recheckMs', recheckMs, 0)
      .that(
        maxDropRatio > 0 && maxDropRatio < 1,
        `maxDropRatio must be above 0 and below 1, got ${maxDropRatio}`,
      )
      .done()
    this.#limit = initialLimit
    this.#minLimit = minLimit
    this.#maxLimit = maxLimit
    this.#tolerance = tolerance
    this.#windowMs = windowMs
    this.#minSamples = minSamples
    this.#recheckMs = recheckMs
    this.#maxDropRatio = maxDropRatio
    this.#window = new SampleWindow(nowMs)
    this.#epochMs = nowMs
    this.dark = options.dark ?? false
  }

  /** Calls allowed at once now. Whole number. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  get inflight(): number {
    return this.#inflight
  }

  /** What a call takes while nothing queues, as far as known; 0 before the first window. Milliseconds. */
  get baselineMs(): number {
    return this.#baselineMs
  }

  /** Whether the limit is lowered for a moment to learn what that does to latency. */
  get experimenting(): boolean {
    return this.#experimenting
  }

  /** Whether `tryAcquire` would succeed. Asking does not count as wanting. */
  get hasRoom(): boolean {
    return this.dark || this.#inflight < this.limit
  }

  /** Takes a permit if there is one. */
  tryAcquire(): boolean {
    const window = this.#window
    if (this.#inflight >= this.limit) {
      window.limited = true
      this.rejected++
      if (!this.dark) return false
    }
    this.#inflight++
    if (this.#inflight > window.peakInflight) window.peakInflight = this.#inflight
    return true
  }

  /** The call that began at `startedMs` was answered. */
  onSuccess(startedMs: number, nowMs: number): void {
    const inflight = this.#inflight
    this.#release()
    if (startedMs >= this.#epochMs) this.#window.add(nowMs - startedMs, inflight)
    this.#judge(nowMs)
  }

  /** The call ended in a way that says nothing about queueing: a failure, an abort by the caller, a stream, a health check. */
  onIgnored(): void {
    this.#release()
  }

  /** The call timed out, or the upstream refused it for overload (503, 429). */
  onDropped(startedMs: number, nowMs: number): void {
    this.#release()
    if (startedMs >= this.#epochMs) this.#window.dropped++
    this.#judge(nowMs)
  }

  #release(): void {
    if (this.#inflight > 0) this.#inflight--
  }

  #judge(nowMs: number): void {
    const window = this.#window
    const answers = window.samples + window.dropped
    if (answers < this.#minSamples) return
    if (nowMs - window.startedMs < Math.max(this.#windowMs, 2 * this.#lastLatencyMs)) return
    this.#conclude(window, nowMs)
    window.restart(nowMs)
  }

  #conclude(window: SampleWindow, nowMs: number): void {
    const inflight = window.meanInflight
    const wanted = window.limited || window.peakInflight >= this.limit
    if (window.dropped > (window.samples + window.dropped) * this.#maxDropRatio) {
      this.#experimenting = false
      this.#starting = false
      if (wanted) this.#moveTo(this.#limit * 0.7, nowMs)
      return
    }
    const latencyMs = window.latencyMs()
    this.#lastLatencyMs = latencyMs
    // A window that filled up only towards its end pairs early latencies with late load: no ground for an experiment.
    const full = wanted && inflight >= 0.85 * this.limit
    if (this.#experimenting) this.#concludeExperiment(latencyMs, inflight, full, nowMs)
    else if (!wanted) this.#learnWhenIdle(latencyMs, window)
    else this.#steer(latencyMs, inflight, full, nowMs)
  }

  /** Few in flight and quick: that is what "no queue" looks like. Slow proves nothing here. */
  #learnWhenIdle(latencyMs: number, window: SampleWindow): void {
    if (this.#baselineMs === 0) this.#baselineMs = latencyMs
    else if (window.peakInflight * 2 <= this.#limit && latencyMs < this.#baselineMs)
      this.#baselineMs += 0.3 * (latencyMs - this.#baselineMs)
  }

  #steer(latencyMs: number, inflight: number, full: boolean, nowMs: number): void {
    if (this.#baselineMs === 0) this.#baselineMs = latencyMs
    const acceptedMs = this.#baselineMs * this.#tolerance
    const congested = latencyMs > acceptedMs
    if (this.dark && congested) {
      // Nothing is held back, so a cut would be no experiment. By Little's law this much would have been accepted.
      this.#limit = Math.max(this.#minLimit, (inflight * acceptedMs) / latencyMs)
      return
    }
    const due = !this.#starting && nowMs - this.#provenMs > this.#recheckMs
    if (full && (congested || due)) {
      this.#starting = false
      const ratio = Math.min(EXPERIMENT_CUT, Math.max(0.5, acceptedMs / latencyMs))
      this.#beginExperiment(latencyMs, inflight, ratio, nowMs)
    } else if (!congested) {
      const growth = this.#starting ? this.#limit : Math.max(1, Math.sqrt(this.#limit))
      this.#moveTo(this.#limit + growth, nowMs)
    }
  }

  #beginExperiment(latencyMs: number, inflight: number, ratio: number, nowMs: number): void {
    this.#beforeLimit = this.#limit
    this.#beforeLatencyMs = latencyMs
    this.#beforeInflight = inflight
    this.#barrenCuts = 0
    this.#cut(latencyMs, ratio, nowMs)
  }

  #cut(latencyMs: number, ratio: number, nowMs: number): void {
    const target = Math.max(this.#minLimit, this.#limit * ratio)
    this.#experimenting = Math.floor(target) < this.limit
    if (this.#experimenting) this.#moveTo(target, nowMs)
    // Nothing left to cut: what is measured at the floor is as free of our own queueing as it can be.
    else this.#prove(latencyMs, this.#limit + 1, nowMs)
  }

  #concludeExperiment(latencyMs: number, inflight: number, full: boolean, nowMs: number): void {
    this.#experimenting = false
    if (!full) {
      // Demand fell away meanwhile, so the cut was not what changed the latency.
      if (latencyMs < this.#baselineMs) this.#baselineMs = latencyMs
      this.#moveTo(this.#beforeLimit, nowMs)
      return
    }
    const cut = 1 - inflight / this.#beforeInflight
    const gain = 1 - latencyMs / this.#beforeLatencyMs
    if (gain < cut / 2) {
      // One barren cut may be luck; two, measured against the same start, are not.
      if (++this.#barrenCuts < 2) this.#cut(latencyMs, EXPERIMENT_CUT, nowMs)
      else this.#prove(latencyMs, this.#beforeLimit, nowMs)
      return
    }
    const deeper = latencyMs < this.#baselineMs
    if (deeper) this.#baselineMs = latencyMs
    // There was a queue. Go on while nobody has seen its end yet, or the end turns out to lie lower than believed.
    if (deeper || !this.#floorSeen) this.#beginExperiment(latencyMs, inflight, EXPERIMENT_CUT, nowMs)
  }

  /** Less in flight buys no more speed: this latency is the upstream's own. */
  #prove(latencyMs: number, limit: number, nowMs: number): void {
    // A baseline that rose is the dangerous kind of mistake, so it is put to the test again sooner.
    const soonerMs = latencyMs > this.#baselineMs * 1.2 ? this.#recheckMs * 0.9 : 0
    this.#baselineMs = latencyMs
    this.#floorSeen = true
    this.#provenMs = nowMs - soonerMs
    this.#moveTo(limit, nowMs)
  }

  #moveTo(limit: number, nowMs: number): void {
    this.#limit = Math.min(this.#maxLimit, Math.max(this.#minLimit, limit))
    this.#epochMs = nowMs
  }
}
