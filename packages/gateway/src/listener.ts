import type { ListenerConfig } from '@breakwater/contract'
import { messageOf } from '@breakwater/core'
import { Forwarding, HttpServer } from '@breakwater/http'
import type {
  HttpError,
  ListenOptions,
  MessageLimits,
  ServerExchange,
  ServerHandler,
  ServerOptions,
} from '@breakwater/http'
import { refuse } from './answer/refusal.ts'
import type { Refusal } from './answer/refusal.ts'
import { errors } from './errors.ts'
import { Exchange } from './exchange/exchange.ts'
import { Identity, identityFields } from './exchange/identity.ts'
import { answerUnrouted } from './exchange/unrouted.ts'
import type { RoutePlan } from './plan/route-plan.ts'
import { canonicalPath, withoutDotSegments } from './routing/path.ts'
import type { Router } from './routing/router.ts'
import type { ListenerContext, Runtime } from './runtime.ts'
import type { GatewayMeters } from './telemetry/meters.ts'
import type { FinishedRequest, Reporter } from './telemetry/reporter.ts'

/** What all listeners of a gateway share. */
export interface ListenerShared {
  readonly runtime: Runtime
  readonly meters: GatewayMeters
  readonly reporter: Reporter
  readonly name: string
  /** The routes as of now: a reload replaces them. */
  readonly router: () => Router<RoutePlan>
  readonly isDraining: () => boolean
}

/** One address that clients come in by. */
export class GatewayListener implements ListenerContext, ServerHandler {
  readonly config: ListenerConfig
  readonly runtime: Runtime
  readonly forwarding: Forwarding
  readonly halfClosedMs: number
  readonly #shared: ListenerShared
  /** Open connections by client, those of the listener before on the same port included. */
  readonly #perAddress: Map<string, number>
  readonly #normalizesDots: boolean
  #server: HttpServer | undefined

  private constructor(config: ListenerConfig, shared: ListenerShared, perAddress: Map<string, number>) {
    this.config = config
    this.#perAddress = perAddress
    this.runtime = shared.runtime
    this.halfClosedMs = config.timeouts.halfClosedMs
    this.forwarding = new Forwarding({
      viaName: shared.name,
      trustedProxies: config.trustForwardedFrom,
      ownFields: identityFields(shared.runtime.traces),
    })
    this.#shared = shared
    this.#normalizesDots = config.paths.dotSegments === 'normalize'
  }

  /** @throws `BW_GATEWAY_START_FAILED` naming the listener and why. */
  static async open(config: ListenerConfig, shared: ListenerShared): Promise<GatewayListener> {
    const listener = new GatewayListener(config, shared, new Map())
    const { host, port } = config
    const listen = { host, port, ...listener.#settings() }
    try {
      listener.#server = await HttpServer.open(
        shared.runtime.driver,
        listen,
        listener,
        serverOptionsOf(config),
      )
    } catch (error) {
      throw cannotOpen(config, error)
    }
    return listener
  }

  /**
   * Prepares a listener with another configuration for the address of this one, which stays open. Once it has taken over,
   * this one is left with its connections.
   *
   * @throws `BW_GATEWAY_START_FAILED` when its certificate cannot be used: nothing has changed then.
   */
  prepareSuccessor(config: ListenerConfig): {
    readonly listener: GatewayListener
    readonly takeOver: () => void
  } {
    const listener = new GatewayListener(config, this.#shared, this.#perAddress)
    try {
      const successor = this.#server?.prepareSuccessor(
        listener.#settings(),
        listener,
        serverOptionsOf(config),
      )
      listener.#server = successor?.server
      return { listener, takeOver: () => successor?.takeOver() }
    } catch (error) {
      throw cannotOpen(config, error)
    }
  }

  /**
   * Prepares the certificate as its files are now, for connections to come.
   *
   * @throws `BW_GATEWAY_START_FAILED` when it cannot be used: nothing has changed then.
   */
  prepareRenewal(): () => void {
    try {
      return this.#server?.prepareSettings(this.#settings()) ?? (() => {})
    } catch (error) {
      throw cannotOpen(this.config, error)
    }
  }

  get address(): { readonly host: string; readonly port: number; readonly isTls: boolean } {
    const { host, port } = this.#server ?? this.config
    return { host, port, isTls: this.config.tls !== undefined }
  }

  get connections(): number {
    return this.#server?.connections ?? 0
  }

  async drain(): Promise<void> {
    await this.#server?.drain()
  }

  async close(): Promise<void> {
    await this.#server?.close()
  }

