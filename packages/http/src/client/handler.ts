import type { HttpError } from '../errors.ts'
import type { FieldList } from '../fields.ts'
import type { Upgraded } from '../internal/upgraded.ts'
import type { ResponseHead } from '../messages.ts'

/** How far a request had come when it failed: what a retry needs to know. */
export interface FailureProgress {
  /** Whether any byte of the request was handed to the network: if not, it may be sent again whatever it is. */
  readonly bytesSent: boolean
  /** Whether the final head had been delivered: if so, it is too late to try again. */
  readonly responseStarted: boolean
}

/** Receives the body of an answer. */
export interface BodySink {
  /** A view that is valid during the call. Never empty. */
  onData(chunk: Uint8Array, nowMs: number): void
}

/** Receives the answer to one request. Exactly one of `onEnd`, `onError` and `onUpgrade` is the last call. */
export interface ResponseHandler extends BodySink {
  /** A 1xx head. */
  onInformational?(head: ResponseHead, nowMs: number): void
  onHead(head: ResponseHead, nowMs: number): void
  onEnd(trailers: FieldList | undefined, nowMs: number): void
  onError(error: HttpError, progress: FailureProgress, nowMs: number): void
  /** The upload may begin, or go on after `sendData` returned false. */
  onWritable?(nowMs: number): void
  /** The upstream answered 101; only for requests with `upgrade`. */
  onUpgrade?(head: ResponseHead, upgraded: Upgraded, nowMs: number): void
}

/** The sending side of one request, and its brake. After the last call of the handler everything here does nothing. */
export interface ClientExchange {
  /** Whether any byte of the request was handed to the network: if not, it may be sent again whatever it is. */
  readonly bytesSent: boolean
  /**
   * Sends part of the body, framed as the request said. Bytes given before there is a connection are copied.
   *
   * @returns false when the upstream is slower than this: stop, `onWritable` follows.
   */
  sendData(chunk: Uint8Array): boolean
  /** Ends the body. Not needed for requests with framing `none`. */
  sendEnd(trailers?: FieldList): void
  /**
   * From now on the body goes straight to this one instead of to the handler: who only cares for the head and the end need not stand
   * between. Call it when the head has come.
   */
  deliverTo(sink: BodySink): void
  /** Stops reading the answer; one read at most is still delivered. */
  pauseBody(): void
  resumeBody(): void
  /** Gives up: the connection, if there is one, is closed so that the upstream notices. Nothing is called any more. */
  abort(): void
}

/** Time limits of one request that differ from the pool's. */
export interface RequestTimeouts {
  readonly firstByteTimeoutMs?: number
  readonly idleTimeoutMs?: number
}
