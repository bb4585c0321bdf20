import type { IncomingHttpHeaders } from 'node:http'
import { randomHex } from '@breakwater/core'
import { tenantId } from '../domain.ts'
import { errors } from './errors.ts'

/** What travels with a request from service to service. */
export interface CallContext {
  readonly traceparent: string
  readonly requestId: string
  /** When the answer stops being useful, on the clock of `performance.now`. */
  readonly deadlineAtMs: number
  /** Aborts when the caller has gone away. */
  readonly signal: AbortSignal
  readonly tenant: string | undefined
}

/** Field that says how many milliseconds the caller will still wait. */
export const DEADLINE_HEADER = 'x-request-deadline-ms'
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
const REQUEST_ID = /^[A-Za-z0-9._~-]{8,128}$/
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/

/**
 * Reads the context out of the headers.
 *
 * @throws `SHOP_HEADER_INVALID` for a deadline or tenant that cannot be read; a bad trace or request id is only replaced.
 */
export function readContext(
  headers: IncomingHttpHeaders,
  signal: AbortSignal,
  ownTimeoutMs: number,
): CallContext {
  const tenant = headers['x-tenant-id']
  if (tenant !== undefined && !tenantId.safeParse(tenant).success) {
    throw errors.SHOP_HEADER_INVALID('x-tenant-id is not a tenant such as acme')
  }
  const requestId = String(headers['x-request-id'] ?? '')
  return {
    traceparent: continuedTrace(String(headers['traceparent'] ?? '')),
    requestId: REQUEST_ID.test(requestId) ? requestId : randomHex(16),
    deadlineAtMs: performance.now() + Math.min(ownTimeoutMs, remainingMs(headers[DEADLINE_HEADER])),
    signal,
    tenant: tenant === undefined ? undefined : String(tenant),
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

/** The tenant, which must be there. */
export function requireTenant(context: CallContext): string {
  if (context.tenant === undefined) throw errors.SHOP_TENANT_MISSING('the request names no tenant')
  return context.tenant
}

/**
 * What the gateway obliges this service to leave out of an answer: `mask=owner` in a field that nobody but the gateway can set.
 */
export function maskedParts(headers: IncomingHttpHeaders): ReadonlySet<string> {
  const text = String(headers['x-authenticated-obligations'] ?? '')
  const masks = text.split(', ').filter((part) => part.startsWith('mask='))
  return new Set(masks.flatMap((part) => decodeURIComponent(part.slice('mask='.length)).split(/\s*,\s*/)))
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

/** The trace id of a `traceparent` made by `readContext`. */
export function traceIdOf(context: CallContext): string {
  return context.traceparent.slice(3, 35)
}
