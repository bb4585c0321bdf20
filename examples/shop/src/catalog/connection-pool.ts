import { setTimeout as sleep } from 'node:timers/promises'
import { errors } from '../kit/errors.ts'
import type { FaultBox } from '../kit/faults.ts'

export interface ConnectionPoolOptions {
  readonly connections: number
  /** Time of one query. Milliseconds. */
  readonly queryMs: number
  /** How long a query may wait for a connection. Milliseconds. */
  readonly acquireTimeoutMs: number
}

interface Waiter {
  readonly admit: () => void
}

/**
 * The connections of catalog's database, simulated: a query holds one for its time. With all of them held, by slow queries or
 * by a leak, queries wait in line and then fail, which is the cause of the 2 a.m. incident.
 */
export class ConnectionPool {
  readonly #options: ConnectionPoolOptions
  readonly #faults: FaultBox
  readonly #waiting: Waiter[] = []
  #busy = 0

  constructor(options: ConnectionPoolOptions, faults: FaultBox) {
    this.#options = options
    this.#faults = faults
  }

  get busy(): number {
    return this.#busy
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Runs one query.
   *
   * @throws `SHOP_CONNECTIONS_EXHAUSTED` when no connection came free in time, `signal.reason` when the caller went away.
   */
  async query<Row>(read: () => Row, signal: AbortSignal): Promise<Row> {
    await this.#acquire(signal)
    try {
      await sleep(this.#faults.current.queryMs ?? this.#options.queryMs, undefined, { signal })
      return read()
    } finally {
      this.#busy--
      if (this.#hasFree) this.#waiting.shift()?.admit()
    }
  }

  get #hasFree(): boolean {
    return this.#busy + this.#faults.current.leakedConnections < this.#options.connections
  }

  async #acquire(signal: AbortSignal): Promise<void> {
    if (!this.#hasFree) {
      await new Promise<void>((resolve, reject) => {
        const leave = (error: Error): void => {
          clearTimeout(timer)
          signal.removeEventListener('abort', onAbort)
          this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
          reject(error)
        }
        const onAbort = (): void => leave(signal.reason as Error)
        const timer = setTimeout(() => leave(this.#exhausted()), this.#options.acquireTimeoutMs)
        const waiter: Waiter = {
          admit: () => {
            clearTimeout(timer)
            signal.removeEventListener('abort', onAbort)
            resolve()
          },
        }
        signal.addEventListener('abort', onAbort, { once: true })
        this.#waiting.push(waiter)
      })
    }
    this.#busy++
  }

  #exhausted(): Error {
    const { connections, acquireTimeoutMs } = this.#options
    return errors.SHOP_CONNECTIONS_EXHAUSTED(
      `none of the ${connections} database connections came free within ${acquireTimeoutMs} ms`,
    )
  }
}
