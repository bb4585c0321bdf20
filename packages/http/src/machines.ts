/**
 * The parts of the engine for those who bring their own transport: parsers and the server's state machine.
 *
 * @module
 */

export { resolveLimits } from './codec/limits.ts'
export { RequestParser } from './codec/request-parser.ts'
export { ResponseParser } from './codec/response-parser.ts'
export type { RequestEvents, ResponseEvents } from './codec/handlers.ts'
export { ServerConnection } from './server/connection.ts'
export { resolveServerOptions } from './server/options.ts'
