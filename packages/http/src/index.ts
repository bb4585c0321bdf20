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
export { openFfiDriver } from './ffi/driver.ts'
export { openNetDriver } from './net/driver.ts'
export type { NetDriver } from './net/driver.ts'

export { FieldList } from './fields.ts'
export type { BodyFraming, RequestHead, RequestInit, ResponseHead } from './messages.ts'
export { errors } from './errors.ts'
export type { HttpError } from './errors.ts'

export type { MessageLimits } from './codec/limits.ts'

export { HttpServer } from './server/server.ts'
export type { ServerHandler } from './server/handler.ts'
export type { BodyHandler, ServerExchange } from './server/exchange.ts'
export type { ServerOptions } from './server/options.ts'

export { UpstreamPool } from './client/pool.ts'
export type { PoolCounters } from './client/pool.ts'
export type {
  BodySink,
  ClientExchange,
  FailureProgress,
  RequestTimeouts,
  ResponseHandler,
} from './client/handler.ts'
export type { PoolOptions } from './client/options.ts'
export type { Upgraded } from './internal/upgraded.ts'

export { Forwarding, requestFraming, responseFraming } from './forwarding/forwarding.ts'
export type { ForwardingOptions } from './forwarding/forwarding.ts'
export { joinTunnel } from './forwarding/tunnel.ts'

export { SimNetwork } from './sim/sim-network.ts'
export type { LinkFaults } from './sim/faults.ts'
