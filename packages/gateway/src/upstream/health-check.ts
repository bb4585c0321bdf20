import { Deadline } from '@breakwater/core'
import type { Random } from '@breakwater/core'
import type { UpstreamConfig } from '@breakwater/contract'
import { FieldList, UpstreamPool } from '@breakwater/http'
import type { ClientExchange, Driver, ResponseHandler } from '@breakwater/http'
import { connectOptionsOf } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'

type CheckConfig = Exclude<UpstreamConfig['healthCheck'], { readonly mode: 'off' }>

/** Who is told about the results. */
interface Patient {
  readonly config: UpstreamConfig
  readonly endpoints: readonly Endpoint[]
  setHealthy(endpoint: Endpoint, isHealthy: boolean, nowMs: number): void
}

/**
 * Asks one endpoint regularly whether it is alive, over a connection of its own: the check must not wait behind the
 * traffic whose trouble it is to notice. Intervals vary by a tenth so that many gateways do not ask in step.
 */
export class HealthCheck {
  readonly #patient: Patient
  readonly #endpoint: Endpoint
  readonly #config: CheckConfig
  readonly #driver: Driver
  readonly #random: Random
  readonly #pool: UpstreamPool
  readonly #next: Deadline
  readonly #timeout: Deadline
  #exchange: ClientExchange | undefined
  #status = 0
  #successes = 0
  #failures = 0

  constructor(patient: Patient, endpoint: Endpoint, config: CheckConfig, driver: Driver, random: Random) {
    this.#patient = patient
    this.#endpoint = endpoint
    this.#config = config
    this.#driver = driver
    this.#random = random
    const target = { ...endpoint.pool.endpoint, weight: 1 }
    this.#pool = new UpstreamPool(driver, connectOptionsOf(target, patient.config), {
      maxConnections: 1,
      maxPending: 1,
      connectTimeoutMs: config.timeoutMs,
      firstByteTimeoutMs: config.timeoutMs,
    })
    this.#next = new Deadline((nowMs) => this.#ask(nowMs))
    this.#timeout = new Deadline((nowMs) => this.#conclude(false, nowMs))
    driver.wheel.arm(this.#next, driver.clock.now() + random() * config.intervalMs)
  }

  /** One check per endpoint, none when the control is off. */
  static forUpstream(patient: Patient, driver: Driver, random: Random): readonly HealthCheck[] {
    const { healthCheck } = patient.config
    if (healthCheck.mode === 'off') return []
    return patient.endpoints.map(
      (endpoint) => new HealthCheck(patient, endpoint, healthCheck, driver, random),
    )
  }

  stop(): void {
    this.#driver.wheel.disarm(this.#next)
    this.#driver.wheel.disarm(this.#timeout)
    this.#exchange?.abort()
    this.#pool.close()
  }

  #ask(nowMs: number): void {
    const { intervalMs, timeoutMs, path } = this.#config
    this.#driver.wheel.arm(this.#next, nowMs + intervalMs * (0.9 + 0.2 * this.#random()))
    if (this.#exchange !== undefined) return
    this.#status = 0
    const handler: ResponseHandler = {
      onHead: (head) => (this.#status = head.status),
      onData: () => {},
      onEnd: (_trailers, atMs) => this.#conclude(this.#status >= 200 && this.#status <= 299, atMs),
      onError: (_error, _progress, atMs) => this.#conclude(false, atMs),
    }
    this.#driver.wheel.arm(this.#timeout, nowMs + timeoutMs)
    this.#exchange = this.#pool.send(
      {
        method: 'GET',
        target: path,
        authority: this.#endpoint.authority,
        fields: FieldList.from([['user-agent', 'breakwater-health-check']]),
        framing: { kind: 'none' },
      },
      handler,
      nowMs,
    )
  }

  #conclude(isGood: boolean, nowMs: number): void {
    this.#driver.wheel.disarm(this.#timeout)
    const exchange = this.#exchange
    this.#exchange = undefined
    if (!isGood) exchange?.abort()
    this.#successes = isGood ? this.#successes + 1 : 0
    this.#failures = isGood ? 0 : this.#failures + 1
    if (this.#config.mode === 'dark') return
    if (this.#endpoint.healthy && this.#failures >= this.#config.unhealthyThreshold) {
      this.#patient.setHealthy(this.#endpoint, false, nowMs)
    } else if (!this.#endpoint.healthy && this.#successes >= this.#config.healthyThreshold) {
      this.#patient.setHealthy(this.#endpoint, true, nowMs)
    }
  }
}
