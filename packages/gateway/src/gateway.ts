import type { BundleEvent } from '@breakwater/authz/operate'
import type { Random, Timer } from '@breakwater/core'
import type { GatewayConfig } from '@breakwater/contract'
import type { Driver } from '@breakwater/http'
import type { OverloadReadings } from '@breakwater/resilience/load'
import type { CircuitBreaker } from '@breakwater/resilience/machines'
import { AccessLog, MetricsRegistry } from '@breakwater/telemetry'
import type { WriteBatch } from '@breakwater/telemetry'
import { errors } from './errors.ts'
import type { LiveEntities } from './authorization/authorization.ts'
import { AccessWatch } from './authorization/access-watch.ts'
import { answerAuthZen } from './authorization/authzen.ts'
import type { AuthZenCall } from './authorization/authzen.ts'
import { BundlePoint } from './authorization/bundle-point.ts'
import type { BundleState } from './authorization/bundle-point.ts'
import { DecisionLogs } from './authorization/decision-logs.ts'
import type { DecisionPoint, DecisionRecorder } from './authorization/decision-point.ts'
import { Listeners } from './listeners.ts'
import { OverloadWatch } from './overload.ts'
import type { Runtime } from './runtime.ts'
import { Snapshot } from './snapshot.ts'
import type { SnapshotDeps } from './snapshot.ts'
import { statusOf } from './status.ts'
import type { GatewayStatus } from './status.ts'
import { GatewayMeters } from './telemetry/meters.ts'
import { Reporter } from './telemetry/reporter.ts'
import type { Upstream } from './upstream/upstream.ts'

/** With what a gateway does its work. Only tests, drills and the composition root pass these. */
export interface GatewayDeps {
  readonly driver: Driver
  /** Default `Math.random`. */
  readonly random?: Random
  /** Secret that spreads keys over shared cells. Default: random. */
  readonly seed?: number
  /** Where metrics are registered. Default: one of its own. */
  readonly registry?: MetricsRegistry
  /** Where the access log goes. Without it none is written. */
  readonly writeAccessLog?: WriteBatch
  /** One look at the process. Without it the overload control has nothing to go by. */
  readonly readOverload?: () => OverloadReadings
  /** The time of day, for tokens and policies. Milliseconds since 1970. Default: the machine's. */
  readonly epochMs?: () => number
  /** Who decides instead of the policies that the configuration names. */
  readonly decisionPoint?: DecisionPoint
  /** Where decisions are written down, instead of the configured log. */
  readonly decisionRecorder?: DecisionRecorder
}

/**
 * The data plane: listeners, routes and upstreams of one configuration, under one driver. The same code runs over real
 * sockets and over a simulated network.
 */
export class Gateway {
  readonly registry: MetricsRegistry
  readonly #driver: Driver
  readonly #deps: SnapshotDeps
  readonly #overload: OverloadWatch | undefined
  readonly #accessLog: AccessLog | undefined
  readonly #unpublishAccessLog: (() => void) | undefined
  readonly #listeners: Listeners
  readonly #watch: AccessWatch
  readonly #entities: LiveEntities = { apply: (changes) => liveOf(this.#snapshot).apply(changes) }
  #snapshot: Snapshot
  #isStarted = false
  #isDraining = false
  #tick: Timer | undefined
  #reloaded: Promise<void> = Promise.resolve()
  #drained: Promise<void> | undefined

