/**
 * Resilience policies as layers around a call. No sockets, no globals, no timers of its own. The state machines behind
 * the layers are `@breakwater/resilience/machines` (one call) and `@breakwater/resilience/load` (many calls).
 *
 * @module
 */

export { attemptOf, createCall, tenantOf, within } from './call.ts'
export type { Call, OwnedCall, Priority } from './call.ts'
export { errors } from './errors.ts'
export { POLICY_ORDER, protect } from './protect.ts'
export { stack } from './service.ts'
export type { Layer, Service } from './service.ts'

export { admission } from './shed/admission.ts'
export { bulkhead } from './bulkhead/layer.ts'
export { cached } from './cache/cached.ts'
export { circuitBreaker } from './breaker/layer.ts'
export { coalesce } from './cache/coalesce.ts'
export { deadline } from './deadline/deadline.ts'
export { fallback } from './fallback/fallback.ts'
export { hedge } from './hedge/hedge.ts'
export { idempotency } from './idempotency/idempotency.ts'
export { rateLimit } from './ratelimit/rate-limit.ts'
export { retry } from './retry/retry.ts'
export { throttle } from './throttle/throttle.ts'
export { timeout } from './timeout/timeout.ts'
