import { isBreakwaterError } from '@breakwater/core'

/** What one call says about its dependency. `ignored`: nothing, neither good nor bad. */
export type Outcome = 'success' | 'failure' | 'ignored'

/**
 * The outcome behind an HTTP status. 4xx is an answer: the dependency works. 408 and 429, and a 503 that names a
 * `Retry-After`, are requests for patience, not failures (RFC 9110 §15.6.4, RFC 6585 §4).
 */
export function outcomeOfStatus(status: number, hasRetryAfter: boolean): Outcome {
  if (status === 408 || status === 429) return 'ignored'
  if ((status === 503 || status === 529) && hasRetryAfter) return 'ignored'
  return status >= 500 ? 'failure' : 'success'
}

/**
 * The outcome behind an error. Errors whose fault is the caller's or a policy's are ignored, so are errors that carry a
 * `retryAfterMs` with their 429, 503 or 529; a numeric `status` is judged as `outcomeOfStatus` does; `AbortError` is
 * the caller's doing. Everything else is a failure.
 */
export function outcomeOfError(error: unknown): Outcome {
  if (isBreakwaterError(error)) {
    const { fault } = error.spec
    return fault === 'caller' || fault === 'policy' ? 'ignored' : 'failure'
  }
  if (!(error instanceof Error)) return 'failure'
  if (error.name === 'AbortError') return 'ignored'
  const status = 'status' in error ? error.status : undefined
  if (typeof status !== 'number') return 'failure'
  return outcomeOfStatus(status, retryAfterMsOf(error) !== undefined)
}

/** What the server asked for, where the error says it: `error.retryAfterMs` or `error.details.retryAfterMs`. */
export function retryAfterMsOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  const direct = 'retryAfterMs' in error ? error.retryAfterMs : undefined
  const asked = direct ?? (isBreakwaterError(error) ? error.details['retryAfterMs'] : undefined)
  return typeof asked === 'number' && asked >= 0 ? asked : undefined
}
