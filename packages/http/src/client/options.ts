import { resolveLimits } from '../codec/limits.ts'
import type { MessageLimits, ResolvedLimits } from '../codec/limits.ts'
import { errors } from '../errors.ts'

/** How one endpoint is used. Times in milliseconds, above 0; `Infinity` switches one off. */
export interface PoolOptions {
  /** Of responses. */
  readonly limits?: MessageLimits
  /** Open connections, those being opened included. Default 100. */
  readonly maxConnections?: number
  /** Requests that wait for a connection; one more is refused. Default 100. */
  readonly maxPending?: number
  /** Longest wait for a connection. Default 1 000. */
  readonly pendingTimeoutMs?: number
  /** For TCP and TLS together. Default 1 000. */
  readonly connectTimeoutMs?: number
  /** From the end of the request to the first byte of the answer. Default 15 000. */
  readonly firstByteTimeoutMs?: number
  /** Longest silence inside an answer, or inside an upload that the upstream does not take. Default 30 000. */
  readonly idleTimeoutMs?: number
  /** How long an unused connection is kept: less than upstreams keep theirs, or requests race with their close. Default 4 000. */
  readonly keepAliveTimeoutMs?: number
  /** Then a connection is replaced. Default: no limit. */
  readonly maxRequestsPerConnection?: number
}

/** `PoolOptions` with every default filled in. */
export interface ResolvedPoolOptions {
  readonly limits: ResolvedLimits
  readonly maxConnections: number
  readonly maxPending: number
  readonly pendingTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly firstByteTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly maxRequestsPerConnection: number
}

/** @throws `BW_HTTP_OPTIONS_INVALID` listing every option out of its range. */
export function resolvePoolOptions(options: PoolOptions = {}): ResolvedPoolOptions {
  const resolved: ResolvedPoolOptions = {
    limits: resolveLimits(options.limits),
    maxConnections: options.maxConnections ?? 100,
    maxPending: options.maxPending ?? 100,
    pendingTimeoutMs: options.pendingTimeoutMs ?? 1_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 1_000,
    firstByteTimeoutMs: options.firstByteTimeoutMs ?? 15_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 30_000,
    keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 4_000,
    maxRequestsPerConnection: options.maxRequestsPerConnection ?? Infinity,
  }
  const wrong = Object.entries(resolved).filter(
    ([name, value]) => typeof value === 'number' && !(name === 'maxPending' ? value >= 0 : value > 0),
  )
  if (wrong.length > 0) {
    const list = wrong.map(([name, value]) => `${name} = ${value}`).join(', ')
    throw errors.BW_HTTP_OPTIONS_INVALID(`pool options must be above 0: ${list}`)
  }
  return resolved
}
