import type { Clock } from '@breakwater/core'

/** A transport that has writes to send when the turn is over. */
export interface Flushable {
  flush(): void
}

/** Bounds of turns: what is written during a call of the network leaves when that call returns. */
export class Turns {
  readonly clock: Clock
  #dirty: Flushable[] = []
  #inside = false

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Whether the network is calling somebody now. Outside, writes are sent by a task of their own. */
  get isInside(): boolean {
    return this.#inside
  }

  enter(): number {
    this.#inside = true
    return this.clock.now()
  }

  leave(): void {
    this.flush()
    this.#inside = false
  }

  /** Sends what was written so far: the end of a turn that another follows at once. */
  flush(): void {
    while (this.#dirty.length > 0) {
      const dirty = this.#dirty
      this.#dirty = []
      for (const transport of dirty) transport.flush()
    }
  }

  flushLater(transport: Flushable): void {
    if (this.#inside) this.#dirty.push(transport)
    else this.clock.schedule(0, () => transport.flush())
  }
}
