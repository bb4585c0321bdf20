import type { GatewayConfig } from '@breakwater/contract'
import type { HttpError, ServerExchange } from '@breakwater/http'
import type { AccessLog } from '@breakwater/telemetry'
import type { Answering } from '../exchange/answering.ts'
import type { Identity } from '../exchange/identity.ts'
import type { Refusal } from '../answer/refusal.ts'
import type { RouteMeters } from './meters.ts'

type AccessLogConfig = GatewayConfig['telemetry']['accessLog']

/** What is told of a request that is over. */
export interface FinishedRequest {
  readonly inbound: ServerExchange
  readonly identity: Identity
  readonly path: string
  readonly clientAddress: string
  readonly tenantName: string
  readonly plan: { readonly name: string; readonly meters: RouteMeters }
  readonly attempts: {
    readonly count: number
    readonly last: { readonly endpoint: { readonly id: string } } | undefined
    readonly upstream: { readonly name: string }
  }
  readonly answering: Answering
}

/** One line in the access log for each request, whatever became of it. */
export class Reporter {
  readonly #accessLog: AccessLog | undefined
  readonly #headerNames: readonly string[]

  constructor(accessLog: AccessLog | undefined, config: AccessLogConfig) {
    this.#accessLog = accessLog
    this.#headerNames = config.mode === 'off' ? [] : config.headers
  }

  /** Counts a routed request and logs it. */
  finished(exchange: FinishedRequest, nowMs: number): void {
    const { answering, plan, inbound } = exchange
    const { meters } = plan
    const durationMs = nowMs - inbound.startedMs
    meters.inFlight.add(-1)
    meters.requests[Math.min(5, Math.floor(answering.status / 100))]?.inc()
    meters.durationSeconds.observe(durationMs / 1000)
    if (this.#accessLog === undefined) return
    const { tenantName, attempts, identity } = exchange
    const { method, query, authority, fields } = inbound.request
    this.#accessLog.log({
      timeMs: Date.now(),
      requestId: identity.requestId,
      traceId: identity.traceId,
      method,
      path: exchange.path,
      query,
      host: authority,
      remoteAddress: exchange.clientAddress,
      userAgent: fields.get('user-agent'),
      headers: this.#headersOf(inbound),
      route: plan.name,
      upstream: attempts.upstream.name,
      endpoint: attempts.last?.endpoint.id,
      status: answering.status,
      durationMs,
      attempts: attempts.count,
      requestBytes: answering.requestBytes,
      responseBytes: answering.responseBytes,
      tenant: tenantName === '' ? undefined : tenantName,
      code: answering.code,
      fault: answering.fault,
      degraded: answering.degraded.length === 0 ? undefined : answering.degraded.join(','),
    })
  }

  /** Logs a request that no route took. */
  unrouted(
    inbound: ServerExchange,
    identity: Identity,
    path: string,
    refusal: Refusal,
    responseBytes: number,
  ): void {
    const { method, query, authority, fields } = inbound.request
    this.#accessLog?.log({
      timeMs: Date.now(),
      requestId: identity.requestId,
      traceId: identity.traceId,
      method,
      path,
      query,
      host: authority,
      remoteAddress: inbound.remoteAddress,
      userAgent: fields.get('user-agent'),
      headers: this.#headersOf(inbound),
      status: refusal.spec.status,
      durationMs: 0,
      attempts: 0,
      requestBytes: 0,
      responseBytes,
      code: refusal.code,
      fault: refusal.spec.fault,
    })
  }

  /** Logs bytes that were no request. */
  refused({ code, spec }: HttpError, remoteAddress: string, traceId: string): void {
    this.#accessLog?.log({
      timeMs: Date.now(),
      requestId: traceId,
      traceId,
      method: '-',
      path: '-',
      remoteAddress,
      status: spec.status,
      durationMs: 0,
      attempts: 0,
      requestBytes: 0,
      responseBytes: 0,
      code,
      fault: spec.fault,
    })
  }

  #headersOf({ request: { fields } }: ServerExchange): string[] | undefined {
    if (this.#headerNames.length === 0) return undefined
    return this.#headerNames.flatMap((name) => fields.getAll(name).flatMap((value) => [name, value]))
  }
}
