import { OptionCheck } from '../internal/option-check.ts'
import { seededHash } from '../internal/hash.ts'
import { FairQueue } from './fair-queue.ts'
import type { Flow, Waiter } from './waiter.ts'

export interface LoadShedderOptions {
  /** Waiters at the most, of all priorities. Whole number, 1 or more. Default 1024. */
  readonly maxQueued?: number
  /** A queue that is never shorter than this for a whole interval is no burst but an overload. Milliseconds, above 0. Default 5. */
  readonly targetDelayMs?: number
  /** How long a queue may stand before it counts as overload. Milliseconds, above 0. Default 100. */
  readonly intervalMs?: number
  /** Longest wait while there is no overload: the burst that is absorbed. Milliseconds, `overloadDelayMs` or more. Default 100. */
  readonly maxDelayMs?: number
  /** Longest wait under overload. Milliseconds, `targetDelayMs` or more. Default 20. */
  readonly overloadDelayMs?: number
  /** Number of priorities, 1 to 64: 0 (most important) up to one less. Default 4, as in `Call`: critical, high, normal, background. */
  readonly priorities?: number
  /** Buckets tenants are spread over, for fairness inside a priority. A power of two. Default 128. */
  readonly tenantBuckets?: number
  /** Decide and count, but turn away only what exceeds `maxQueued`. Default false. */
  readonly dark?: boolean
}

export interface LoadShedderDeps {
  /** Secret start of the hash that spreads tenants over buckets: 32 bits that outsiders cannot guess. */
  readonly seed: number
  /** Called for a waiter that is turned away after it was queued: pushed out, or kept too long. */
  readonly onShed: (waiter: Waiter, nowMs: number) => void
}

/** Weight of one new gap between departures in the estimate of the queue's pace. */
const PACE_WEIGHT = 1 / 16

/**
 * A bounded queue in front of limited capacity that turns work away as early as it can be known to come too late.
 *
 * - On arrival, in O(1) and before any body is read: what would wait longer than allowed, judged by how many are
 *   ahead and by the pace of the last departures, or past its own deadline, is refused.
 * - The allowed wait is generous for a burst and short under overload. Overload is a *standing* queue: one whose
 *   shortest length in a whole interval, measured in time, stays above the target (after CoDel, RFC 8289).
 * - Priorities are strict: 0 first. A full queue pushes out the least important; within a priority, tenants take
 *   turns, and it is a tenant above its equal share who is pushed out.
 * - What has waited too long is dropped when its turn comes, and then the newest of that tenant is served instead of
 *   the oldest: when waits turn out longer than foreseen, a queue in order of age hands out expired work only.
 *
 * It counts nothing that is running: `offer` when there is no free capacity, `next` when some has come free. About
 * 50 ns a call, no allocation.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID`
 */
export class LoadShedder {
  readonly dark: boolean
  readonly #maxQueued: number
  readonly #targetDelayMs: number
  readonly #intervalMs: number
  readonly #maxDelayMs: number
  readonly #overloadDelayMs: number
  readonly #queue: FairQueue
  readonly #priorities: number
  readonly #seed: number
  readonly #onShed: (waiter: Waiter, nowMs: number) => void
  #paceMs = 0
  /** The last departure, or the moment the queue stopped being empty. */
  #movedMs = 0
  #intervalStartedMs = 0
  #shortestMs = Infinity
  #overloaded = false
  /**
   * How long the work itself takes once it has its turn: what would have less than this left by then is turned away.
   * Milliseconds. Keep it up to date from a measurement, `AdaptiveLimit.baselineMs` for instance.
   */
  workMs = 0
  /** Turned away on arrival; in dark mode those that would have been. */
  rejected = 0
  /** Turned away after waiting. */
  dropped = 0

  constructor(options: LoadShedderOptions, deps: LoadShedderDeps) {
    const { maxQueued = 1024, targetDelayMs = 5, intervalMs = 100, maxDelayMs = 100 } = options
    const { overloadDelayMs = 20, priorities = 4, tenantBuckets = 128 } = options
    new OptionCheck('load shedder')
      .whole('maxQueued', maxQueued, 1)
      .above('targetDelayMs', targetDelayMs, 0)
      .above('intervalMs', intervalMs, 0)
      .that(
        overloadDelayMs >= targetDelayMs,
        `overloadDelayMs must be targetDelayMs (${targetDelayMs}) or more, got ${overloadDelayMs}`,
      )
      .that(
        maxDelayMs >= overloadDelayMs,
        `maxDelayMs must be overloadDelayMs (${overloadDelayMs}) or more, got ${maxDelayMs}`,
      )
      .whole('priorities', priorities, 1)
      .that(priorities <= 64, `priorities must be 64 or less, got ${priorities}`)
      .powerOfTwo('tenantBuckets', tenantBuckets)
      .done()
    this.#maxQueued = maxQueued
    this.#targetDelayMs = targetDelayMs
    this.#intervalMs = intervalMs
    this.#maxDelayMs = maxDelayMs
    this.#overloadDelayMs = overloadDelayMs
    this.#queue = new FairQueue(priorities, tenantBuckets)
    this.#priorities = priorities
    this.#seed = deps.seed
    this.#onShed = deps.onShed
    this.dark = options.dark ?? false
  }

  get queued(): number {
    return this.#queue.size
  }

