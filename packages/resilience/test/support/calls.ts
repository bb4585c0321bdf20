import { VirtualClock } from '@breakwater/core'
import { createCall } from '@breakwater/resilience'
import type { Call, OwnedCall, Service } from '@breakwater/resilience'
import { CircuitBreaker, REFUSED } from '@breakwater/resilience/machines'
import type { BreakerOptions } from '@breakwater/resilience/machines'

/** A call on a virtual clock; no limit of its own. */
export function callOn(clock: VirtualClock, options: Parameters<typeof createCall>[0] = {}): OwnedCall {
  return createCall(options, { clock })
}

/** A service that takes `ms` and stops at once when its call aborts. */
export function takes<Response>(ms: number, response: Response): Service<string, Response> {
  return (_request, call) => sleep(call, ms).then(() => response)
}

/** Waits by the call's clock and honours its abort: what a well-behaved client does. */
export function sleep(call: Call, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = call.clock.schedule(ms, () => {
      subscription.cancel()
      resolve()
    })
    const subscription = call.onAbort((reason) => {
      timer.cancel()
      reject(reason)
    })
  })
}

/** A breaker without jitter that opens at the first failure for a second. */
export function touchy(options: BreakerOptions = {}): CircuitBreaker {
  return new CircuitBreaker(
    { consecutiveFailures: 1, openMs: 1_000, openJitterRatio: 0, probes: 1, ...options },
    { random: () => 0 },
  )
}

/** One whole call to a machine: admitted and reported at once. Says whether it was admitted. */
export function pass(breaker: CircuitBreaker, nowMs: number, works: boolean): boolean {
  const permit = breaker.admit(nowMs)
  if (permit === REFUSED) return false
  if (works) breaker.onSuccess(permit, 0, nowMs)
  else breaker.onFailure(permit, 0, nowMs)
  return true
}

/** What a promise fails with. Taken before time moves, so that the failure is never unhandled. */
export function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a failure, got ${JSON.stringify(value)}`)
    },
    (error: unknown) => error,
  )
}
