import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { errors } from './errors.ts'

/** What a drill may break in a service, through `/__fault` on the loopback interface when `SHOP_FAULTS=1`. */
export const faultsSchema = z.strictObject({
  /** Added to every request. Milliseconds. */
  delayMs: z.int().min(0).max(600_000).default(0),
  /** Share of requests that are answered with 500. */
  errorRatio: z.number().min(0).max(1).default(0),
  /** Requests are taken and never answered, until the fault is reset. */
  hang: z.boolean().default(false),
  /** catalog only: time of each database query instead of the usual one. Milliseconds. */
  queryMs: z.int().min(0).max(600_000).optional(),
  /** catalog only: database connections that are lost to others. */
  leakedConnections: z.int().min(0).max(10_000).default(0),
})

export type Faults = Readonly<z.output<typeof faultsSchema>>

/** The fault state of one service. */
export class FaultBox {
  #current: Faults = faultsSchema.parse({})
  #reset = new AbortController()

  get current(): Faults {
    return this.#current
  }

  /** Replaces all faults; what hung under the old ones goes on. */
  set(faults: Faults): void {
    this.#current = faults
    this.#reset.abort()
    this.#reset = new AbortController()
  }

  /** Lets a request suffer what is set. Ends when the faults change or the caller goes away. */
  async suffer(signal: AbortSignal): Promise<void> {
    const { delayMs, errorRatio, hang } = this.#current
    if (hang || delayMs > 0) {
      const over = AbortSignal.any([signal, this.#reset.signal])
      await sleep(hang ? 2_147_483_647 : delayMs, undefined, { signal: over }).catch(() => undefined)
      signal.throwIfAborted()
    }
    if (errorRatio > 0 && Math.random() < errorRatio) {
      throw errors.SHOP_FAULT_INJECTED(`a fault with errorRatio ${errorRatio} is set`)
    }
  }
}
