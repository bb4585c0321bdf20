import type { Random } from '@breakwater/core'
import { OptionCheck } from '../internal/option-check.ts'
import type { SlowStart } from '../slow-start/slow-start.ts'
import type { BalancedEndpoint } from './endpoint.ts'

export interface P2cEwmaOptions {
  /** How long a latency is remembered: after this, a third of it is left in the average. Milliseconds, above 0. Default 10 000. */
  readonly decayMs?: number
  /** What an endpoint that always fails is charged on top of its latency. Milliseconds, above 0. Default 1000. */
  readonly failurePenaltyMs?: number
  /** Longest pause an upstream can ask for with Retry-After. Milliseconds, 0 or more. Default 30 000. */
  readonly maxPauseMs?: number
  /** With a smaller share of usable endpoints than this, all are used: many marked bad more likely means a bad judge. 0–1. Default 0.5. */
  readonly panicRatio?: number
  readonly slowStart?: SlowStart
}

export interface P2cEwmaDeps {
  readonly random: Random
}

const NONE: readonly string[] = []
/** Weight of the newest answer in an endpoint's share of failures. */
const FAILURE_WEIGHT = 0.1

/**
 * Two endpoints at random, the less loaded one wins (power of two choices, Mitzenmacher 2001), where load is a
 * peak-sensitive moving average of latency times what is running (Finagle's Peak EWMA): one slow answer counts at
 * once, and is forgotten slowly.
 *
 * - Failures never lower an endpoint's latency and add a penalty that grows with the square of their share: one bad
 *   answer in a hundred is hardly noticed, an endpoint that fails fast every time looks slow instead of attractive.
 *   One that asks for a pause (429 with Retry-After) is passed over for so long, when others can serve.
 * - An endpoint nothing is known about is taken to be average, so it neither starves nor draws everything.
 * - Weight and slow start scale how often an endpoint is considered.
 * - Endpoints already tried for a request come last. `undefined` only when there is no endpoint at all.
 *
 * About 40 ns a pick, no allocation; O(endpoints) when most are unusable.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID`
 */
export class P2cEwmaBalancer {
  readonly #decayMs: number
  readonly #failurePenaltyMs: number
  readonly #maxPauseMs: number
  readonly #panicRatio: number
  readonly #slowStart: SlowStart | undefined
  readonly #random: Random
  #endpoints: readonly BalancedEndpoint[] = []
  #usable = 0
  #maxWeight = 1
  #uneven = false
  /** Plain moving average over all endpoints, successes only: what "usual" means. */
  #usualMs = 0
  /** Picks that ignored `usable` because too few endpoints were left. */
  panics = 0

  constructor(options: P2cEwmaOptions, deps: P2cEwmaDeps) {
    const { decayMs = 10_000, failurePenaltyMs = 1000, maxPauseMs = 30_000, panicRatio = 0.5 } = options
    new OptionCheck('balancer')
      .above('decayMs', decayMs, 0)
      .above('failurePenaltyMs', failurePenaltyMs, 0)
      .from0('maxPauseMs', maxPauseMs)
      .ratio('panicRatio', panicRatio)
      .done()
    this.#decayMs = decayMs
    this.#failurePenaltyMs = failurePenaltyMs
    this.#maxPauseMs = maxPauseMs
    this.#panicRatio = panicRatio
    this.#slowStart = options.slowStart
    this.#random = deps.random
  }

  /** Replaces the set of endpoints. Keep the objects of endpoints that stay: they carry what was learnt. */
  setEndpoints(endpoints: readonly BalancedEndpoint[]): void {
    const check = new OptionCheck('balancer')
    const ids = new Set<string>()
    for (const { id, weight } of endpoints) {
      check
        .above(`the weight of ${id}`, weight, 0)
        .that(!ids.has(id), `endpoint ids must differ, got ${id} twice`)
      ids.add(id)
    }
    check.done()
    this.#endpoints = [...endpoints]
    this.#usable = endpoints.filter(({ usable }) => usable).length
    this.#maxWeight = endpoints.reduce((most, { weight }) => Math.max(most, weight), 0) || 1
    this.#uneven = endpoints.some(({ weight }) => weight !== this.#maxWeight)
  }

  get endpoints(): readonly BalancedEndpoint[] {
    return this.#endpoints
  }

  /** Whether so few endpoints are usable that all are used. */
  get panicking(): boolean {
    return this.#usable === 0 || this.#usable < this.#endpoints.length * this.#panicRatio
  }

  /** Takes an endpoint out of use or back into it. One that comes back starts slowly. */
  setUsable(endpoint: BalancedEndpoint, usable: boolean, nowMs: number): void {
    if (endpoint.usable === usable) return
    endpoint.usable = usable
    if (usable) endpoint.startedMs = nowMs
    this.#usable += usable ? 1 : -1
  }

  /** Chooses an endpoint; `attempted` holds the ids of those already tried. Follow with `onStart`. */
  pick(nowMs: number, attempted: readonly string[] = NONE): BalancedEndpoint | undefined {
    const count = this.#endpoints.length
    if (count <= 1) return this.#endpoints[0]
    if (this.panicking) this.panics++
    const first = this.#draw(nowMs, attempted, undefined)
    if (first === undefined) return this.#fallBack(nowMs, attempted)
    const second = this.#draw(nowMs, attempted, first)
    if (second === undefined) return first
    // Less than a tenth is noise: without this the second best of idle equals would never be asked, nor measured, again.
    return this.#load(second, nowMs) * 1.1 < this.#load(first, nowMs) ? second : first
  }

