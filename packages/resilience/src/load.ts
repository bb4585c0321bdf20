/**
 * The state machines of many calls: rate limits, adaptive concurrency, shedding, throttling, caching, balancing,
 * outlier ejection, overload. Synchronous; time comes in as an argument.
 *
 * @module
 */

export {}
