import type { AdaptiveLimit } from '../adaptive/adaptive-limit.ts'
import type { Call } from '../call.ts'
import { errors } from '../errors.ts'
import type { Layer } from '../service.ts'
import { AdmissionGate } from './admission-gate.ts'
import { LoadShedder } from './load-shedder.ts'
import type { LoadShedderOptions } from './load-shedder.ts'
import { Waiter } from './waiter.ts'

export interface AdmissionOptions {
  /** How much may run at once. For a fixed number set `minLimit`, `initialLimit` and `maxLimit` to it. */
  readonly limit: AdaptiveLimit
  readonly queue?: LoadShedderOptions
  /** What the end of a call says about the upstream's load. Default: an error says nothing, a deadline passed says overload. */
  readonly classify?: (error: unknown) => 'ignored' | 'dropped'
}

export interface AdmissionDeps {
  /** Secret start of the hash that spreads tenants over buckets: 32 bits that outsiders cannot guess. */
  readonly seed: number
}

class CallWaiter extends Waiter {
  readonly start: () => void
  readonly shed: () => void

  constructor(call: Call, tenant: number, start: () => void, shed: () => void) {
    super()
    this.priority = call.priority
    this.deadlineMs = call.deadlineMs
    this.tenant = tenant
    this.start = start
    this.shed = shed
  }
}

const shedError = (waitMs: number): Error =>
  errors.BW_RESILIENCE_LOAD_SHED('more work is waiting than can be done in time', {
    details: { retryAfterMs: Math.max(1000, Math.ceil(waitMs)) },
  })

const overloadOnly = (error: unknown): 'ignored' | 'dropped' =>
  error instanceof Error && 'code' in error && error.code === errors.BW_RESILIENCE_DEADLINE_EXCEEDED.code
    ? 'dropped'
    : 'ignored'

/**
 * Lets as many calls through as the limit allows, queues a few by priority, tenant and time, and refuses the rest at
 * once. A caller who goes away leaves the queue; the permit of a call is given back however the call ends.
 *
 * @throws `BW_RESILIENCE_LOAD_SHED` on arrival, or after waiting.
 * @throws The call's own abort reason, untouched, when it aborts while waiting.
 */
export function admission<Request, Response>(
  options: AdmissionOptions,
  deps: AdmissionDeps,
): Layer<Request, Response> {
  const { limit, classify = overloadOnly } = options
  const onShed = (waiter: Waiter): void => {
    if (waiter instanceof CallWaiter) waiter.shed()
  }
  const shedder = new LoadShedder(options.queue ?? {}, { seed: deps.seed, onShed })
  const gate = new AdmissionGate(limit, shedder, (waiter) => {
    if (waiter instanceof CallWaiter) waiter.start()
  })

  const turn = (call: Call): Promise<void> | undefined => {
    const nowMs = call.clock.now()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const tenant = call.tenant === undefined ? 0 : shedder.tenantOf(call.tenant)
    const waiter = new CallWaiter(call, tenant, resolve, () =>
      reject(shedError(shedder.expectedDelayMs(call.priority, call.clock.now()))),
    )
    const verdict = gate.arrive(waiter, nowMs)
    if (verdict === 'run') return undefined
    if (verdict === 'shed') waiter.shed()
    if (!waiter.waiting) return promise
    const subscription = call.onAbort((reason) => {
      if (shedder.cancel(waiter)) reject(reason)
    })
    return promise.finally(() => subscription.cancel())
  }

  return (inner) => async (request, call) => {
    await turn(call)
    const startedMs = call.clock.now()
    try {
      const response = await inner(request, call)
      limit.onSuccess(startedMs, call.clock.now())
      return response
    } catch (error) {
      if (!call.aborted && classify(error) === 'dropped') limit.onDropped(startedMs, call.clock.now())
      else limit.onIgnored()
      throw error
    } finally {
      gate.pump(call.clock.now())
    }
  }
}
