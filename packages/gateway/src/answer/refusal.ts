import type { BreakwaterError, ErrorMaker, ErrorSpec } from '@breakwater/core'
import { errors } from '../errors.ts'
import type { TurnedAway } from '../upstream/capacity.ts'
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

type Named = Pick<Upstream, 'name'>

export function throttled({ name }: Named): Refusal {
  return refuse(errors.BW_GATEWAY_THROTTLED, `${name} refuses most of what it gets`, 1000)
}

export function noEndpoint({ name }: Named): Refusal {
  return refuse(errors.BW_GATEWAY_NO_ENDPOINT, `no endpoint of ${name} passes its health check`, 1000)
}

/** No place at an upstream was to be had. */
export function turnedAway(why: TurnedAway, { name }: Named): Refusal {
  if (why === 'shed')
    return refuse(
      errors.BW_GATEWAY_OVERLOADED,
      `${name} is overloaded: this request would wait too long`,
      1000,
    )
  const detail =
    why === 'queue-full' ? `the queue for ${name} is full` : `no place at ${name} became free in time`
  return refuse(errors.BW_GATEWAY_QUEUE_FULL, detail, 1000)
}

/** The time of a request is over. `upstream`: whom it waited for; undefined while it waited to be let in. */
export function tooLate(upstream: Named | undefined, afterMs: number): Refusal {
  const after = `within ${Math.round(afterMs)} ms`
  return upstream === undefined
    ? refuse(errors.BW_GATEWAY_AUTHORIZATION_FAILED, `no decision on record ${after}`)
    : refuse(errors.BW_GATEWAY_UPSTREAM_TIMEOUT, `no answer from ${upstream.name} ${after}`)
}
