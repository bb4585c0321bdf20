import { failed, isBreakwaterError, ok } from '@breakwater/core'
import { tenantOf } from '../call.ts'
import type { Call } from '../call.ts'
import { errors } from '../errors.ts'
import { publish } from '../internal/events.ts'
import type { Layer } from '../service.ts'
import type { IdempotencyClaim, IdempotencyStore, InFlight } from './store.ts'

export interface IdempotencyOptions<Request, Response> {
  readonly store: IdempotencyStore<Response>
  /** The key that came with the request; `undefined`: none came, and the request passes through. */
  readonly keyOf: (request: Request) => string | undefined
  /** Everything that makes it this request: method, path, a digest of the body. */
  readonly fingerprintOf: (request: Request) => string
  /** What happens to a repeat while the first is under way. Default `wait`. */
  readonly ifInFlight?: 'wait' | 'refuse'
  /**
   * Whether a failed request may have had its effect. Then its failure is remembered, because a second execution could
   * double the effect. Default: yes, unless a policy refused it or `details.bytesSent` is false.
   */
  readonly mayHaveHappened?: (error: unknown) => boolean
}

const KEY = /^[\x21-\x7e]{1,255}$/

/**
 * Lets a request with a key run once for each tenant: repeats get the first outcome, repeats during the first wait for
 * it. Waiting ends the moment the caller aborts.
 *
 * @throws `BW_RESILIENCE_TENANT_MISSING` when a request has a key and its call no tenant.
 * @throws `BW_RESILIENCE_IDEMPOTENCY_KEY_INVALID`, `_KEY_REUSED` (another request), `_IN_FLIGHT`, `_STORE_FULL`.
 */
export function idempotency<Request, Response>(
  options: IdempotencyOptions<Request, Response>,
): Layer<Request, Response> {
  const { store, keyOf, fingerprintOf, ifInFlight = 'wait', mayHaveHappened = unlessRefused } = options
  return (inner) => {
    const first = async (claim: IdempotencyClaim, request: Request, call: Call): Promise<Response> => {
      try {
        const response = await inner(request, call)
        store.complete(claim, ok(response), call.clock.now())
        return response
      } catch (error) {
        if (mayHaveHappened(error)) store.complete(claim, failed(error), call.clock.now())
        else store.abandon(claim)
        throw error
      }
    }
    return async (request, call) => {
      const key = keyOf(request)
      if (key === undefined) return inner(request, call)
      if (!KEY.test(key))
        throw errors.BW_RESILIENCE_IDEMPOTENCY_KEY_INVALID(
          `the key must be 1 to 255 visible ASCII characters, got ${key.length} characters`,
        )
      const tenant = tenantOf(call)
      const fingerprint = fingerprintOf(request)
      for (;;) {
        if (call.aborted) throw call.abortReason
        const decision = store.begin(tenant, key, fingerprint, call.clock.now())
        if (store.dark && decision.kind !== 'first') {
          publish({ name: 'dark.would-refuse', key: '', control: 'idempotency' })
          return inner(request, call)
        }
        switch (decision.kind) {
          case 'first':
            return first(decision.claim, request, call)
          case 'replay':
            if (decision.outcome.ok) return decision.outcome.value
            throw decision.outcome.error
          case 'mismatch':
            throw errors.BW_RESILIENCE_IDEMPOTENCY_KEY_REUSED('this key came with a different request before')
          case 'full':
            throw errors.BW_RESILIENCE_IDEMPOTENCY_STORE_FULL(
              `the store holds ${store.size} live keys and takes no new one of this tenant`,
            )
          case 'in-flight':
            if (ifInFlight === 'refuse')
              throw errors.BW_RESILIENCE_IDEMPOTENCY_IN_FLIGHT(
                'the first request with this key is still under way',
              )
            await settled(decision.entry, call)
        }
      }
    }
  }
}

/** Until the first request is decided, its lease has run out, or the caller has gone. */
function settled(entry: InFlight, call: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      leave()
      resolve()
    }
    const leave = (): void => {
      entry.listeners.delete(done)
      timer.cancel()
      subscription.cancel()
    }
    entry.listeners.add(done)
    const timer = call.clock.schedule(Math.max(0, entry.leaseUntilMs - call.clock.now()), done)
    const subscription = call.onAbort((reason) => {
      entry.listeners.delete(done)
      timer.cancel()
      reject(reason)
    })
  })
}

function unlessRefused(error: unknown): boolean {
  if (!isBreakwaterError(error)) return true
  if (error.details['bytesSent'] === false) return false
  return error.spec.fault !== 'policy' && error.code !== errors.BW_RESILIENCE_CIRCUIT_OPEN.code
}
