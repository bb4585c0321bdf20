import {
  Bulkhead,
  CircuitBreaker,
  HedgeDelay,
  IdempotencyStore,
  RetryBudget,
} from '@breakwater/resilience/machines'
import {
  admission,
  bulkhead,
  circuitBreaker,
  coalesce,
  deadline,
  fallback,
  hedge,
  idempotency,
  rateLimit,
  retry,
  throttle,
  timeout,
} from '@breakwater/resilience'
import { AdaptiveLimit, ClientThrottle, Coalescer, GcraLimiter } from '@breakwater/resilience/load'
import { describeLayer } from '@breakwater/testkit'
import type { Parcel } from '@breakwater/testkit'

const lesser: Parcel = { what: 'a lesser answer' }

describeLayer('deadline', { make: () => deadline({ minRemainingMs: 10 }) })

describeLayer('timeout', { make: () => timeout({ timeoutMs: 30_000 }) })

describeLayer('timeout that abandons', { make: () => timeout({ timeoutMs: 30_000, ifIgnored: 'abandon' }) })

describeLayer('retry', {
  make: () =>
    retry(
      { budget: new RetryBudget({ minPerSecond: 10 }), retryable: () => true, initialBackoffMs: 5_000 },
      { random: () => 0.9 },
    ),
  waits: { failing: true },
})

describeLayer('retry of what may not be retried', { make: () => retry({ budget: new RetryBudget() }) })

describeLayer('circuitBreaker', {
  make: () => circuitBreaker({ breaker: new CircuitBreaker({ key: 'catalog' }, { random: () => 0.5 }) }),
})

describeLayer('bulkhead', {
  make: () => bulkhead(new Bulkhead({ maxConcurrent: 2, maxQueue: 4, maxWaitMs: 60_000 })),
  waits: { afterHanging: 2 },
})

describeLayer('hedge', {
  make: () => hedge({ delay: new HedgeDelay(), budget: new RetryBudget(), replayable: () => true }),
})

describeLayer('fallback that is not for this failure', {
  make: () => fallback({ key: 'catalog', when: () => false, serve: () => lesser }),
})

describeLayer('fallback', {
  make: () => fallback({ key: 'catalog', serve: () => lesser }),
  passesErrors: false,
})

describeLayer('idempotency', {
  make: () =>
    idempotency({ store: new IdempotencyStore(), keyOf: () => 'key', fingerprintOf: ({ what }) => what }),
  waits: { afterHanging: 1 },
})

describeLayer('idempotency without a key', {
  make: () =>
    idempotency({ store: new IdempotencyStore(), keyOf: () => undefined, fingerprintOf: ({ what }) => what }),
})

describeLayer('rateLimit', {
  make: () =>
    rateLimit({
      limiter: new GcraLimiter({ permits: 100, perMs: 1_000, burst: 100 }, { seed: 1 }),
      key: () => 'acme',
    }),
})

describeLayer('throttle', {
  make: (clock) => throttle({ throttle: new ClientThrottle({}, { random: () => 0.5 }, clock.now()) }),
})

describeLayer('coalesce', {
  make: () => coalesce({ coalescer: new Coalescer(), key: () => 'same' }),
  waits: { afterHanging: 1 },
})

describeLayer('coalesce of what may not be shared', {
  make: () => coalesce({ coalescer: new Coalescer(), key: () => undefined }),
})

describeLayer('admission', {
  make: (clock) =>
    admission(
      { limit: new AdaptiveLimit({ initialLimit: 2, minLimit: 2, maxLimit: 2 }, clock.now()) },
      { seed: 1 },
    ),
  waits: { afterHanging: 2 },
})
