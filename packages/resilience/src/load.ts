/**
 * The state machines of many calls: rate limits, adaptive concurrency, shedding, throttling, caching, balancing,
 * outlier ejection, overload. Synchronous; time comes in as an argument.
 *
 * @module
 */

export { AdaptiveLimit } from './adaptive/adaptive-limit.ts'
export type { AdaptiveLimitOptions } from './adaptive/adaptive-limit.ts'

export { BalancedEndpoint } from './balance/endpoint.ts'
export { P2cEwmaBalancer } from './balance/p2c-ewma.ts'
export type { P2cEwmaOptions } from './balance/p2c-ewma.ts'

export { Coalescer } from './cache/coalescer.ts'
export type { CoalescerOptions, FlightMember } from './cache/coalescer.ts'
export { StaleCache } from './cache/stale-cache.ts'
export type { Cached, Freshness, Lifetime, StaleCacheOptions } from './cache/stale-cache.ts'

export { WatchedHost } from './outlier/host.ts'
export type { EjectionReason, HostOutcome } from './outlier/host.ts'
export { OutlierDetector } from './outlier/outlier-detector.ts'
export type { OutlierDetectorDeps, OutlierDetectorOptions } from './outlier/outlier-detector.ts'

export { OverloadManager } from './overload/overload-manager.ts'
export type { OverloadLevel, OverloadManagerOptions, OverloadReadings } from './overload/overload-manager.ts'

export { GcraLimiter } from './ratelimit/gcra-limiter.ts'
export type { GcraLimiterOptions } from './ratelimit/gcra-limiter.ts'
export type { Rate } from './ratelimit/rate.ts'
export { TokenBucket } from './ratelimit/token-bucket.ts'

export { AdmissionGate } from './shed/admission-gate.ts'
export type { Permits } from './shed/admission-gate.ts'
export { LoadShedder } from './shed/load-shedder.ts'
export type { LoadShedderOptions } from './shed/load-shedder.ts'
export { Waiter } from './shed/waiter.ts'

export { SlowStart } from './slow-start/slow-start.ts'
export type { SlowStartOptions } from './slow-start/slow-start.ts'

export { ClientThrottle } from './throttle/client-throttle.ts'
export type { ClientThrottleOptions } from './throttle/client-throttle.ts'
