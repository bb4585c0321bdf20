import type { LoadShedder } from './load-shedder.ts'
import type { Waiter } from './waiter.ts'

/** Where the gate gets its permits from. `AdaptiveLimit` is one. */
export interface Permits {
  readonly hasRoom: boolean
  /** How long admitted work takes, as far as known; 0 if not. Milliseconds. */
  readonly baselineMs: number
  tryAcquire(): boolean
  /** Gives a permit back that was not used. */
  onIgnored(): void
}

/**
 * A concurrency limit with a shedding queue in front of it. Ask `arrive` for every request; after every end of one
 * (first give its permit back to the limit) call `pump`.
 */
export class AdmissionGate {
  readonly #permits: Permits
  readonly #shedder: LoadShedder
  readonly #start: (waiter: Waiter, nowMs: number) => void

  /** `start` is called for a queued waiter when its turn has come; it then holds a permit. */
  constructor(permits: Permits, shedder: LoadShedder, start: (waiter: Waiter, nowMs: number) => void) {
    this.#permits = permits
    this.#shedder = shedder
    this.#start = start
  }

  /** `run`: it holds a permit, go ahead. `wait`: `start` or the shedder's `onShed` follows. `shed`: turn it away now. */
  arrive(waiter: Waiter, nowMs: number): 'run' | 'wait' | 'shed' {
    if (this.#shedder.queued === 0 && this.#permits.tryAcquire()) {
      this.#shedder.passed(nowMs)
      return 'run'
    }
    this.#shedder.workMs = this.#permits.baselineMs
    if (!this.#shedder.offer(waiter, nowMs)) return 'shed'
    this.pump(nowMs)
    return 'wait'
  }

  /** Starts as many waiters as there are permits. */
  pump(nowMs: number): void {
    while (this.#shedder.queued > 0 && this.#permits.hasRoom) {
      if (!this.#permits.tryAcquire()) return
      const waiter = this.#shedder.next(nowMs)
      if (waiter === undefined) {
        this.#permits.onIgnored()
        return
      }
      this.#start(waiter, nowMs)
    }
  }
}
