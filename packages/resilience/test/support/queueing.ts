import { createRandom, VirtualClock } from '@breakwater/core'
import type { Random } from '@breakwater/core'

/** A server with `workers` that each do one job at a time, first come first served: latency grows with load. */
export class QueueingServer {
  workers: number
  /** Mean time one job takes a worker. */
  serviceMs: number
  readonly #clock: VirtualClock
  readonly #random: Random
  readonly #spread: number
  readonly #waiting: (() => void)[] = []
  busy = 0
  done = 0

  constructor(clock: VirtualClock, workers: number, serviceMs: number, random: Random, spread = 0.5) {
    this.#clock = clock
    this.workers = workers
    this.serviceMs = serviceMs
    this.#random = random
    this.#spread = spread
  }

  get queued(): number {
    return this.#waiting.length
  }

  submit(onDone: () => void): void {
    this.#waiting.push(onDone)
    this.#pump()
  }

  #pump(): void {
    while (this.busy < this.workers) {
      const onDone = this.#waiting.shift()
      if (onDone === undefined) return
      this.busy++
      const tookMs = this.serviceMs * (1 - this.#spread + 2 * this.#spread * this.#random())
      this.#clock.schedule(tookMs, () => {
        this.busy--
        this.done++
        onDone()
        this.#pump()
      })
    }
  }
}

/** Calls `arrive` at `perSecond()` on average, at the random intervals of independent callers. */
export function poisson(
  clock: VirtualClock,
  random: Random,
  perSecond: () => number,
  arrive: () => void,
): void {
  const next = (): void => {
    clock.schedule((-Math.log(1 - random()) / perSecond()) * 1000, () => {
      arrive()
      next()
    })
  }
  next()
}

export { createRandom, VirtualClock }
