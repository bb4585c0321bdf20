import type { ListenerConfig } from '@breakwater/contract'
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
import { Identity } from './exchange/identity.ts'
import { answerUnrouted } from './exchange/unrouted.ts'
import type { RoutePlan } from './plan/route-plan.ts'
import { canonicalPath, withoutDotSegments } from './routing/path.ts'
import type { Router } from './routing/router.ts'
import type { ListenerContext, Runtime } from './runtime.ts'
import type { GatewayMeters } from './telemetry/meters.ts'
import type { Reporter } from './telemetry/reporter.ts'

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
  readonly #perAddress = new Map<string, number>()
  readonly #normalizesDots: boolean
  #server: HttpServer | undefined

  private constructor(config: ListenerConfig, shared: ListenerShared) {
    this.config = config
    this.runtime = shared.runtime
    this.halfClosedMs = config.timeouts.halfClosedMs
    this.forwarding = new Forwarding({ viaName: shared.name, trustedProxies: config.trustForwardedFrom })
    this.#shared = shared
    this.#normalizesDots = config.paths.dotSegments === 'normalize'
  }

  /** @throws `BW_GATEWAY_START_FAILED` naming the listener and why. */
  static async open(config: ListenerConfig, shared: ListenerShared): Promise<GatewayListener> {
    const listener = new GatewayListener(config, shared)
    const { host, port, limits } = config
    try {
      listener.#server = await HttpServer.open(
        shared.runtime.driver,
        {
          host,
          port,
          maxConnections: Math.min(limits.maxConnections, Number.MAX_SAFE_INTEGER),
          ...tlsOf(config),
        },
        listener,
        serverOptionsOf(config),
      )
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw errors.BW_GATEWAY_START_FAILED(`listener ${config.name} cannot open: ${why}`, { cause: error })
    }
    return listener
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
    if (this.runtime.overload?.accepting === false) return false
    const { maxConnectionsPerAddress } = this.config.limits
    if (maxConnectionsPerAddress === Infinity) return true
    const open = this.#perAddress.get(remoteAddress) ?? 0
    if (open >= maxConnectionsPerAddress && !this.forwarding.trusts(remoteAddress)) return false
    this.#perAddress.set(remoteAddress, open + 1)
    return true
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

  report(exchange: Exchange, nowMs: number): void {
    this.#shared.reporter.finished(exchange, nowMs)
  }
}

function tlsOf({ tls, timeouts }: ListenerConfig): Pick<ListenOptions, 'tls'> {
  if (tls === undefined) return {}
  const { certFile: certificateFile, keyFile, minVersion } = tls
  return { tls: { certificateFile, keyFile, minVersion, handshakeTimeoutMs: timeouts.tlsHandshakeMs } }
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
