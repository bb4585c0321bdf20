import { resolveLimits } from '../codec/limits.ts'
import type { MessageLimits, ResolvedLimits } from '../codec/limits.ts'
import { checkNumbers } from '../internal/check-numbers.ts'

/** How one endpoint is used. Times in milliseconds, above 0; `Infinity` switches one off. */
export interface PoolOptions {
  /** Of responses. */
  readonly limits?: MessageLimits
  /** Open connections, those being opened included. Default 100. */
  readonly maxConnections?: number
  /** Requests that wait for a connection, 0 or more; one more is refused. Default 100. */
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
export type ResolvedPoolOptions = Required<Omit<PoolOptions, 'limits'>> & { readonly limits: ResolvedLimits }

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
  checkNumbers('pool options', resolved, (name) => name === 'maxPending')
  return resolved
}
