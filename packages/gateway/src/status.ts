import type { BreakerState } from '@breakwater/resilience/machines'
import type { OverloadManager } from '@breakwater/resilience/load'
import type { RoutePlan } from './plan/route-plan.ts'
import type { Snapshot } from './snapshot.ts'
import type { Upstream } from './upstream/upstream.ts'

export interface ListenerStatus {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly connections: number
}

export interface EndpointStatus {
  readonly id: string
  readonly healthy: boolean
  readonly ejected: boolean
  readonly inFlight: number
  readonly latencyMs: number
  readonly connections: number
  readonly idleConnections: number
  readonly pendingRequests: number
}

/** An upstream and every control that guards it; `undefined` where one is off. */
export interface UpstreamStatus {
  readonly name: string
  readonly healthy: boolean
  readonly optional: boolean
  readonly endpoints: readonly EndpointStatus[]
  readonly breaker: BreakerState | undefined
  readonly bulkhead:
    | { readonly inFlight: number; readonly maxConcurrent: number; readonly queued: number }
    | undefined
  readonly adaptiveLimit: { readonly limit: number; readonly inFlight: number } | undefined
  readonly shedder:
    | {
        readonly queued: number
        readonly overloaded: boolean
        readonly rejected: number
        readonly dropped: number
      }
    | undefined
  readonly throttleRejectRatio: number | undefined
  readonly retryBudgetAvailable: number
}

export interface RouteStatus {
  readonly name: string
  readonly match: string
  readonly upstream: string
  readonly priority: number
  /** What is served when the full answer cannot be had, in this order. */
  readonly ladder: readonly string[]
}

/** Who decides what requests may do. */
export interface AuthorizationStatus {
  /** False in dark mode. */
  readonly enforced: boolean
  /** The policies in force, or the decision that an engine elsewhere is asked for. */
  readonly policyVersion: string
  /** The engine elsewhere; undefined where none is asked. */
  readonly opa: { readonly breaker: BreakerState | undefined } | undefined
}

export interface GatewayStatus {
  readonly ready: boolean
  readonly draining: boolean
  readonly overload: { readonly level: number; readonly cause: string | undefined } | undefined
  readonly listeners: readonly ListenerStatus[]
  readonly upstreams: readonly UpstreamStatus[]
  /** Undefined when it is off. */
  readonly authorization: AuthorizationStatus | undefined
  readonly routes: readonly RouteStatus[]
}

export function statusOf(
  snapshot: Snapshot,
  listeners: readonly ListenerStatus[],
  ready: boolean,
  draining: boolean,
  overload: OverloadManager | undefined,
  nowMs: number,
): GatewayStatus {
  return {
    ready,
    draining,
    overload: overload === undefined ? undefined : { level: overload.level, cause: overload.cause },
    listeners,
    upstreams: [...snapshot.upstreams.values()].map((upstream) => upstreamStatus(upstream, nowMs)),
    authorization: authorizationStatus(snapshot, nowMs),
    routes: snapshot.plans.map(routeStatus),
  }
}

function authorizationStatus({ authorization }: Snapshot, nowMs: number): AuthorizationStatus | undefined {
  if (authorization === undefined) return undefined
  const { isEnforced, version, remote } = authorization
  return {
    enforced: isEnforced,
    policyVersion: version,
    opa: remote && { breaker: remote.breaker?.state(nowMs) },
  }
}

function upstreamStatus(upstream: Upstream, nowMs: number): UpstreamStatus {
  const { bulkhead, adaptiveLimit, shedder } = upstream.gate
  return {
    name: upstream.name,
    healthy: upstream.isHealthy,
    optional: upstream.config.optional,
    endpoints: upstream.endpoints.map((endpoint) => ({
      id: endpoint.id,
      healthy: endpoint.healthy,
      ejected: endpoint.ejected,
      inFlight: endpoint.inflight,
      latencyMs: Math.round(endpoint.latencyMs * 1000) / 1000,
      connections: endpoint.pool.counters.open,
      idleConnections: endpoint.pool.counters.idle,
      pendingRequests: endpoint.pool.counters.pending,
    })),
    breaker: upstream.breaker?.state(nowMs),
    bulkhead:
      bulkhead === undefined
        ? undefined
        : { inFlight: bulkhead.inFlight, maxConcurrent: bulkhead.maxConcurrent, queued: bulkhead.queued },
    adaptiveLimit:
      adaptiveLimit === undefined
        ? undefined
        : { limit: adaptiveLimit.limit, inFlight: adaptiveLimit.inflight },
    shedder:
      shedder === undefined
        ? undefined
        : {
            queued: shedder.queued,
            overloaded: shedder.overloaded,
            rejected: shedder.rejected,
            dropped: shedder.dropped,
          },
    throttleRejectRatio: upstream.throttle?.rejectRatio(nowMs),
    retryBudgetAvailable: Math.floor(upstream.retryBudget.available(nowMs)),
  }
}

function routeStatus({ name, config, upstream, priority, ladder, stale }: RoutePlan): RouteStatus {
  const { methods, hosts, path } = config.match
  const steps = ladder?.steps.map(({ step }) =>
    step.serve === 'upstream' ? `upstream ${step.upstream}` : step.serve,
  )
  return {
    name,
    match: [methods.join('|'), hosts.join('|'), path.text].filter((part) => part !== '').join(' '),
    upstream: upstream.name,
    priority,
    ladder: ['full', ...(steps ?? (stale === undefined ? [] : ['stale'])), 'error'],
  }
}
