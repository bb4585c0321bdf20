import { systemClock } from '@breakwater/core'
import type { Clock } from '@breakwater/core'
import { errors } from './errors.ts'
import { CallNode } from './internal/call-node.ts'

/** 0 critical, 1 high, 2 normal (the default), 3 background. Under overload the highest number goes first. */
export type Priority = 0 | 1 | 2 | 3

/** W3C trace context of a call. */
export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

/** A subscription that can be given back. */
export interface Subscription {
  cancel(): void
}

/** What travels with a call through every layer. Passed explicitly, never through a global. */
export interface Call {
  /** The clock by which `deadlineMs` is meant. Layers wait on this one and on no other. */
  readonly clock: Clock
  /** When the answer stops being useful: monotonic milliseconds, the earliest deadline of everyone above. `Infinity`: never. */
  readonly deadlineMs: number
  /**
   * Aborts when the caller has gone away or the deadline has passed. Created when first asked for, because it costs
   * microseconds: layers use `onAbort`, only code that talks to foreign APIs should ask.
   */
  readonly signal: AbortSignal
  /** Whether the call has been aborted. Costs a few field reads; creates no signal and reads no clock. */
  readonly aborted: boolean
  /** Why, once `aborted`. Exactly what the aborting side gave. */
  readonly abortReason: unknown
  /**
   * Runs `listener` once, when the call aborts, also by deadline; at once when it already has. Give the subscription
   * back when the wait is over: a listener kept after that is a leak. What a listener throws is thrown later, outside.
   */
  onAbort(listener: (reason: unknown) => void): Subscription
  /** 1 for the first try. Set by `retry`, read by telemetry. */
  readonly attempt: number
  readonly priority: Priority
  /** On whose behalf. Ask with `tenantOf`, which refuses a call without one. */
  readonly tenant: string | undefined
  /** The user, as authentication verified it. */
  readonly principal: string | undefined
  /** The workload at the other end of the socket. */
  readonly workload: string | undefined
  readonly trace: TraceContext | undefined
  /** Parts of the answer that were served in a lesser form, in order. One list for the call and everything under it. */
  readonly degraded: readonly string[]
  /** Adds `part` to `degraded`, once. */
  markDegraded(part: string): void
  /** Endpoints already tried for this call, in order: a retry or hedge prefers another one. */
  readonly attempted: readonly string[]
  /** Adds an endpoint to `attempted`. Called by whoever picks endpoints. */
  noteAttempt(endpoint: string): void
}

export interface CallOptions {
  /** Time the whole call may take, from now. Milliseconds, above 0. Default: no limit. */
  readonly timeoutMs?: number
  /** Absolute end, monotonic milliseconds by the call's clock. The earlier of the two limits counts. */
  readonly deadlineMs?: number
  /** The caller's signal. Listened to only while somebody below listens. */
  readonly signal?: AbortSignal
  /** Default 2 (normal). */
  readonly priority?: Priority
  /** Never empty. */
  readonly tenant?: string
  readonly principal?: string
  readonly workload?: string
  readonly trace?: TraceContext
}

/** A call with its controls: whoever created it ends it. */
export interface OwnedCall extends Call, Disposable {
  /** Whether this call's own time limit (not that of a call above) has passed. */
  readonly expired: boolean
  /** Aborts this call and all calls under it. The first reason stays. */
  abort(reason: unknown): void
  /** The work is done: stops the timer and forgets the listeners. Signals handed out still follow the call above. */
  [Symbol.dispose](): void
}

export interface CallDeps {
  /** Default: the machine's monotonic clock. */
  readonly clock?: Clock
}

/**
 * Begins a call at the edge of the process. End it with `using` or `[Symbol.dispose]`.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` for a time limit that is not above 0, an unknown priority or an empty tenant.
 */
export function createCall(options: CallOptions = {}, deps: CallDeps = {}): OwnedCall {
  const { timeoutMs, deadlineMs = Infinity, priority = 2, tenant } = options
  const clock = deps.clock ?? systemClock
  if (timeoutMs !== undefined && !(timeoutMs > 0))
    throw errors.BW_RESILIENCE_OPTIONS_INVALID(`call: timeoutMs must be above 0, got ${timeoutMs}`)
  if (Number.isNaN(deadlineMs))
    throw errors.BW_RESILIENCE_OPTIONS_INVALID('call: deadlineMs must be a number, got NaN')
  if (!(priority >= 0 && priority <= 3 && Number.isInteger(priority)))
    throw errors.BW_RESILIENCE_OPTIONS_INVALID(`call: priority must be 0, 1, 2 or 3, got ${priority}`)
  if (tenant === '')
    throw errors.BW_RESILIENCE_OPTIONS_INVALID('call: tenant must not be empty; leave it out instead')
  const endMs = timeoutMs === undefined ? deadlineMs : Math.min(deadlineMs, clock.now() + timeoutMs)
  return new CallNode(clock, endMs, options, undefined, 1)
}

/**
 * A call under `call` that ends after `timeoutMs` at the latest, and never later than `call` itself. Its timer runs
 * only while somebody listens. Dispose of it when the inner work is done.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` when `timeoutMs` is not a number, 0 or more.
 */
export function within(call: Call, timeoutMs: number): OwnedCall {
  if (!(timeoutMs >= 0))
    throw errors.BW_RESILIENCE_OPTIONS_INVALID(`call: timeoutMs must be 0 or more, got ${timeoutMs}`)
  return new CallNode(call.clock, call.clock.now() + timeoutMs, call, call, call.attempt)
}

/** A call under `call` that can be aborted by itself, numbered as try `attempt`. */
export function attemptOf(call: Call, attempt: number): OwnedCall {
  return new CallNode(call.clock, Infinity, call, call, attempt)
}

/**
 * The tenant of a call, for code that must not work without one.
 *
 * @throws `BW_RESILIENCE_TENANT_MISSING`
 */
export function tenantOf(call: Pick<Call, 'tenant'>): string {
  if (call.tenant === undefined || call.tenant === '')
    throw errors.BW_RESILIENCE_TENANT_MISSING('this call names no tenant')
  return call.tenant
}