  onStart(endpoint: BalancedEndpoint): void {
    endpoint.inflight++
  }

  /** The endpoint answered, in `latencyMs`. */
  onSuccess(endpoint: BalancedEndpoint, latencyMs: number, nowMs: number): void {
    this.#end(endpoint)
    this.#usualMs = this.#usualMs === 0 ? latencyMs : this.#usualMs + 0.05 * (latencyMs - this.#usualMs)
    this.#observe(endpoint, latencyMs, 0, nowMs)
  }

  /** The endpoint failed after `latencyMs`. `retryAfterMs`: how long it asked to be left alone, 0 if it did not. */
  onFailure(endpoint: BalancedEndpoint, latencyMs: number, nowMs: number, retryAfterMs = 0): void {
    this.#end(endpoint)
    // However fast it failed, it does not become quicker by it.
    this.#observe(endpoint, Math.max(latencyMs, this.#latency(endpoint, nowMs)), 1, nowMs)
    if (retryAfterMs > 0)
      endpoint.pausedUntilMs = Math.max(
        endpoint.pausedUntilMs,
        nowMs + Math.min(retryAfterMs, this.#maxPauseMs),
      )
  }

  /** The request ended in a way that says nothing about the endpoint: the caller went away, a stream ended. */
  onIgnored(endpoint: BalancedEndpoint): void {
    this.#end(endpoint)
  }

  #end(endpoint: BalancedEndpoint): void {
    if (endpoint.inflight > 0) endpoint.inflight--
  }

  #observe(endpoint: BalancedEndpoint, latencyMs: number, failure: 0 | 1, nowMs: number): void {
    const known = this.#latency(endpoint, nowMs)
    const ageMs = Math.max(1, nowMs - endpoint.measuredMs)
    const ratio = endpoint.failureRatio * this.#kept(endpoint, nowMs)
    endpoint.failureRatio = ratio + FAILURE_WEIGHT * (failure - ratio)
    if (endpoint.latencyMs === 0 || latencyMs >= known) endpoint.latencyMs = latencyMs
    else endpoint.latencyMs = latencyMs + (known - latencyMs) * Math.exp(-ageMs / this.#decayMs)
    endpoint.measuredMs = nowMs
  }

  #kept(endpoint: BalancedEndpoint, nowMs: number): number {
    return Math.exp(-Math.max(0, nowMs - endpoint.measuredMs) / this.#decayMs)
  }

  /** The average as of now: without news it drifts back to what is usual, so that one slow answer is not held against it for ever. */
  #latency(endpoint: BalancedEndpoint, nowMs: number): number {
    const { latencyMs } = endpoint
    if (latencyMs === 0) return this.#usualMs
    if (latencyMs <= this.#usualMs) return latencyMs
    return this.#usualMs + (latencyMs - this.#usualMs) * this.#kept(endpoint, nowMs)
  }

  #load(endpoint: BalancedEndpoint, nowMs: number): number {
    const running = ((1 + endpoint.inflight) * this.#maxWeight) / endpoint.weight
    let costMs = this.#latency(endpoint, nowMs) + 1e-3
    if (endpoint.failureRatio > 1e-3) {
      const ratio = endpoint.failureRatio * this.#kept(endpoint, nowMs)
      costMs += ratio * ratio * Math.max(this.#failurePenaltyMs, 20 * this.#usualMs)
    }
    return costMs * running
  }

  /** A random usable endpoint by weight, or `undefined` after a few unlucky draws. */
  #draw(
    nowMs: number,
    attempted: readonly string[],
    other: BalancedEndpoint | undefined,
  ): BalancedEndpoint | undefined {
    const endpoints = this.#endpoints
    for (let tries = 0; tries < 8; tries++) {
      const drawn = endpoints[Math.floor(this.#random() * endpoints.length)] as BalancedEndpoint
      // With unequal weights the same one may be drawn twice, or a light endpoint would never win while it is idle.
      if (drawn === other && this.#uneven && this.#random() < drawn.weight / this.#maxWeight) return drawn
      if (drawn === other || !this.#mayServe(drawn, nowMs, attempted)) continue
      const share = (drawn.weight / this.#maxWeight) * (this.#slowStart?.factor(drawn.startedMs, nowMs) ?? 1)
      if (share >= 1 || this.#random() < share) return drawn
    }
    return undefined
  }

  #mayServe(endpoint: BalancedEndpoint, nowMs: number, attempted: readonly string[]): boolean {
    return (
      (endpoint.usable || this.panicking) &&
      endpoint.pausedUntilMs <= nowMs &&
      !attempted.includes(endpoint.id)
    )
  }

  /**
   * Looks at every endpoint, from a random one on, and takes the least loaded of the best group there is: usable,
   * resting, tried before. In a panic being unusable does not count.
   */
  #fallBack(nowMs: number, attempted: readonly string[]): BalancedEndpoint | undefined {
    const panicking = this.panicking
    let best: BalancedEndpoint | undefined
    let bestRank = Infinity
    const count = this.#endpoints.length
    const offset = Math.floor(this.#random() * count)
    for (let step = 0; step < count; step++) {
      const endpoint = this.#endpoints[(offset + step) % count] as BalancedEndpoint
      let rank = attempted.includes(endpoint.id) ? 2 : 0
      if (endpoint.pausedUntilMs > nowMs) rank += 1
      if (!endpoint.usable && !panicking) rank += 4
      if (rank > bestRank) continue
      if (rank === bestRank && best !== undefined && this.#load(endpoint, nowMs) >= this.#load(best, nowMs))
        continue
      best = endpoint
      bestRank = rank
    }
    return best
  }
}
