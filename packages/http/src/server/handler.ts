import type { HttpError } from '../errors.ts'
import type { ServerExchange } from './exchange.ts'

/** The application behind a server. */
export interface ServerHandler {
  /** Whether a new connection is welcome. False: it is closed without a word. Default: every one is. */
  onConnect?(remoteAddress: string): boolean
  /** A connection that was welcome is gone. */
  onDisconnect?(remoteAddress: string): void
  /** A request whose head passed every check. Called in the turn in which its last byte came. */
  onRequest(exchange: ServerExchange, nowMs: number): void
  /** Bytes that were refused, or a client that was too slow: for logs and counters. The engine has answered already, with this id. */
  onRefused?(refusal: HttpError, remoteAddress: string, nowMs: number, traceId: string): void
}
