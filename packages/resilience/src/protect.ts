import { errors } from './errors.ts'
import { stack } from './service.ts'
import type { Layer, Service } from './service.ts'

/**
 * The one order of the policies, outermost first, and why each stands where it does:
 * - `fallback` answers for everything below it;
 * - `cache` answers before anything is spent, and `coalesce` lets equal requests share one call;
 * - `idempotency` runs a request once, however often it is tried below, and never remembers a fallback's answer;
 * - `timeout` limits the whole call, waits and retries included;
 * - `retry` repeats everything below: each try passes every limit again;
 * - `hedge` repeats one try;
 * - `deadline` begins no try whose time has passed;
 * - `throttle` refuses cheaply, before a place is taken;
 * - `rateLimit` counts each try;
 * - `admission` and `bulkhead` hold a place while the dependency works, and only then;
 * - `breaker` judges after the wait for a place, when its knowledge is fresh, and sees each try by itself;
 * - `tryTimeout` limits one try, and its expiry is evidence for the breaker.
 */
export const POLICY_ORDER = [
  'fallback',
  'cache',
  'coalesce',
  'idempotency',
  'timeout',
  'retry',
  'hedge',
  'deadline',
  'throttle',
  'rateLimit',
  'admission',
  'bulkhead',
  'breaker',
  'tryTimeout',
] as const

export type PolicyName = (typeof POLICY_ORDER)[number]

export type Policies<Request, Response> = { readonly [Name in PolicyName]?: Layer<Request, Response> }

/**
 * Puts the given policies around a service in `POLICY_ORDER`, whatever order they are written in. Use `stack` for an
 * order of your own.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` for a name that is no policy.
 */
export function protect<Request, Response>(
  service: Service<Request, Response>,
  policies: Policies<Request, Response>,
): Service<Request, Response> {
  const known = new Set<string>(POLICY_ORDER)
  const unknown = Object.keys(policies).filter((name) => !known.has(name))
  if (unknown.length > 0)
    throw errors.BW_RESILIENCE_OPTIONS_INVALID(
      `protect: ${unknown.join(', ')} is not one of ${POLICY_ORDER.join(', ')}`,
    )
  const layers = POLICY_ORDER.map((name) => policies[name]).filter((layer) => layer !== undefined)
  return stack(service, layers)
}
