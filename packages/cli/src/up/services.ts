import type { ServiceConfig } from '@breakwater/contract'
import { Service } from './service.ts'
import type { ServiceDeps } from './service.ts'
import { Watchdog } from './watchdog.ts'

export interface ServicesDeps {
  readonly environment: ServiceDeps['environment']
  /** Variables that a service gets and no other does. */
  readonly ownEnvironment?: (config: ServiceConfig) => ServiceDeps['environment']
  /** Told of every line that a service prints. */
  readonly onLine: (service: string, line: string) => void
  readonly onHealthy: (service: string, startedMs: number) => void
  /** Told when a service ends that nobody stopped, after it was healthy. */
  readonly onEnd: (service: string, ending: string) => void
}

/** All programs of `services:`, started after what they depend on and stopped in reverse. */
export class Services implements AsyncDisposable {
  readonly #started: Service[] = []
  readonly #deps: ServicesDeps
  readonly #watchdog: Watchdog | undefined

  private constructor(watchdog: Watchdog | undefined, deps: ServicesDeps) {
    this.#watchdog = watchdog
    this.#deps = deps
  }

  /**
   * Starts all and waits until they are healthy. `own` takes over the result at once, so that an interrupted start is
   * cleaned up as well.
   *
   * @throws `BW_CLI_SERVICE_FAILED` naming the first that failed.
   */
  static async start(
    configs: readonly ServiceConfig[],
    deps: ServicesDeps,
    { signal, own }: { readonly signal: AbortSignal; readonly own: (services: Services) => void },
  ): Promise<void> {
    const services = new Services(configs.length === 0 ? undefined : Watchdog.start(), deps)
    own(services)
    const giveUp = new AbortController()
    const either = AbortSignal.any([signal, giveUp.signal])
    const ready = new Map<string, Promise<void>>()
    for (const config of configs) {
      const needed = config.dependsOn.flatMap((name) => ready.get(name) ?? [])
      const start = Promise.all(needed).then(() => services.#start(config, either))
      ready.set(config.name, start)
      start.catch((error: unknown) => giveUp.abort(error))
    }
    // All of them: none may still be starting something when the caller cleans up.
    await Promise.allSettled(ready.values())
    signal.throwIfAborted()
    giveUp.signal.throwIfAborted()
  }

  async #start(config: ServiceConfig, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const startedMs = performance.now()
    const { ownEnvironment, onLine, onHealthy, onEnd } = this.#deps
    const environment = { ...this.#deps.environment, ...ownEnvironment?.(config) }
    const service = Service.start(config, { environment, onLine: (line) => onLine(config.name, line) })
    this.#started.push(service)
    this.#tellWatchdog()
    let isUp = false
    void service.ended.then((ending) => {
      this.#tellWatchdog()
      if (isUp && !service.isStopping) onEnd(config.name, ending)
    })
    await service.untilHealthy(signal)
    isUp = true
    onHealthy(config.name, performance.now() - startedMs)
  }

  /** At once, without asking. For the user who will not wait. */
  kill(): void {
    for (const service of this.#started) service.kill()
  }

  /** One after the other, the last started first. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.#started.toReversed()) await service.stop()
    await this.#watchdog?.[Symbol.asyncDispose]()
  }

  #tellWatchdog(): void {
    this.#watchdog?.guard(this.#started.flatMap(({ pid }) => pid ?? []))
  }
}
