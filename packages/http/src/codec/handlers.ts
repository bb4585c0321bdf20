import type { HttpError } from '../errors.ts'
import type { FieldList } from '../fields.ts'
import type { RequestHead, ResponseHead } from '../messages.ts'

/** What follows a head, of a request or a response. Called during `feed`. */
export interface BodyEvents {
  /** Part of the body, framing removed. A view into the bytes fed: valid during the call. Never empty. */
  onData(chunk: Uint8Array): void
  /** The message is complete. Called for every head that ends well, body or not. */
  onMessageEnd(trailers: FieldList | undefined): void
  /** The bytes are refused. The parser is dead: it consumes nothing more. */
  onError(error: HttpError): void
}

export interface RequestEvents extends BodyEvents {
  onHead(head: RequestHead): void
}

export interface ResponseEvents extends BodyEvents {
  /** A 1xx other than 101. The final head follows. */
  onInformational(head: ResponseHead): void
  /** The final head. After 101 the parser is done: what `feed` leaves unconsumed belongs to the new protocol. */
  onHead(head: ResponseHead): void
}

/**
 * Common to both parsers:
 *
 * - `feed(bytes)` calls the handler and returns how many bytes it took. It takes all, unless paused or dead.
 * - `pause()`, also from inside a callback, stops before the next callback; the caller keeps what was not consumed
 *   and feeds it again after `resume()`.
 * - `end()` says that the stream is over: ends a `close`-framed body, fails a message cut short.
 */
export interface Parser {
  feed(bytes: Uint8Array): number
  end(): void
  pause(): void
  resume(): void
  readonly paused: boolean
  /** Whether a message has begun and is not over. False between messages. */
  readonly midMessage: boolean
  /** Whether an error was reported. */
  readonly dead: boolean
}