  private constructor(config: GatewayConfig, deps: GatewayDeps) {
    const { driver, random = Math.random } = deps
    const { telemetry, overload } = config
    this.#driver = driver
    this.#watch = new AccessWatch(driver.clock)
    this.registry = deps.registry ?? new MetricsRegistry(registryOptionsOf(telemetry.metrics))
    const meters = new GatewayMeters(this.registry)
    const seed = deps.seed ?? Math.floor(random() * 0x1_0000_0000)
    const authorization = {
      epochMs: deps.epochMs ?? Date.now,
      watch: this.#watch,
      logs: new DecisionLogs(),
      decisionPoint: deps.decisionPoint,
      recorder: deps.decisionRecorder,
    }
    this.#deps = { driver, random, seed, meters, authorization }
    this.#overload = OverloadWatch.of(overload, driver, deps.readOverload)
    const { accessLog } = telemetry
    if (accessLog.mode !== 'off' && deps.writeAccessLog !== undefined) {
      this.#accessLog = new AccessLog(
        { write: deps.writeAccessLog, sampleRatio: accessLog.sample },
        { random, clock: driver.clock },
      )
      this.#unpublishAccessLog = this.#accessLog.publishTo(this.registry)
    }
    const runtime: Runtime = {
      driver,
      random,
      overload: this.#overload?.manager,
      traces: telemetry.traces,
      watch: this.#watch,
    }
    this.#snapshot = new Snapshot(config, this.#deps)
    this.#watch.use(this.#snapshot)
    this.#listeners = new Listeners({
      runtime,
      meters,
      reporter: new Reporter(this.#accessLog, accessLog),
      name: config.name,
      router: () => this.#snapshot.router,
      isDraining: () => this.#isDraining,
    })
  }

  /**
   * Compiles the configuration and listens.
   *
   * @throws `BW_GATEWAY_START_FAILED` when a listener cannot open; nothing is left open then.
   */
  static async open(config: GatewayConfig, deps: GatewayDeps): Promise<Gateway> {
    const gateway = new Gateway(config, deps)
    try {
      const change = await gateway.#listeners.prepare(config.listeners)
      await change.commit()
    } catch (error) {
      await gateway.close()
      throw error
    }
    gateway.#isStarted = true
    gateway.#scheduleTick()
    return gateway
  }

  get config(): GatewayConfig {
    return this.#snapshot.config
  }

  /** Where it listens: by the name of the listener. */
  get addresses(): ReadonlyMap<
    string,
    { readonly host: string; readonly port: number; readonly isTls: boolean }
  > {
    return new Map([...this.#listeners.open].map(([name, listener]) => [name, listener.address]))
  }

  /** Started and every upstream that is not optional has somebody to ask. False from the moment draining begins. */
  get isReady(): boolean {
    return (
      this.#isStarted &&
      !this.#isDraining &&
      [...this.#snapshot.upstreams.values()].every(({ config, isHealthy }) => config.optional || isHealthy)
    )
  }

  /** All listeners are open. Says nothing about upstreams. */
  get isStarted(): boolean {
    return this.#isStarted
  }

  upstream(name: string): Upstream | undefined {
    return this.#snapshot.upstreams.get(name)
  }

  /**
   * The entities that decisions are made on: a change counts for the next request. Undefined without policies. What it is given
   * later goes to the policies that are in force then.
   */
  get entities(): LiveEntities | undefined {
    return this.#snapshot.authorization?.entities === undefined ? undefined : this.#entities
  }

  /**
   * Answers an enforcement point elsewhere by the policies, entities and decision log of its own requests. Undefined where the
   * configuration does not offer it. Who may ask is the caller's to check.
   */
  get authZen(): ((request: Request, call: AuthZenCall) => Promise<Response>) | undefined {
    const { authorization, config } = this.#snapshot
    const settings = config.authorization.mode === 'off' ? undefined : config.authorization.authzen
    if (authorization === undefined || settings === undefined) return undefined
    return (request, call) => answerAuthZen(authorization, settings, request, call)
  }

  /** The breaker before the engine elsewhere that decides; undefined where none does, or it is off. */
  get opaBreaker(): CircuitBreaker | undefined {
    return this.#snapshot.authorization?.remote?.breaker
  }

  /** The signed policies in force; undefined where the configuration names none. */
  get bundle(): BundleState | undefined {
    return bundlePointOf(this.#snapshot)?.state
  }

  /**
   * Takes newer signed policies: checked as those of the file, kept in it, in force for the next request. Waits for a reload
   * under way. Undefined where the configuration names no bundle. Never rejects: a bad bundle is ordinary.
   */
  async pushBundle(signed: Uint8Array): Promise<BundleEvent | undefined> {
    await this.#reloaded
    return bundlePointOf(this.#snapshot)?.push(signed, this.config)
  }

  /** What it does and how its controls stand. For people and the admin API: allocates. */
  status(): GatewayStatus {
    const connections = [...this.#listeners.open].map(([name, listener]) => ({
      name,
      ...listener.address,
      connections: listener.connections,
    }))
    return statusOf(
      this.#snapshot,
      connections,
      this.isReady,
      this.#isDraining,
      this.#overload?.manager,
      this.#driver.clock.now(),
    )
  }

  /**
   * Changes to another configuration. Requests under way keep the old one; streams live on; controls whose settings did not
   * change keep what they learnt; ports that stay are open all the while, with their certificates read again. Telemetry and
   * overload settings take effect at the next start. One reload at a time: a second one waits for the first.
   *
   * @throws `BW_GATEWAY_START_FAILED` when a new listener or the decision log cannot open, `BW_GATEWAY_POLICIES_INVALID` when the
   *   policies cannot be used: then nothing has changed.
   * @throws `BW_GATEWAY_DRAINING` when the gateway is stopping.
   */
  async reload(config: GatewayConfig): Promise<void> {
    const reloaded = this.#reloaded.then(() => this.#reload(config))
    this.#reloaded = reloaded.catch(() => {})
    return reloaded
  }

  async #reload(config: GatewayConfig): Promise<void> {
    const refusal = (): Error =>
      errors.BW_GATEWAY_DRAINING('this gateway is stopping and takes no new configuration')
    if (this.#isDraining) throw refusal()
    const change = await this.#listeners.prepare(config.listeners)
    const previous = this.#snapshot
    let next: Snapshot
    try {
      // Draining may have begun meanwhile.
      if (this.#isDraining) throw refusal()
      // All that can fail elsewhere has not: signed policies that it takes are not taken back.
      next = new Snapshot(config, this.#deps, previous)
    } catch (error) {
      await change.abandon()
      throw error
    }
    this.#snapshot = next
    this.#watch.use(next)
    await change.commit()
    previous.retire(next)
  }

  /** Stops in good order: not ready, no new connections, requests under way finished or cut after `drain.timeout`. */
  async drain(): Promise<void> {
    return (this.#drained ??= this.#drain())
  }

  async #drain(): Promise<void> {
    this.#isDraining = true
    const { readinessDelayMs, timeoutMs } = this.config.drain
    if (readinessDelayMs > 0) await this.#pause(readinessDelayMs)
    await this.#listeners.drain()
    const endMs = this.#driver.clock.now() + timeoutMs
    while (this.#listeners.connections > 0 && this.#driver.clock.now() < endMs) await this.#pause(20)
    await this.close()
  }

  /** Stops at once: every connection is cut. */
  async close(): Promise<void> {
    this.#isDraining = true
    this.#isStarted = false
    this.#overload?.stop()
    this.#tick?.cancel()
    this.#watch.stop()
    await this.#listeners.close()
    this.#snapshot.retire(undefined)
    this.#deps.authorization.logs.closeAll()
    await this.#accessLog?.[Symbol.asyncDispose]()
    this.#unpublishAccessLog?.()
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#driver.clock.schedule(ms, resolve))
  }

  #scheduleTick(): void {
    if (this.#isDraining) return
    this.#tick = this.#driver.clock.schedule(1000, () => {
      const nowMs = this.#driver.clock.now()
      for (const upstream of this.#snapshot.upstreams.values()) upstream.tick(nowMs)
      this.#watch.tick()
      this.#scheduleTick()
    })
  }
}

/** @throws `BW_GATEWAY_AUTHORIZATION_FAILED` when no policies of this gateway decide. */
function liveOf({ authorization }: Snapshot): LiveEntities {
  const entities = authorization?.entities
  if (entities === undefined)
    throw errors.BW_GATEWAY_AUTHORIZATION_FAILED('no policies are in force whose entities could be changed')
  return entities
}

function bundlePointOf({ authorization }: Snapshot): BundlePoint | undefined {
  const policies = authorization?.policies
  return policies instanceof BundlePoint ? policies : undefined
}

function registryOptionsOf(metrics: GatewayConfig['telemetry']['metrics']): { maxSeries?: number } {
  return metrics.mode === 'off' ? {} : { maxSeries: Math.min(100_000, metrics.labelBudget) }
}
