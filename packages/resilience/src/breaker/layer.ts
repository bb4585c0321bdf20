import { errors } from '../errors.ts'
import { avoiding, hasMark } from '../internal/call-node.ts'
import { sameDependency } from '../fallback/fallback.ts'
import type { Call } from '../call.ts'
import type { Layer } from '../service.ts'
import { REFUSED } from './circuit-breaker.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { outcomeOfError } from './outcome.ts'
import type { Outcome } from './outcome.ts'

export interface CircuitBreakerOptions<Response> {
  /** One per dependency, shared by every call to it. The breaker holds no function: each call brings its own. */
  readonly breaker: CircuitBreaker
  /** What an error says about the dependency. Default `outcomeOfError`. */
  readonly outcomeOf?: (error: unknown) => Outcome
  /** What an answer says, for services that answer failures instead of throwing them. Default: success. */
  readonly outcomeOfResponse?: (response: Response) => Outcome
}

/**
 * Refuses calls while the breaker is open and reports what became of the others. A call that its caller has aborted says
 * nothing about the dependency, whatever error came out of it; one that ran out of time of its own does.
 *
 * @throws `BW_RESILIENCE_CIRCUIT_OPEN`, with `details.retryAfterMs`, without calling the dependency.
 */
export function circuitBreaker<Request, Response>(
  options: CircuitBreakerOptions<Response>,
): Layer<Request, Response> {
  const { breaker, outcomeOf = outcomeOfError, outcomeOfResponse } = options
  const report = (outcome: Outcome, permit: number, startMs: number, call: Call): void => {
    const nowMs = call.clock.now()
    if (outcome === 'success') breaker.onSuccess(permit, nowMs - startMs, nowMs)
    else if (outcome === 'failure') breaker.onFailure(permit, nowMs - startMs, nowMs)
    else breaker.onIgnored(permit)
  }
  return (inner) => async (request, call) => {
    const startMs = call.clock.now()
    if (call.aborted) throw call.abortReason
    if (hasMark(call, avoiding(breaker.key))) throw sameDependency(breaker.key)
    const permit = breaker.admit(startMs)
    if (permit === REFUSED) throw circuitOpen(breaker, startMs)
    let response: Response
    try {
      response = await inner(request, call)
    } catch (error) {
      report(call.aborted && isTheCallersDoing(call) ? 'ignored' : outcomeOf(error), permit, startMs, call)
      throw error
    }
    report(outcomeOfResponse?.(response) ?? 'success', permit, startMs, call)
    return response
  }
}

/** A deadline that passed while the dependency worked is evidence against it; a caller that hung up is not. */
function isTheCallersDoing(call: Call): boolean {
  return outcomeOfError(call.abortReason) !== 'failure' || call.clock.now() < call.deadlineMs
}

function circuitOpen(breaker: CircuitBreaker, nowMs: number): Error {
  const retryAfterMs = Math.ceil(breaker.retryAfterMs(nowMs))
  const state = breaker.state(nowMs).kind
  return errors.BW_RESILIENCE_CIRCUIT_OPEN(`the breaker of ${breaker.key || 'this dependency'} is ${state}`, {
    details: { key: breaker.key, state, retryAfterMs },
  })
}
