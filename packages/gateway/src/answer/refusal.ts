import type { BreakwaterError, ErrorMaker, ErrorSpec } from '@breakwater/core'
import { errors } from '../errors.ts'
import type { Upstream } from '../upstream/upstream.ts'

/**
 * Why the gateway answers a request itself. A value, not an exception: a refusal under overload must not pay for a
 * stack trace.
 */
export interface Refusal {
  readonly code: string
  readonly spec: ErrorSpec
  /** What happened, with the value and the limit. Never a secret: it goes to the caller. */
  readonly detail: string
  /** When it is worth asking again. Milliseconds; becomes `Retry-After` in whole seconds, rounded up. */
  readonly retryAfterMs?: number
  /** Methods for a 405. */
  readonly allow?: string
}

export function refuse(error: ErrorMaker<string>, detail: string, retryAfterMs?: number): Refusal {
  const { code, spec } = error
  return retryAfterMs === undefined ? { code, spec, detail } : { code, spec, detail, retryAfterMs }
}

/** The failure of a try as an answer. */
export function refusalOf({ code, spec, message }: BreakwaterError): Refusal {
  return { code, spec, detail: message }
}

export function circuitOpen({ breaker, name }: Pick<Upstream, 'breaker' | 'name'>, nowMs: number): Refusal {
  const waitMs = breaker?.retryAfterMs(nowMs) ?? 0
  return refuse(errors.BW_GATEWAY_CIRCUIT_OPEN, `the circuit of ${name} is open`, waitMs)
}
