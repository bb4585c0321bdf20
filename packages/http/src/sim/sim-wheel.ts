import type { Timer, WheelEntry } from '@breakwater/core'
import { DeadlineWheel } from '@breakwater/core'
import type { Turns } from './turns.ts'

/**
 * A deadline wheel that moves itself in virtual time: it wakes exactly when the earliest deadline is due and sleeps
 * while none is armed, so that hours without traffic cost nothing.
 */
export class SimWheel extends DeadlineWheel {
  readonly #turns: Turns
  readonly #isStill: () => boolean
  #timer: Timer | undefined
  #wakeAtMs = Infinity

  constructor(turns: Turns, isStill: () => boolean) {
    super(turns.clock.now())
    this.#turns = turns
    this.#isStill = isStill
  }

  override arm(deadline: WheelEntry, atMs: number): void {
    super.arm(deadline, atMs)
    if (atMs < this.#wakeAtMs) this.#wake(atMs)
  }

  /** Takes up the deadlines that fell due while the host stood still. */
  goOn(): void {
    this.#wake(this.#turns.clock.now())
  }

  #wake(atMs: number): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#wakeAtMs = atMs
    if (atMs === Infinity) return
    this.#timer = this.#turns.clock.schedule(atMs - this.#turns.clock.now(), () => this.#tick())
  }

  #tick(): void {
    const wakeAtMs = this.#wakeAtMs
    this.#timer = undefined
    this.#wakeAtMs = Infinity
    if (this.#isStill()) return
    // The clock may stand a rounding error before the time that was asked for: `now + (at - now)` is not always `at`.
    const nowMs = Math.max(this.#turns.enter(), wakeAtMs)
    this.advance(nowMs)
    this.#turns.leave()
    const dueMs = this.size > 0 ? this.nextDueMs() : Infinity
    if (dueMs < this.#wakeAtMs) this.#wake(Math.max(dueMs, nowMs))
  }
}
