import { BulkheadTicket } from '@breakwater/resilience/machines'
import type { Bulkhead } from '@breakwater/resilience/machines'
import { LoadShedder, Waiter } from '@breakwater/resilience/load'
import type { AdaptiveLimit, LoadShedderOptions } from '@breakwater/resilience/load'
import { Deadline } from '@breakwater/core'
import type { DeadlineWheel } from '@breakwater/core'

/** Why a call was not let through to its upstream. */
export type TurnedAway = 'queue-full' | 'shed' | 'waited-too-long'

/** One call that asks for capacity. It is told once: during `enter`, or later when it had to wait. */
export interface CapacityClaim {
  /** 0 critical … 3 low. */
  readonly priority: number
  /** `CapacityGate.tenantOf` of its tenant. */
  readonly tenant: number
  /** Monotonic milliseconds. */
  readonly deadlineMs: number
  onCapacity(nowMs: number): void
  onTurnedAway(why: TurnedAway, nowMs: number): void
}

/** A claim that stands in the queue; `cancel` when its caller goes away. */
export interface PendingClaim {
  cancel(): void
}

/** A claim's place in the shedder's queue. */
class ShedPlace extends Waiter {
  readonly claim: CapacityClaim
  /** When it has waited long enough, whether anybody leaves before then or not. */
  readonly expiry: Deadline

  constructor(claim: CapacityClaim, onExpire: (place: ShedPlace, nowMs: number) => void) {
    super()
    this.claim = claim
    this.expiry = new Deadline((nowMs) => onExpire(this, nowMs))
    this.priority = claim.priority
    this.tenant = claim.tenant
    this.deadlineMs = claim.deadlineMs
  }
}

export interface CapacityParts {
  readonly bulkhead: Bulkhead | undefined
  readonly adaptiveLimit: AdaptiveLimit | undefined
  /** Turns away by priority and waiting time. Without it the bulkhead's own queue serves the earliest deadline first. */
  readonly shed: LoadShedderOptions | undefined
}

export interface CapacityDeps {
  readonly wheel: DeadlineWheel
  /** Secret that spreads tenants over buckets. */
  readonly seed: number
}

/**
 * The calls under way to one upstream: bounded by the bulkhead and by the limit that adapts, with one queue in front of
 * both. A freed place goes to the queue before any newcomer.
 */
export class CapacityGate {
  readonly bulkhead: Bulkhead | undefined
  readonly adaptiveLimit: AdaptiveLimit | undefined
  readonly shedder: LoadShedder | undefined
  readonly #wheel: DeadlineWheel
  readonly #expiry: Deadline
  readonly #maxWaitMs: number

  constructor({ bulkhead, adaptiveLimit, shed }: CapacityParts, { wheel, seed }: CapacityDeps) {
    this.bulkhead = bulkhead
    this.adaptiveLimit = adaptiveLimit
    this.#wheel = wheel
    this.#expiry = new Deadline((nowMs) => this.#onExpiry(nowMs))
    this.#maxWaitMs = shed?.maxDelayMs ?? Infinity
    if (shed === undefined || (bulkhead === undefined && adaptiveLimit === undefined)) return
    const onShed = (waiter: Waiter, nowMs: number): void => {
      if (!(waiter instanceof ShedPlace)) return
      wheel.disarm(waiter.expiry)
      waiter.claim.onTurnedAway('shed', nowMs)
    }
    this.shedder = new LoadShedder(shed, { seed, onShed })
  }

  tenantOf(tenant: string): number {
    return this.shedder?.tenantOf(tenant) ?? 0
  }

  /**
   * Asks for a place. The claim is told at once, or a pending claim is returned and it is told later. Every
   * `onCapacity` is followed by exactly one `leave`.
   */
  enter(claim: CapacityClaim, nowMs: number): PendingClaim | undefined {
    if (this.tryEnter(nowMs)) {
      claim.onCapacity(nowMs)
      return undefined
    }
    return this.shedder === undefined
      ? this.#waitInBulkhead(claim, nowMs)
      : this.#waitInShedder(claim, this.shedder, nowMs)
  }

