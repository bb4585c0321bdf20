import { within } from '../call.ts'
import type { Call } from '../call.ts'
import { errors } from '../errors.ts'
import type { Layer } from '../service.ts'
import type { Bulkhead } from './bulkhead.ts'
import { BulkheadTicket } from './deadline-queue.ts'

/**
 * Lets a call through when its dependency has a free slot, or one in time. The slot is held until the inner promise
 * settles. A caller that goes away leaves the queue at once.
 *
 * @throws `BW_RESILIENCE_BULKHEAD_FULL` when the queue is full.
 * @throws `BW_RESILIENCE_BULKHEAD_WAIT_EXCEEDED` when no slot came free within `maxWaitMs`.
 * @throws the call's `abortReason`, untouched, when it aborts first.
 */
export function bulkhead<Request, Response>(limit: Bulkhead): Layer<Request, Response> {
  return (inner) => async (request, call) => {
    if (call.aborted) throw call.abortReason
    if (!limit.tryAcquire()) await slot(limit, call)
    try {
      if (call.aborted) throw call.abortReason
      return await inner(request, call)
    } finally {
      // The time only matters to those who wait; the clock costs more than the bulkhead.
      limit.release(limit.queued === 0 ? 0 : call.clock.now())
    }
  }
}

function slot(limit: Bulkhead, call: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    const limited = within(call, limit.maxWaitMs)
    const giveUp = (): void => reject(call.aborted ? (call.abortReason as Error) : waitExceeded(limit))
    const ticket = new BulkheadTicket((isAdmitted) => {
      subscription.cancel()
      limited[Symbol.dispose]()
      if (isAdmitted) resolve()
      else giveUp()
    })
    const isQueued = limit.enqueue(ticket, call.deadlineMs, call.clock.now())
    const subscription = limited.onAbort(() => {
      if (!limit.cancel(ticket)) return
      limited[Symbol.dispose]()
      giveUp()
    })
    if (isQueued) return
    subscription.cancel()
    limited[Symbol.dispose]()
    reject(full(limit))
  })
}

function full(limit: Bulkhead): Error {
  const { key, maxConcurrent, maxQueue } = limit
  return errors.BW_RESILIENCE_BULKHEAD_FULL(
    `${key || 'this dependency'} has ${maxConcurrent} calls under way and ${limit.queued} waiting (at most ${maxQueue})`,
    { details: { key, maxConcurrent, maxQueue } },
  )
}

function waitExceeded(limit: Bulkhead): Error {
  const { key, maxConcurrent, maxWaitMs } = limit
  return errors.BW_RESILIENCE_BULKHEAD_WAIT_EXCEEDED(
    `no slot of ${key || 'this dependency'} came free within ${maxWaitMs} ms`,
    { details: { key, maxConcurrent, maxWaitMs } },
  )
}
