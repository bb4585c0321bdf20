import type { Timer } from '@breakwater/core'
import type { GatewayConfig } from '@breakwater/contract'
import type { Driver } from '@breakwater/http'
import { OverloadManager } from '@breakwater/resilience/load'
import type { OverloadReadings } from '@breakwater/resilience/load'

/** Reads the process at intervals and tells the overload manager. */
export class OverloadWatch {
  readonly manager: OverloadManager
  readonly #driver: Driver
  readonly #read: () => OverloadReadings
  readonly #intervalMs: number
  #timer: Timer | undefined

  private constructor(
    manager: OverloadManager,
    driver: Driver,
    read: () => OverloadReadings,
    intervalMs: number,
  ) {
    this.manager = manager
    this.#driver = driver
    this.#read = read
    this.#intervalMs = intervalMs
    // What it took to start is in the first reading: nobody was kept waiting by it.
    this.#schedule(() => void this.#read())
  }

  /** Undefined when the control is off or nobody can read the process. */
  static of(
    config: GatewayConfig['overload'],
    driver: Driver,
    read: (() => OverloadReadings) | undefined,
  ): OverloadWatch | undefined {
    if (config.mode === 'off' || read === undefined) return undefined
    const { maxEventLoopDelayMs, maxHeapRatio, maxFdRatio } = config
    const manager = new OverloadManager({
      loopDelayMs: steps(maxEventLoopDelayMs, Infinity),
      heapRatio: steps(maxHeapRatio, 1),
      descriptorRatio: steps(maxFdRatio, 1),
      dark: config.mode === 'dark',
    })
    return new OverloadWatch(manager, driver, read, config.intervalMs)
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #schedule(look: () => void): void {
    this.#timer = this.#driver.clock.schedule(this.#intervalMs, () => {
      look()
      this.#schedule(() => this.manager.report(this.#read(), this.#driver.clock.now()))
    })
  }
}

/** The configured limit is where shedding begins; keep-alive ends before it, accepting some way beyond. */
function steps(limit: number, most: number): { noKeepAliveAt: number; shedAt: number; stopAcceptAt: number } {
  if (limit === Infinity) return { noKeepAliveAt: Infinity, shedAt: Infinity, stopAcceptAt: Infinity }
  const stopAcceptAt = most === Infinity ? limit * 4 : limit + (most - limit) / 2
  return { noKeepAliveAt: limit * 0.9, shedAt: limit, stopAcceptAt: Math.max(limit, stopAcceptAt) }
}