  /** Takes a place that is free now and that nobody waits for. Every `true` is followed by exactly one `leave`. */
  tryEnter(nowMs: number): boolean {
    if ((this.shedder?.queued ?? 0) > 0 || !this.#tryAcquire()) return false
    this.shedder?.passed(nowMs)
    return true
  }

  /** Gives the place back and lets the next in. `latencyMs` undefined: the call says nothing about the load. */
  leave(verdict: 'success' | 'dropped' | 'ignored', latencyMs: number, nowMs: number): void {
    if (this.adaptiveLimit !== undefined) {
      if (verdict === 'success') this.adaptiveLimit.onSuccess(nowMs - latencyMs, nowMs)
      else if (verdict === 'dropped') this.adaptiveLimit.onDropped(nowMs - latencyMs, nowMs)
      else this.adaptiveLimit.onIgnored()
    }
    this.bulkhead?.release(nowMs)
    this.#admitWaiting(nowMs)
  }

  #tryAcquire(): boolean {
    if (this.adaptiveLimit !== undefined && !this.adaptiveLimit.tryAcquire()) return false
    if (this.bulkhead === undefined || this.bulkhead.tryAcquire()) return true
    this.adaptiveLimit?.onIgnored()
    return false
  }

  #waitInShedder(claim: CapacityClaim, shedder: LoadShedder, nowMs: number): PendingClaim | undefined {
    const place = new ShedPlace(claim, (late, atMs) => {
      if (shedder.cancel(late)) late.claim.onTurnedAway('waited-too-long', atMs)
    })
    if (!shedder.offer(place, nowMs)) {
      claim.onTurnedAway('shed', nowMs)
      return undefined
    }
    this.#admitWaiting(nowMs)
    if (!place.waiting) return undefined
    this.#wheel.arm(place.expiry, nowMs + this.#maxWaitMs)
    return {
      cancel: () => {
        this.#wheel.disarm(place.expiry)
        shedder.cancel(place)
      },
    }
  }

  #waitInBulkhead(claim: CapacityClaim, nowMs: number): PendingClaim | undefined {
    const { bulkhead } = this
    if (bulkhead === undefined) {
      claim.onTurnedAway('queue-full', nowMs)
      return undefined
    }
    const ticket = new BulkheadTicket((isAdmitted, atMs) => {
      if (!isAdmitted) claim.onTurnedAway('waited-too-long', atMs)
      else if (this.adaptiveLimit === undefined || this.adaptiveLimit.tryAcquire()) claim.onCapacity(atMs)
      else {
        bulkhead.release(atMs)
        claim.onTurnedAway('queue-full', atMs)
      }
    })
    if (!bulkhead.enqueue(ticket, claim.deadlineMs, nowMs)) {
      claim.onTurnedAway('queue-full', nowMs)
      return undefined
    }
    this.#armExpiry()
    return { cancel: () => void bulkhead.cancel(ticket) }
  }

  #admitWaiting(nowMs: number): void {
    const { shedder } = this
    if (shedder === undefined) return
    while (shedder.queued > 0 && this.#tryAcquire()) {
      const next = shedder.next(nowMs)
      if (next instanceof ShedPlace) {
        this.#wheel.disarm(next.expiry)
        next.claim.onCapacity(nowMs)
        continue
      }
      this.adaptiveLimit?.onIgnored()
      this.bulkhead?.release(nowMs)
      return
    }
  }

  #armExpiry(): void {
    const dueMs = this.bulkhead?.nextExpiryMs() ?? Infinity
    if (dueMs < this.#expiry.atMs) this.#wheel.arm(this.#expiry, dueMs)
  }

  #onExpiry(nowMs: number): void {
    this.bulkhead?.expire(nowMs)
    this.#armExpiry()
  }
}
