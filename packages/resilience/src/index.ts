/**
 * Resilience policies: pure synchronous state machines (time in, decision out) and thin layers over them. No sockets,
 * no globals, no timers of its own.
 *
 * @module
 */

export { attemptOf, createCall, tenantOf, within } from './call.ts'
export type { Call, OwnedCall, Priority } from './call.ts'
export { errors } from './errors.ts'
export { stack } from './service.ts'
export type { Layer, Service } from './service.ts'
