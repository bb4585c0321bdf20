import { defineErrors } from '@breakwater/core'
import type { ErrorCatalogue } from '@breakwater/core'

const specs = {
  BW_RESILIENCE_OPTIONS_INVALID: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Correct the options that the message names.',
  },
  BW_RESILIENCE_TENANT_MISSING: {
    fault: 'caller',
    retry: 'never',
    status: 400,
    fix: 'Set the tenant when the call is created, from the verified identity of the caller.',
  },
  BW_RESILIENCE_CALL_ABORTED: {
    fault: 'caller',
    retry: 'never',
    status: 499,
    fix: 'Nothing to fix: the caller went away before the answer was ready.',
  },
  BW_RESILIENCE_DEADLINE_EXCEEDED: {
    fault: 'upstream',
    retry: 'if-idempotent',
    status: 504,
    fix: 'Raise timeoutMs on the route, or find out why the upstream is slow.',
  },
  BW_RESILIENCE_DEADLINE_EXPIRED: {
    fault: 'caller',
    retry: 'never',
    status: 504,
    fix: 'Give the call more time, or find the hop that used it up.',
  },
  BW_RESILIENCE_DEADLINE_MALFORMED: {
    fault: 'caller',
    retry: 'never',
    status: 400,
    fix: 'Send the remaining time as whole milliseconds, or leave the header out.',
  },
  BW_RESILIENCE_CIRCUIT_OPEN: {
    fault: 'upstream',
    retry: 'after-delay',
    status: 503,
    fix: 'Find out why the dependency fails; the breaker closes by itself once probes succeed.',
  },
  BW_RESILIENCE_BULKHEAD_FULL: {
    fault: 'policy',
    retry: 'after-delay',
    status: 503,
    fix: 'Find out why calls to this dependency take long before raising maxConcurrent or maxQueue.',
  },
  BW_RESILIENCE_BULKHEAD_WAIT_EXCEEDED: {
    fault: 'policy',
    retry: 'after-delay',
    status: 503,
    fix: 'Find out why calls to this dependency take long before raising maxWaitMs.',
  },
  BW_RESILIENCE_HEDGE_LOST: {
    fault: 'policy',
    retry: 'never',
    status: 499,
    fix: 'Nothing to fix: another attempt of the same call answered first.',
  },
  BW_RESILIENCE_FALLBACK_SAME_DEPENDENCY: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Let the fallback answer without the dependency that has just failed.',
  },
  BW_RESILIENCE_IDEMPOTENCY_KEY_INVALID: {
    fault: 'caller',
    retry: 'never',
    status: 400,
    fix: 'Send an Idempotency-Key of 1 to 255 visible ASCII characters.',
  },
  BW_RESILIENCE_IDEMPOTENCY_KEY_REUSED: {
    fault: 'caller',
    retry: 'never',
    status: 422,
    fix: 'Use a fresh Idempotency-Key for a different request.',
  },
  BW_RESILIENCE_IDEMPOTENCY_IN_FLIGHT: {
    fault: 'caller',
    retry: 'after-delay',
    status: 409,
    fix: 'Wait for the first request with this key to finish, then send it again.',
  },
  BW_RESILIENCE_IDEMPOTENCY_STORE_FULL: {
    fault: 'policy',
    retry: 'after-delay',
    status: 503,
    fix: 'Raise maxEntries of the idempotency store, or shorten ttlMs.',
  },
  BW_RESILIENCE_RATE_LIMITED: {
    fault: 'caller',
    retry: 'after-delay',
    status: 429,
    fix: 'Wait as long as the answer says, and send less often.',
  },
  BW_RESILIENCE_LOAD_SHED: {
    fault: 'policy',
    retry: 'after-delay',
    status: 503,
    fix: 'Send less, or give the service more capacity; the most important requests are served first.',
  },
  BW_RESILIENCE_CLIENT_THROTTLED: {
    fault: 'upstream',
    retry: 'after-delay',
    status: 503,
    fix: 'Wait: the upstream refuses so much that most further requests are not even sent.',
  },
} as const

/** Every error this package throws on purpose, by code. */
export const errors: ErrorCatalogue<typeof specs> = defineErrors(specs)
