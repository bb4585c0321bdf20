import { resolveLimits } from '../codec/limits.ts'
import type { MessageLimits, ResolvedLimits } from '../codec/limits.ts'
import { checkNumbers } from '../internal/check-numbers.ts'

/** How a listener treats its clients. Times in milliseconds, above 0; `Infinity` switches one off. */
export interface ServerOptions {
  readonly limits?: MessageLimits
  /** From accept to the first byte. Default 10 000. */
  readonly firstByteTimeoutMs?: number
  /** From the first byte of a head to its end. Default 10 000. */
  readonly headTimeoutMs?: number
  /** Between two reads of a body that somebody waits for. Default 30 000. */
  readonly bodyIdleTimeoutMs?: number
  /** A body that arrives, or an answer that is taken, more slowly than this is cut off. 0 switches it off. Default 100. */
  readonly minBytesPerSecond?: number
  /** The rate is measured over windows of this length. Default 5 000. */
  readonly rateWindowMs?: number
  /** Between two requests. Default 60 000. */
  readonly keepAliveTimeoutMs?: number
  /** How long a client may take nothing, or too little, of an answer that waits for it. Default 30 000. */
  readonly writeStallTimeoutMs?: number
  /** How long we go on reading after a close, so that the client can read our last words. Default 2 000. */
  readonly lingerTimeoutMs?: number
  /** Then the connection closes. Default: no limit. */
  readonly maxRequestsPerConnection?: number
}

/** `ServerOptions` with every default filled in; made once a listener. */
export type ResolvedServerOptions = Required<Omit<ServerOptions, 'limits'>> & {
  readonly limits: ResolvedLimits
}

/** @throws `BW_HTTP_OPTIONS_INVALID` listing every option out of its range. */
export function resolveServerOptions(options: ServerOptions = {}): ResolvedServerOptions {
  const resolved: ResolvedServerOptions = {
    limits: resolveLimits(options.limits),
    firstByteTimeoutMs: options.firstByteTimeoutMs ?? 10_000,
    headTimeoutMs: options.headTimeoutMs ?? 10_000,
    bodyIdleTimeoutMs: options.bodyIdleTimeoutMs ?? 30_000,
    minBytesPerSecond: options.minBytesPerSecond ?? 100,
    rateWindowMs: options.rateWindowMs ?? 5_000,
    keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 60_000,
    writeStallTimeoutMs: options.writeStallTimeoutMs ?? 30_000,
    lingerTimeoutMs: options.lingerTimeoutMs ?? 2_000,
    maxRequestsPerConnection: options.maxRequestsPerConnection ?? Infinity,
  }
  checkNumbers('server options', resolved, (name) => name === 'minBytesPerSecond')
  return resolved
}

/** Bytes of an unwanted body that are read and dropped to save the connection. More than that, and it closes. */
export const MAX_DISCARD_BYTES: number = 65_536

/** How long a connection that drains waits for a request that its client may have sent already. Milliseconds. */
export const DRAIN_GRACE_MS: number = 250
