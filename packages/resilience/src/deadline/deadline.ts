import { errors } from '../errors.ts'
import { OptionCheck } from '../internal/option-check.ts'
import { publish } from '../internal/events.ts'
import type { Layer } from '../service.ts'

export interface DeadlineOptions {
  /** Names the dependency in events. Default ''. */
  readonly key?: string
  /** Calls with less time left than this are not made: they could not end in time. Milliseconds, 0 or more. Default 0. */
  readonly minRemainingMs?: number
  /** Decide and count, but refuse nobody. Default false. */
  readonly dark?: boolean
}

/**
 * Does not begin work whose deadline has passed: nobody waits for the answer.
 *
 * @throws `BW_RESILIENCE_DEADLINE_EXPIRED` without calling the inner service.
 * @throws the call's `abortReason` when the caller is already gone.
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` at construction.
 */
export function deadline<Request, Response>(options: DeadlineOptions = {}): Layer<Request, Response> {
  const { key = '', minRemainingMs = 0, dark = false } = options
  new OptionCheck('deadline').from0('minRemainingMs', minRemainingMs).done()
  return (inner) => async (request, call) => {
    if (call.aborted) throw call.abortReason
    const leftMs = call.deadlineMs - call.clock.now()
    if (leftMs <= 0 || leftMs < minRemainingMs) {
      if (!dark)
        throw errors.BW_RESILIENCE_DEADLINE_EXPIRED(
          `${Math.floor(leftMs)} ms are left for this call, ${Math.max(1, minRemainingMs)} are needed`,
          { details: { remainingMs: leftMs } },
        )
      publish({ name: 'dark.would-refuse', key, control: 'deadline' })
    }
    return inner(request, call)
  }
}