  onConnect(remoteAddress: string): boolean {
    if (!this.#mayConnect(remoteAddress, 0)) return false
    this.#perAddress.set(remoteAddress, (this.#perAddress.get(remoteAddress) ?? 0) + 1)
    return true
  }

  /** What of the port may change while it is open. */
  #settings(): Pick<ListenOptions, 'tls' | 'maxConnections'> {
    const { tls, timeouts, limits } = this.config
    const maxConnections = Math.min(limits.maxConnections, Number.MAX_SAFE_INTEGER)
    if (tls === undefined) return { maxConnections }
    const { certFile: certificateFile, keyFile, minVersion } = tls
    const mayBegin = (address: string, handshakes: number): boolean => this.#mayConnect(address, handshakes)
    const handshakeTimeoutMs = timeouts.tlsHandshakeMs
    return { maxConnections, tls: { certificateFile, keyFile, minVersion, handshakeTimeoutMs, mayBegin } }
  }

  /** Handshakes under way count like connections: nobody gets around the limit by never ending one. */
  #mayConnect(remoteAddress: string, handshakes: number): boolean {
    if (this.runtime.overload?.accepting === false) return false
    const { maxConnectionsPerAddress } = this.config.limits
    const open = (this.#perAddress.get(remoteAddress) ?? 0) + handshakes
    return open < maxConnectionsPerAddress || this.forwarding.trusts(remoteAddress)
  }

  onDisconnect(remoteAddress: string): void {
    const open = (this.#perAddress.get(remoteAddress) ?? 1) - 1
    if (open > 0) this.#perAddress.set(remoteAddress, open)
    else this.#perAddress.delete(remoteAddress)
  }

  onRequest(inbound: ServerExchange, nowMs: number): void {
    const { request } = inbound
    const { traces, random } = this.runtime
    const isOn = traces.mode !== 'off'
    const identity = new Identity(request, { isOn, isSampled: isOn && random() < traces.sample })
    if (this.#shared.isDraining()) inbound.closeAfter = true
    const canonical = canonicalPath(request.path)
    const path = this.#normalizesDots ? withoutDotSegments(canonical) : canonical
    const routed = this.#shared.router().route(request.method, path, request.authority, request.fields)
    if (routed.kind === 'found') {
      new Exchange(this, routed.plan, inbound, identity, path).begin(nowMs)
      return
    }
    const refusal: Refusal =
      routed.kind === 'method'
        ? {
            ...refuse(errors.BW_GATEWAY_METHOD_NOT_ALLOWED, `${request.method} is not allowed here`),
            allow: routed.allow,
          }
        : refuse(errors.BW_GATEWAY_ROUTE_NOT_FOUND, 'no route answers this host and path')
    this.#shared.meters.unrouted.inc()
    const bytes = answerUnrouted(inbound, identity, refusal)
    this.#shared.reporter.unrouted(inbound, identity, path, refusal, bytes)
  }

  onRefused(refusal: HttpError, remoteAddress: string, _nowMs: number, traceId: string): void {
    this.#shared.meters.refused.labels(refusal.code).inc()
    this.#shared.reporter.refused(refusal, remoteAddress, traceId)
  }

  report(exchange: FinishedRequest, nowMs: number): void {
    this.#shared.reporter.finished(exchange, nowMs)
  }
}

function cannotOpen({ name }: ListenerConfig, cause: unknown): Error {
  return errors.BW_GATEWAY_START_FAILED(`listener ${name} cannot open: ${messageOf(cause)}`, { cause })
}

function serverOptionsOf({ limits, paths, timeouts }: ListenerConfig): ServerOptions {
  const message: MessageLimits = {
    maxHeadBytes: limits.maxHeadBytes,
    maxFields: limits.maxFields,
    maxFieldLineBytes: limits.maxFieldLineBytes,
    maxTargetBytes: limits.maxTargetBytes,
    maxBodyBytes: limits.maxBodyBytes,
    path: {
      encodedSlash: paths.encodedSlash === 'reject' ? 'refuse' : 'allow',
      dotSegments: paths.dotSegments === 'reject' ? 'refuse' : 'allow',
      backslash: paths.backslash === 'reject' ? 'refuse' : 'allow',
    },
  }
  return {
    limits: message,
    firstByteTimeoutMs: timeouts.firstByteMs,
    headTimeoutMs: timeouts.headMs,
    bodyIdleTimeoutMs: timeouts.bodyIdleMs,
    minBytesPerSecond: timeouts.minRateBytesPerSecond,
    rateWindowMs: Math.max(1, timeouts.minRateGraceMs),
    keepAliveTimeoutMs: timeouts.keepAliveMs,
    writeStallTimeoutMs: timeouts.writeStallMs,
    maxRequestsPerConnection: limits.maxRequestsPerConnection,
  }
}
