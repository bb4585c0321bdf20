/**
 * The state machines of one call: breaker, budget, bulkhead, hedge delay, idempotency keys, deadlines. Synchronous;
 * time comes in as an argument; nothing is allocated on the hot path.
 *
 * @module
 */

export {}
