import { DeadlineWheel } from '@breakwater/core'
import type { WheelEntry } from '@breakwater/core'
import type { NetTurns } from './turns.ts'

/** A wheel that moves itself: it sleeps until the first slot with something in it, and does not wake for none. @internal */
export class TickingWheel extends DeadlineWheel {
  readonly #turns: NetTurns
  #timer: NodeJS.Timeout | undefined
  #wakeAtMs = Infinity

  constructor(turns: NetTurns) {
    super(turns.clock.now())
    this.#turns = turns
  }

  override arm(deadline: WheelEntry, atMs: number): void {
    super.arm(deadline, atMs)
    // A slot later: others that fall due in the same one are done with it.
    if (atMs + this.slotMs < this.#wakeAtMs) this.#sleepUntil(atMs + this.slotMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#wakeAtMs = Infinity
  }

  #sleepUntil(atMs: number): void {
    clearTimeout(this.#timer)
    this.#wakeAtMs = atMs
    if (atMs === Infinity) return
    const delayMs = Math.max(1, Math.ceil(atMs - this.#turns.clock.now()))
    // Sockets keep a process alive; their time-outs need not. Longer than a timer can wait it wakes for nothing.
    this.#timer = setTimeout(() => this.#wake(), Math.min(delayMs, 0x7fff_ffff)).unref()
  }

  #wake(): void {
    // Whatever is armed meanwhile waits for the look at the end.
    this.#wakeAtMs = -Infinity
    this.#turns.run((nowMs) => this.advance(nowMs))
    this.#sleepUntil(this.nextLookMs())
  }
}
