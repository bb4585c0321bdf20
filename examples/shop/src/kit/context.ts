import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { randomHex } from '@breakwater/core'
import type { Caller } from '@breakwater/gateway/identity'
import { tenantId } from '../domain.ts'
import { errors } from './errors.ts'
import type { Identity } from './identity.ts'

/** What travels with a request from service to service. */
export interface CallContext {
  readonly traceparent: string
  readonly requestId: string
  /** When the answer stops being useful, on the clock of `performance.now`. */
  readonly deadlineAtMs: number
  /** Aborts when the caller has gone away. */
  readonly signal: AbortSignal
  /** Who asks, verified. Undefined when nobody said it, and for what a service does by itself. */
  readonly caller: Caller | undefined
  /** The user's own token, to be shown to the next service. */
  readonly userToken: string | undefined
  /** The tenant of the token, or the one that a service acts for by itself. Never what a field says. */
  readonly tenant: string | undefined
}

/** Field that says how many milliseconds the caller will still wait. */
export const DEADLINE_HEADER = 'x-request-deadline-ms'
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
const REQUEST_ID = /^[A-Za-z0-9._~-]{8,128}$/
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/

/**
 * Reads the context out of the headers, and who asks out of its tokens.
 *
 * @throws `SHOP_HEADER_INVALID` for a deadline or tenant that cannot be read; a bad trace or request id is only replaced.
 * @throws `SHOP_UNAUTHENTICATED` for a bad token, `SHOP_TENANT_MISMATCH` when a field names another tenant than the token.
 */
export function readContext(
  { headers, headersDistinct }: Pick<IncomingMessage, 'headers' | 'headersDistinct'>,
  signal: AbortSignal,
  ownTimeoutMs: number,
  identity: Identity,
): CallContext {
  const named = headers['x-tenant-id']
  if (named !== undefined && !tenantId.safeParse(named).success) {
    throw errors.SHOP_HEADER_INVALID('x-tenant-id is not a tenant such as acme')
  }
  const caller = identity.callerOf(headersDistinct)
  if (caller !== undefined && named !== undefined && named !== caller.tenant) {
    throw errors.SHOP_TENANT_MISMATCH('x-tenant-id is not the tenant of the token')
  }
  const requestId = String(headers['x-request-id'] ?? '')
  return {
    traceparent: continuedTrace(String(headers['traceparent'] ?? '')),
    requestId: REQUEST_ID.test(requestId) ? requestId : randomHex(16),
    deadlineAtMs: performance.now() + Math.min(ownTimeoutMs, remainingMs(headers[DEADLINE_HEADER])),
    signal,
    caller,
    userToken: caller?.user === undefined ? undefined : headers.authorization?.replace(/^Bearer +/i, ''),
    tenant: caller?.tenant,
  }
}

/** The same trace with a span of our own, or a new trace. */
function continuedTrace(traceparent: string): string {
  const [, traceId, , flags] = TRACEPARENT.exec(traceparent) ?? []
  return `00-${traceId ?? randomHex(16)}-${randomHex(8)}-${flags ?? '01'}`
}

function remainingMs(header: string | readonly string[] | undefined): number {
  if (header === undefined) return Number.POSITIVE_INFINITY
  const text = String(header)
  if (!/^-?\d{1,9}$/.test(text)) {
    throw errors.SHOP_HEADER_INVALID(`${DEADLINE_HEADER} is not a number of milliseconds`)
  }
  return Number(text)
}

/** The `Idempotency-Key`, `undefined` when there is none. */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['idempotency-key']
  if (key === undefined) return undefined
  if (!IDEMPOTENCY_KEY.test(String(key))) {
    throw errors.SHOP_HEADER_INVALID('idempotency-key is not 1 to 255 printable characters')
  }
  return String(key)
}

/** The `Idempotency-Key`, which must be there. `what`: for the message. */
export function requireIdempotencyKey(headers: IncomingHttpHeaders, what: string): string {
  const key = idempotencyKeyOf(headers)
  if (key === undefined) throw errors.SHOP_IDEMPOTENCY_KEY_MISSING(`${what} needs an Idempotency-Key`)
  return key
}

/** The trace id of a `traceparent` made by `readContext`. */
export function traceIdOf(context: CallContext): string {
  return context.traceparent.slice(3, 35)
}
