import { errors } from '../errors.ts'
import type { Layer } from '../service.ts'
import type { ClientThrottle } from './client-throttle.ts'

export interface ThrottleOptions<Response> {
  /** Shared by every call to one upstream. */
  readonly throttle: ClientThrottle
  /** Whether this failure means "no capacity". Default: every failure. */
  readonly refusal?: (error: unknown) => boolean
  /** Whether this answer means "no capacity" (429, 503). Default: none does. */
  readonly refused?: (response: Response) => boolean
}

/**
 * Stops sending most requests to an upstream that accepts few.
 *
 * @throws `BW_RESILIENCE_CLIENT_THROTTLED`
 */
export function throttle<Request, Response>(options: ThrottleOptions<Response>): Layer<Request, Response> {
  const { throttle: state, refusal = () => true, refused = () => false } = options
  return (inner) => async (request, call) => {
    const startedMs = call.clock.now()
    if (!state.admit(startedMs)) {
      throw errors.BW_RESILIENCE_CLIENT_THROTTLED('the upstream accepts too little: not sent', {
        details: { rejectRatio: state.rejectRatio(startedMs) },
      })
    }
    try {
      const response = await inner(request, call)
      if (refused(response)) state.onRefused(startedMs, call.clock.now())
      else state.onAccepted(startedMs, call.clock.now())
      return response
    } catch (error) {
      const nowMs = call.clock.now()
      // An abort by the caller, before any deadline, says nothing about the upstream.
      if (call.aborted && nowMs < call.deadlineMs) state.onIgnored(startedMs, nowMs)
      else if (refusal(error)) state.onRefused(startedMs, nowMs)
      else state.onAccepted(startedMs, nowMs)
      throw error
    }
  }
}
