import { Deadline } from '@breakwater/core'
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
export class LazyTimer {
  readonly #wheel: DeadlineWheel
  readonly #deadline: Deadline
  #dueMs = Infinity

  constructor(wheel: DeadlineWheel, fire: (nowMs: number) => void) {
    this.#wheel = wheel
    this.#deadline = new Deadline((nowMs) => {
      if (this.#dueMs <= nowMs) {
        this.#dueMs = Infinity
        fire(nowMs)
      } else if (this.#dueMs !== Infinity) wheel.arm(this.#deadline, this.#dueMs)
    })
  }

  set(atMs: number): void {
    this.#dueMs = atMs
    if (atMs < this.#deadline.atMs) this.#wheel.arm(this.#deadline, atMs)
  }

  clear(): void {
    this.#dueMs = Infinity
  }

  /** For the end of the owner's life: leaves nothing in the wheel. */
  release(): void {
    this.#dueMs = Infinity
    this.#wheel.disarm(this.#deadline)
  }
}
