import { VirtualClock, createRandom } from '@breakwater/core'
import type { Timer } from '@breakwater/core'

import type { Lab } from './lab.ts'

/** Virtual time and seeded luck: the same seed gives the same run, on every machine. */
export interface SimLab extends Lab {
  readonly kind: 'sim'
  readonly clock: VirtualClock
}

/** @internal */
export interface SimLabOptions {
  readonly seed: number
  readonly signal: AbortSignal
  /** Throws when the run has used up its real time. Called every so often from inside virtual time. */
  readonly checkBudget: () => void
  readonly defer: Lab['defer']
}

/** Virtual milliseconds between two returns to the event loop, where time-outs and interrupts get their chance. */
const BREATHE_EVERY_MS = 100
const CHECK_EVERY_TASKS = 4096

/**
 * A virtual clock that cannot run away with the process: it lets the event loop breathe at fixed *virtual* times (so
 * that real time has no influence on the run) and gives up when the budget of real time is spent.
 */
class BoundedClock extends VirtualClock {
  readonly #checkBudget: () => void
  #scheduled = 0

  constructor(checkBudget: () => void) {
    super()
    this.#checkBudget = checkBudget
  }

  override schedule(delayMs: number, task: () => void): Timer {
    if (++this.#scheduled % CHECK_EVERY_TASKS === 0) this.#checkBudget()
    return super.schedule(delayMs, task)
  }

  override runUntil(untilMs: number): void {
    this.#checkBudget()
    super.runUntil(untilMs)
  }

  override async advance(deltaMs: number): Promise<void> {
    const untilMs = this.now() + deltaMs
    for (;;) {
      const breathAtMs = (Math.floor(this.now() / BREATHE_EVERY_MS) + 1) * BREATHE_EVERY_MS
      await super.advance(Math.max(0, Math.min(untilMs, breathAtMs) - this.now()))
      if (breathAtMs > untilMs) return
      await new Promise((resolve) => setImmediate(resolve))
      this.#checkBudget()
      if (breathAtMs === untilMs) return
    }
  }
}

/** @internal */
export function openSimLab(options: SimLabOptions): SimLab {
  const { seed, signal, defer } = options
  return {
    kind: 'sim',
    seed,
    signal,
    defer,
    random: createRandom(seed),
    clock: new BoundedClock(options.checkBudget),
  }
}