  /** Whether a queue has been standing for an interval or more. */
  get overloaded(): boolean {
    return this.#overloaded
  }

  /** How long a new arrival of `priority` would wait, by what is ahead of it and the recent pace. Milliseconds. */
  expectedDelayMs(priority: number, nowMs: number): number {
    const ahead = this.#queue.sizeUpTo(this.#clamp(priority))
    if (ahead === 0) return 0
    // Nothing has left for longer than usual: the pace is at least that slow by now.
    return ahead * Math.max(this.#paceMs, nowMs - this.#movedMs)
  }

  /** The number for `Waiter.tenant`. Keep it with the tenant: this costs a hash. */
  tenantOf(key: string): number {
    return seededHash(key, this.#seed)
  }

  /** Lets `waiter` in and returns true, or false: turn it away now. */
  offer(waiter: Waiter, nowMs: number): boolean {
    waiter.priority = this.#clamp(waiter.priority)
    const delayMs = this.expectedDelayMs(waiter.priority, nowMs)
    const allowedMs = this.#overloaded ? this.#overloadDelayMs : this.#maxDelayMs
    if (nowMs + delayMs + this.workMs >= waiter.deadlineMs || delayMs > allowedMs) {
      if (!this.#mayReplace(waiter, nowMs)) {
        this.rejected++
        if (!this.dark) return false
      }
    }
    if (this.#queue.size >= this.#maxQueued && !this.#makeRoom(waiter, nowMs)) {
      if (!this.dark) this.rejected++
      else this.dropped++
      return false
    }
    if (this.#queue.size === 0) this.#movedMs = nowMs
    waiter.enqueuedMs = nowMs
    this.#queue.push(waiter)
    return true
  }

  /** The waiter whose turn it is, or `undefined` when nobody waits. Those kept too long are shed on the way. */
  next(nowMs: number): Waiter | undefined {
    for (let flow = this.#queue.turn(); flow !== undefined; flow = this.#queue.turn()) {
      const dropped = this.#dropLate(flow, nowMs)
      const waiter = dropped ? flow.newest : flow.oldest
      if (waiter === undefined) continue
      this.#queue.pass(flow)
      this.#queue.remove(waiter)
      if (this.#isLate(waiter, nowMs)) {
        this.dropped++
        if (!this.dark) {
          this.#onShed(waiter, nowMs)
          continue
        }
      }
      this.#paceMs += PACE_WEIGHT * (nowMs - this.#movedMs - this.#paceMs)
      this.#movedMs = nowMs
      this.#note(this.#queue.size * this.#paceMs, nowMs)
      return waiter
    }
    this.#note(0, nowMs)
    return undefined
  }

  /** Takes out a waiter whose caller has gone. False when it was not in the queue. */
  cancel(waiter: Waiter): boolean {
    return this.#queue.remove(waiter)
  }

  /** Tells the shedder that work went through without having to wait: there is no standing queue. */
  passed(nowMs: number): void {
    this.#note(0, nowMs)
  }

  #clamp(priority: number): number {
    return Math.min(this.#priorities - 1, Math.max(0, Math.trunc(priority) || 0))
  }

  #isLate(waiter: Waiter, nowMs: number): boolean {
    const allowedMs = this.#overloaded ? this.#overloadDelayMs : this.#maxDelayMs
    return waiter.deadlineMs <= nowMs + this.workMs || nowMs - waiter.enqueuedMs > allowedMs
  }

  #dropLate(flow: Flow, nowMs: number): boolean {
    if (this.dark) return false
    let dropped = false
    for (let waiter = flow.oldest; waiter !== undefined; waiter = flow.oldest) {
      if (!this.#isLate(waiter, nowMs)) break
      dropped = true
      this.#evict(waiter, nowMs)
    }
    return dropped
  }

  #note(standingMs: number, nowMs: number): void {
    // One moment without a queue proves that none is standing; there is no need to wait for the interval's end.
    if (standingMs < this.#targetDelayMs) this.#overloaded = false
    const over = nowMs - this.#intervalStartedMs >= this.#intervalMs
    const first = this.#shortestMs === Infinity
    this.#shortestMs = Math.min(this.#shortestMs, standingMs)
    if (!over) return
    this.#intervalStartedMs = nowMs
    // After a pause one look is no interval.
    if (first) return
    this.#overloaded = this.#shortestMs > this.#targetDelayMs
    this.#shortestMs = Infinity
  }

  /** Too many ahead, but some of them may be a greedy neighbour's: then one of those goes instead. */
  #mayReplace(waiter: Waiter, nowMs: number): boolean {
    if (waiter.deadlineMs <= nowMs + this.workMs || this.dark) return false
    const { priority, tenant } = waiter
    if (this.#queue.sizeOf(priority) === 0 || this.#queue.holdsItsShare(priority, tenant)) return false
    const victim = this.#queue.overShare(priority, tenant)
    if (victim === undefined) return false
    this.#evict(victim, nowMs)
    return true
  }

  #makeRoom(waiter: Waiter, nowMs: number): boolean {
    const victim = this.#queue.leastImportantBelow(waiter.priority)
    if (victim !== undefined) {
      this.#evict(victim, nowMs)
      return true
    }
    return this.#mayReplace(waiter, nowMs)
  }

  #evict(victim: Waiter, nowMs: number): void {
    this.#queue.remove(victim)
    this.dropped++
    this.#onShed(victim, nowMs)
  }
}
