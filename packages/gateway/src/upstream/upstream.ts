import type { Random } from '@breakwater/core'
import type { GatewayConfig, UpstreamConfig } from '@breakwater/contract'
import type { Driver } from '@breakwater/http'
import { P2cEwmaBalancer } from '@breakwater/resilience/load'
import type { ClientThrottle, OutlierDetector, SlowStart } from '@breakwater/resilience/load'
import type { CircuitBreaker, RetryBudget } from '@breakwater/resilience/machines'
import { CapacityGate } from './capacity.ts'
import * as controls from './controls.ts'
import { Endpoint } from './endpoint.ts'
import { HealthCheck } from './health-check.ts'

export interface UpstreamDeps {
  readonly driver: Driver
  readonly random: Random
  /** Secret that spreads tenants over buckets. */
  readonly seed: number
}

/**
 * One dependency at run time: its endpoints and every control that guards it. Shared by all routes that name it, so that
 * a breaker sees all calls. Lives until a reload changes its configuration.
 */
export class Upstream {
  readonly name: string
  readonly config: UpstreamConfig
  readonly endpoints: readonly Endpoint[]
  readonly breaker: CircuitBreaker | undefined
  readonly throttle: ClientThrottle | undefined
  readonly retryBudget: RetryBudget
  readonly outliers: OutlierDetector | undefined
  readonly gate: CapacityGate
  readonly #balancer: P2cEwmaBalancer
  readonly #isRoundRobin: boolean
  readonly #slowStart: SlowStart | undefined
  readonly #random: Random
  readonly #healthChecks: readonly HealthCheck[]
  #turn = 0
  #users = 0
  #isClosed = false
  /** Moving average over all endpoints, good answers only. Milliseconds; 0 until there was one. */
  usualLatencyMs: number = 0

  constructor(config: UpstreamConfig, shed: GatewayConfig['shed'], { driver, random, seed }: UpstreamDeps) {
    const nowMs = driver.clock.now()
    this.name = config.name
    this.config = config
    this.endpoints = config.endpoints.map((endpoint) => new Endpoint(driver, endpoint, config, -Infinity))
    this.breaker = controls.breakerOf(config, random)
    this.throttle = controls.throttleOf(config, random, nowMs)
    this.retryBudget = controls.retryBudgetOf(config)
    this.gate = new CapacityGate(
      {
        bulkhead: controls.bulkheadOf(config),
        adaptiveLimit: controls.adaptiveLimitOf(config, nowMs),
        shed: controls.shedOf(shed, config),
      },
      { wheel: driver.wheel, seed },
    )
    this.#isRoundRobin = config.balancer.policy === 'round-robin'
    this.#slowStart = controls.slowStartOf(config)
    this.#random = random
    const { outlierEjection } = config
    this.#balancer = new P2cEwmaBalancer(
      {
        decayMs: config.balancer.decayMs,
        panicRatio: outlierEjection.mode === 'off' ? 0 : outlierEjection.panicRatio,
        ...(this.#slowStart !== undefined && { slowStart: this.#slowStart }),
      },
      { random },
    )
    this.#balancer.setEndpoints(this.endpoints)
    this.outliers = controls.outlierDetectorOf(config, nowMs, {
      onEject: (host, atMs) => this.#setEjected(host.id, true, atMs),
      onReturn: (host, atMs) => this.#setEjected(host.id, false, atMs),
    })
    this.outliers?.setHosts(this.endpoints.map(({ id }) => id))
    this.#healthChecks = HealthCheck.forUpstream(this, driver, random)
  }

  /** Whether anybody is there to ask, as far as checks can tell. */
  get isHealthy(): boolean {
    return this.endpoints.some(({ healthy }) => healthy)
  }

  /** The endpoint for a try; those in `attempted` come last. Undefined when active checks found none alive. */
  pick(attempted: readonly string[], nowMs: number): Endpoint | undefined {
    if (!this.isHealthy) return undefined
    if (this.#isRoundRobin) return this.#nextInTurn(attempted, nowMs)
    const picked = this.#balancer.pick(nowMs, attempted)
    return picked instanceof Endpoint ? picked : undefined
  }

  onStart(endpoint: Endpoint): void {
    this.#balancer.onStart(endpoint)
  }

  onSuccess(endpoint: Endpoint, latencyMs: number, nowMs: number): void {
    const usualMs = this.usualLatencyMs
    this.usualLatencyMs = usualMs === 0 ? latencyMs : usualMs + 0.05 * (latencyMs - usualMs)
    this.#balancer.onSuccess(endpoint, latencyMs, nowMs)
  }

  onFailure(endpoint: Endpoint, latencyMs: number, retryAfterMs: number, nowMs: number): void {
    this.#balancer.onFailure(endpoint, latencyMs, nowMs, retryAfterMs)
  }

  onIgnored(endpoint: Endpoint): void {
    this.#balancer.onIgnored(endpoint)
  }

  setHealthy(endpoint: Endpoint, isHealthy: boolean, nowMs: number): void {
    endpoint.healthy = isHealthy
    this.#updateUsable(endpoint, nowMs)
  }

  /** Ends ejections and compares hosts. Call about once a second. */
  tick(nowMs: number): void {
    this.outliers?.tick(nowMs)
  }

  /** A request may ask this upstream from now on, until it calls `release`: waiting for its turn or for a retry included. */
  retain(): void {
    this.#users++
  }

  release(): void {
    this.#users--
    if (this.#isClosed && this.#users === 0) this.#closePools()
  }

  /** No further request will come. Those that began with this upstream are finished, tries to come included. */
  close(): void {
    this.#isClosed = true
    for (const check of this.#healthChecks) check.stop()
    if (this.#users === 0) this.#closePools()
  }

  #closePools(): void {
    for (const endpoint of this.endpoints) endpoint.pool.close()
  }

  #setEjected(id: string, isEjected: boolean, nowMs: number): void {
    const endpoint = this.endpoints.find((candidate) => candidate.id === id)
    if (endpoint === undefined) return
    endpoint.ejected = isEjected
    this.#updateUsable(endpoint, nowMs)
  }

  #updateUsable(endpoint: Endpoint, nowMs: number): void {
    this.#balancer.setUsable(endpoint, endpoint.healthy && !endpoint.ejected, nowMs)
  }

  #nextInTurn(attempted: readonly string[], nowMs: number): Endpoint | undefined {
    const count = this.endpoints.length
    let cold: Endpoint | undefined
    let tried: Endpoint | undefined
    for (let step = 0; step < count; step++) {
      const endpoint = this.endpoints[this.#turn++ % count]
      if (endpoint === undefined || !endpoint.usable) continue
      if (attempted.includes(endpoint.id)) {
        tried ??= endpoint
        continue
      }
      const share = this.#slowStart?.factor(endpoint.startedMs, nowMs) ?? 1
      if (share >= 1 || this.#random() < share) return endpoint
      cold ??= endpoint
    }
    return cold ?? tried ?? this.endpoints[this.#turn % count]
  }
}
