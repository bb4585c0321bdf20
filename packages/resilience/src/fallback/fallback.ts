import type { Call } from '../call.ts'
import { errors } from '../errors.ts'
import { avoiding, hasMark, markedCall } from '../internal/call-node.ts'
import { publish } from '../internal/events.ts'
import type { Layer } from '../service.ts'
import { isBreakwaterError } from '@breakwater/core'

export interface FallbackOptions<Request, Response> {
  /** The dependency that this is the fallback of: the key of its breaker. */
  readonly key: string
  /** The part of the answer that is then of a lesser form, as `call.degraded` and the response header name it. Default `key`. */
  readonly part?: string
  /** Whether this failure is answered by the fallback. Default: every one that is not the caller's fault. */
  readonly when?: (error: unknown) => boolean
  /** The lesser answer. Must not need `key`: with the call it gets, every layer keyed `key` refuses. */
  readonly serve: (request: Request, call: Call, error: unknown) => Response | Promise<Response>
  /** Decide and count (event `dark.would-refuse`), but let the failure through. Default false. */
  readonly dark?: boolean
}

/**
 * Answers in a lesser form when the inner service fails, and says so: `part` is added to `call.degraded`. Never silent,
 * never a second call to the dependency that has just failed, never for a caller that has gone.
 *
 * @throws what the inner service threw when `when` says no, or when the fallback fails as well (its error is then
 * attached to nothing: the first failure is the one to look at).
 * @throws `BW_RESILIENCE_FALLBACK_SAME_DEPENDENCY` when the fallback calls what it stands in for.
 */
export function fallback<Request, Response>(
  options: FallbackOptions<Request, Response>,
): Layer<Request, Response> {
  const { key, part = key, when = isNotTheCallersFault, serve, dark = false } = options
  if (key === '')
    throw errors.BW_RESILIENCE_OPTIONS_INVALID('fallback: key must name the dependency, got an empty string')
  return (inner) => async (request, call) => {
    if (hasMark(call, avoiding(key))) throw sameDependency(key)
    try {
      return await inner(request, call)
    } catch (error) {
      if (call.aborted || !when(error)) throw error
      if (dark) {
        publish({ name: 'dark.would-refuse', key, control: 'fallback' })
        throw error
      }
      using lesser = markedCall(call, call.attempt, avoiding(key))
      const response = await served(serve, request, lesser, error)
      call.markDegraded(part)
      publish({ name: 'fallback.served', key })
      return response
    }
  }
}

/** The refusal of layers that a fallback tries to use although they lead to what has just failed. */
export function sameDependency(key: string): Error {
  return errors.BW_RESILIENCE_FALLBACK_SAME_DEPENDENCY(`the fallback of ${key} calls ${key} again`, {
    details: { key },
  })
}

async function served<Request, Response>(
  serve: FallbackOptions<Request, Response>['serve'],
  request: Request,
  call: Call,
  error: unknown,
): Promise<Response> {
  try {
    return await serve(request, call, error)
  } catch (second) {
    // A wrong fallback is a bug to be seen; a failing one is just no help.
    if (isBreakwaterError(second) && second.code === errors.BW_RESILIENCE_FALLBACK_SAME_DEPENDENCY.code)
      throw second
    throw error
  }
}

function isNotTheCallersFault(error: unknown): boolean {
  return !isBreakwaterError(error) || error.spec.fault !== 'caller'
}
