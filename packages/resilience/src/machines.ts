/**
 * The state machines of one call: breaker, budget, bulkhead, hedge delay, idempotency keys, deadlines, and the guard
 * that joins them. Synchronous; time comes in as an argument; nothing is allocated on the hot path.
 *
 * @module
 */

export { CircuitBreaker, REFUSED } from './breaker/circuit-breaker.ts'
export type { BreakerOptions } from './breaker/options.ts'
export { outcomeOfError, outcomeOfStatus } from './breaker/outcome.ts'
export type { Outcome } from './breaker/outcome.ts'
export type { BreakerCounters, BreakerSnapshot, BreakerState } from './breaker/state.ts'

export { Bulkhead } from './bulkhead/bulkhead.ts'
export type { BulkheadOptions } from './bulkhead/bulkhead.ts'
export { BulkheadTicket } from './bulkhead/deadline-queue.ts'

export { DEADLINE_HEADER, DeadlineGate, decodeDeadline, encodeDeadline } from './deadline/header.ts'

export { Guard, guardRefusalOf } from './guard/guard.ts'
export type { GuardOptions, GuardRefusal } from './guard/guard.ts'

export { HedgeDelay } from './hedge/hedge-delay.ts'
export type { HedgeDelayOptions } from './hedge/hedge-delay.ts'

export { IdempotencyStore } from './idempotency/store.ts'
export type { IdempotencyClaim, IdempotencyDecision, IdempotencyStoreOptions } from './idempotency/store.ts'

export { RetryBudget } from './retry/budget.ts'
export type { RetryBudgetOptions } from './retry/budget.ts'
export { RetryPolicy, retryRefusalOf } from './retry/policy.ts'
export type { RetryPolicyOptions, RetryRefusal } from './retry/policy.ts'
export { parseRetryAfter } from './retry/retry-after.ts'

export { RESILIENCE_CHANNEL } from './internal/events.ts'
export type { ResilienceEvent } from './internal/events.ts'
