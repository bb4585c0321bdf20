/**
 * A strict sans-I/O HTTP/1.1 engine: bytes in, events and bytes out, with drivers that bring sockets and time.
 *
 * @module
 */

export type {
  ConnectOptions,
  Connecting,
  Driver,
  ListenOptions,
  Listener,
  Transport,
  TransportHandler,
} from './transport.ts'
export { FieldList } from './fields.ts'
export type { BodyFraming, RequestHead, RequestInit, ResponseHead } from './messages.ts'
export { errors } from './errors.ts'
export type { HttpError } from './errors.ts'
export { resolveLimits } from './codec/limits.ts'
export type { MessageLimits } from './codec/limits.ts'
export { RequestParser } from './codec/request-parser.ts'
export { ResponseParser } from './codec/response-parser.ts'
export type { RequestEvents, ResponseEvents } from './codec/handlers.ts'
