import { errors } from './errors.ts'

/**
 * The workers of a service: so many requests are worked on at a time, so many wait in line. As in most services of the
 * world a worker that waits for a downstream is a worker that is gone, which is how one slow service takes others down.
 */
export class WorkSlots {
  readonly #waiting: (() => void)[] = []
  readonly #maxConcurrent: number
  readonly #maxWaiting: number
  #busy = 0

  constructor(maxConcurrent: number, maxWaiting: number) {
    this.#maxConcurrent = maxConcurrent
    this.#maxWaiting = maxWaiting
  }

  get busy(): number {
    return this.#busy
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Takes a worker, after waiting in line when all are busy. Release it exactly once.
   *
   * @throws `SHOP_WORKERS_EXHAUSTED` when the line is full, `signal.reason` when the caller leaves the line.
   */
  async take(signal: AbortSignal): Promise<void> {
    if (this.#busy < this.#maxConcurrent) {
      this.#busy++
      return
    }
    if (this.#waiting.length >= this.#maxWaiting) {
      throw errors.SHOP_WORKERS_EXHAUSTED(
        `all ${this.#maxConcurrent} workers are busy and ${this.#maxWaiting} requests wait already`,
      )
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(admit), 1)
        reject(signal.reason as Error)
      }
      const admit = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.push(admit)
    })
  }

  /** Hands the worker to the next in line, or sets it free. */
  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#busy--
    else next()
  }
}
