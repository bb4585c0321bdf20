import { WheelEntry } from '@breakwater/core'
import type { Clock, DeadlineWheel } from '@breakwater/core'

/** The part of a driver that machines take time from. */
export interface Timing {
  readonly clock: Clock
  readonly wheel: DeadlineWheel
}

/**
 * A deadline that is set and cleared on every request but rarely passes. Only setting it *earlier* touches the wheel; an entry
 * that comes up too early looks at the real time and goes back in.
 */
export class LazyTimer extends WheelEntry {
  readonly #wheel: DeadlineWheel
  readonly #fire: (nowMs: number) => void
  #dueMs = Infinity

  constructor(wheel: DeadlineWheel, fire: (nowMs: number) => void) {
    super()
    this.#wheel = wheel
    this.#fire = fire
  }

  set(dueMs: number): void {
    this.#dueMs = dueMs
    if (dueMs < this.atMs) this.#wheel.arm(this, dueMs)
  }

  clear(): void {
    this.#dueMs = Infinity
  }

  /** For the end of the owner's life: leaves nothing in the wheel. */
  release(): void {
    this.#dueMs = Infinity
    this.#wheel.disarm(this)
  }

  override onExpire(nowMs: number): void {
    if (this.#dueMs <= nowMs) {
      this.#dueMs = Infinity
      this.#fire(nowMs)
    } else if (this.#dueMs !== Infinity) this.#wheel.arm(this, this.#dueMs)
  }
}
