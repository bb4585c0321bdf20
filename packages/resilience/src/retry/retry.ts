import { isBreakwaterError } from '@breakwater/core'
import { retryAfterMsOf } from '../breaker/outcome.ts'
import { hasMark, markedCall } from '../internal/call-node.ts'
import { publish } from '../internal/events.ts'
import { wait } from '../internal/wait.ts'
import type { Layer } from '../service.ts'
import { RetryPolicy, retryRefusalOf } from './policy.ts'
import type { RetryDeps, RetryPolicyOptions } from './policy.ts'

export type RetryOptions<Request> = (RetryPolicyOptions | { readonly policy: RetryPolicy }) & {
  /** Whether this failure of this request may be tried again. Default: never; idempotence is the caller's to claim. */
  readonly retryable?: (error: unknown, request: Request) => boolean
  /** What the server asked for, milliseconds. Default: `error.retryAfterMs` or `error.details.retryAfterMs`. */
  readonly retryAfterMsOf?: (error: unknown) => number | undefined
}

/**
 * Tries a failed call again, after a random wait, while the attempts, the time and the budget last. Each try is a call
 * of its own (`attempt` 1, 2, …) that knows the endpoints tried before. Waiting ends the moment the caller aborts. An
 * error whose `details.responseStarted` is true is never retried: the caller has seen part of the answer.
 *
 * A retry that is not made is visible: the event `retry.suppressed` and the policy's counters say why, and the last
 * error leaves as it is.
 *
 * @throws what the last try threw.
 * @throws the call's `abortReason`, untouched, when the caller aborts.
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` at construction.
 */
export function retry<Request, Response>(
  options: RetryOptions<Request>,
  deps: RetryDeps = {},
): Layer<Request, Response> {
  const policy = 'policy' in options ? options.policy : new RetryPolicy(options, deps)
  const { retryable = never, retryAfterMsOf: askedFor = retryAfterMsOf } = options
  return (inner) => async (request, call) => {
    const startedMs = call.clock.now()
    // A layer above that shares the budget has counted this call already.
    if (!hasMark(call, policy.budget)) policy.begin(startedMs)
    for (let attempt = 1; ; attempt++) {
      if (call.aborted) throw call.abortReason
      // Not `using`: it costs ten times as much as the call object.
      const tried = markedCall(call, attempt, policy.budget)
      let failure: unknown
      try {
        return await inner(request, tried)
      } catch (error) {
        failure = error
      } finally {
        tried[Symbol.dispose]()
      }
      if (call.aborted) throw call.abortReason
      const isReplayable = !hasStarted(failure) && retryable(failure, request)
      const askedMs = askedFor(failure) ?? -1
      const nowMs = call.clock.now()
      const delayMs = policy.decide(attempt, startedMs, call.deadlineMs, isReplayable, askedMs, nowMs)
      const { key } = policy.budget
      if (delayMs < 0) {
        publish({ name: 'retry.suppressed', key, reason: retryRefusalOf(delayMs), attempt })
        throw failure
      }
      publish({ name: 'retry.scheduled', key, attempt: attempt + 1, delayMs })
      await wait(call, delayMs)
    }
  }
}

const never = (): boolean => false

function hasStarted(error: unknown): boolean {
  return isBreakwaterError(error) && error.details['responseStarted'] === true
}
