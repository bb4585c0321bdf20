import type { RouteConfig } from '@breakwater/contract'
import type { ServerExchange } from '@breakwater/http'
import type { GcraLimiter, OverloadManager } from '@breakwater/resilience/load'
import { decodeDeadline } from '@breakwater/resilience/machines'
import { refuse } from '../answer/refusal.ts'
import type { Refusal } from '../answer/refusal.ts'
import { errors } from '../errors.ts'
import type { GuardedRequest } from '../authorization/guarded-request.ts'
import type { RouteGuard } from '../authorization/route-guard.ts'
import { tenantKeyOf } from '../exchange/tenant-key.ts'
import type { RouteMeters } from '../telemetry/meters.ts'

/** What the questions of a route read of a request, and what they note on it. */
export interface ArrivedRequest extends GuardedRequest {
  readonly inbound: ServerExchange
  readonly listener: GuardedRequest['listener'] & {
    readonly runtime: { readonly overload: OverloadManager | undefined }
  }
  readonly plan: GuardedRequest['plan'] & {
    readonly guard: RouteGuard | undefined
    readonly meters: RouteMeters
    readonly priority: number
    readonly rateLimiter: GcraLimiter | undefined
  }
  deadlineMs: number
  isCallersDeadline: boolean
}

/** One question that a request must pass before anything is spent on it. A refusal ends it. */
export type AdmissionStage = (exchange: ArrivedRequest, nowMs: number) => Refusal | undefined

/**
 * The questions of a route, in the order in which a request meets them: what costs least and refuses most comes first, and
 * nothing is queued, read or sent before all have passed. A control that is off is not in the list.
 */
export function admissionStages(config: RouteConfig, guard?: RouteGuard): readonly AdmissionStage[] {
  const stages: AdmissionStage[] = []
  stages.push(processHealth) // the overload manager: a process in trouble answers the unimportant with a refusal, and nothing else
  stages.push(ownDeadline(config)) // from here on the request has an end
  if (config.deadline.mode !== 'off' && config.deadline.accept) stages.push(callersDeadline(config)) // the caller may be gone already
  if (config.tenant !== undefined) stages.push(tenant(config.tenant.header, config.tenant.required)) // limits and fairness count by it
  const limit = config.rateLimit.mode === 'off' ? undefined : rateLimit(config.rateLimit.key)
  const isByTenant = config.rateLimit.mode !== 'off' && config.rateLimit.key.kind === 'tenant'
  if (limit !== undefined && !isByTenant) stages.push(limit) // per key, before the body and before a signature is looked at
  if (guard !== undefined) stages.push((exchange) => guard.identify(exchange)) // from here on the tenant is that of the token
  if (limit !== undefined && isByTenant) stages.push(limit) // nobody spends what is somebody else's
  if (guard !== undefined) stages.push((exchange) => guard.admit(exchange)) // before anything is stored, shared, replayed or sent
  if (config.maxBodyBytes !== undefined) stages.push(bodyLimit(config.maxBodyBytes)) // what the head announces can be refused now
  return stages
}

const processHealth: AdmissionStage = (exchange) => {
  const { overload } = exchange.listener.runtime
  if (overload === undefined) return undefined
  if (!overload.keepAlive) exchange.inbound.closeAfter = true
  if (overload.serves(exchange.plan.priority)) return undefined
  return refuse(
    errors.BW_GATEWAY_OVERLOADED,
    `this gateway is short of ${overload.cause ?? 'resources'}`,
    1000,
  )
}

function ownDeadline({ timeoutMs, maxDurationMs }: RouteConfig): AdmissionStage {
  const waitMs = Math.min(timeoutMs, maxDurationMs)
  return (exchange, nowMs) => {
    exchange.deadlineMs = nowMs + waitMs
    return undefined
  }
}

function callersDeadline({ deadline }: RouteConfig): AdmissionStage {
  const header = deadline.mode === 'off' ? '' : deadline.header
  const isDark = deadline.mode === 'dark'
  return (exchange, nowMs) => {
    const value = exchange.inbound.request.fields.get(header)
    if (value === undefined) return undefined
    const deadlineMs = decodeDeadline(value, nowMs)
    if (Number.isNaN(deadlineMs)) {
      exchange.plan.meters.deadlineMalformed.inc()
      return isDark
        ? undefined
        : refuse(errors.BW_GATEWAY_DEADLINE_INVALID, `${header} is not 1 to 10 decimal digits`)
    }
    if (deadlineMs <= nowMs) {
      exchange.plan.meters.deadlineExpired.inc()
      return isDark
        ? undefined
        : refuse(errors.BW_GATEWAY_DEADLINE_EXPIRED, `the caller left ${value} ms for this request`)
    }
    if (isDark || deadlineMs >= exchange.deadlineMs) return undefined
    exchange.deadlineMs = deadlineMs
    exchange.isCallersDeadline = true
    return undefined
  }
}

function tenant(header: string, isRequired: boolean): AdmissionStage {
  return (exchange) => {
    const value = exchange.inbound.request.fields.get(header)
    if (value !== undefined && value !== '') {
      exchange.tenantName = value
      return undefined
    }
    return isRequired ? refuse(errors.BW_GATEWAY_TENANT_MISSING, `the field ${header} is missing`) : undefined
  }
}

type RateLimitKey = Exclude<RouteConfig['rateLimit'], { readonly mode: 'off' }>['key']

function rateLimit(key: RateLimitKey): AdmissionStage {
  return (exchange, nowMs) => {
    const limiter = exchange.plan.rateLimiter
    if (limiter === undefined) return undefined
    const waitMs = limiter.take(keyOf(exchange, key), nowMs)
    if (waitMs === 0) return undefined
    exchange.plan.meters.rateLimited.inc()
    return refuse(errors.BW_GATEWAY_RATE_LIMITED, `the rate of this ${key.kind} is used up`, waitMs)
  }
}

function keyOf(exchange: ArrivedRequest, key: RateLimitKey): string {
  switch (key.kind) {
    case 'ip':
      return exchange.clientAddress
    case 'tenant':
      return tenantKeyOf(exchange)
    case 'route':
      return ''
    case 'header':
      return exchange.inbound.request.fields.get(key.name) ?? ''
  }
}

function bodyLimit(maxBodyBytes: number): AdmissionStage {
  return (exchange) => {
    const { contentLength } = exchange.inbound.request
    exchange.inbound.limitBody(maxBodyBytes)
    if (contentLength <= maxBodyBytes) return undefined
    return refuse(
      errors.BW_GATEWAY_BODY_TOO_LARGE,
      `the body has ${contentLength} bytes, the limit is ${maxBodyBytes}`,
    )
  }
}
