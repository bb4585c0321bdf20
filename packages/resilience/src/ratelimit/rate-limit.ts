import type { Call } from '../call.ts'
import { errors } from '../errors.ts'
import type { Layer } from '../service.ts'
import type { GcraLimiter } from './gcra-limiter.ts'

export interface RateLimitOptions<Request> {
  /** Shared by every call under the limit. */
  readonly limiter: GcraLimiter
  /** Whose permits a request uses. Take it from verified identity, not from something the caller may choose freely. */
  readonly key: (request: Request, call: Call) => string
  /** Permits a request costs, 0 or more. Default 1. */
  readonly cost?: (request: Request, call: Call) => number
}

/**
 * Refuses calls above a rate, before anything is done for them.
 *
 * @throws `BW_RESILIENCE_RATE_LIMITED` with `details.retryAfterMs`.
 */
export function rateLimit<Request, Response>(options: RateLimitOptions<Request>): Layer<Request, Response> {
  const { limiter, key, cost } = options
  return (inner) => async (request, call) => {
    const waitMs = limiter.take(key(request, call), call.clock.now(), cost?.(request, call))
    if (waitMs === 0) return inner(request, call)
    throw errors.BW_RESILIENCE_RATE_LIMITED(
      waitMs === Infinity
        ? 'the request costs more than the limit allows at once'
        : `over the rate limit for another ${Math.ceil(waitMs)} ms`,
      { details: { retryAfterMs: waitMs === Infinity ? undefined : Math.ceil(waitMs) } },
    )
  }
}
