import {
  checkStatus,
  reasonOf,
  serializeChunkSize,
  serializeInformational,
  serializeLastChunk,
  serializeResponseHead,
} from '../codec/serialize.ts'
import { errors } from '../errors.ts'
import type { FieldList } from '../fields.ts'
import type { Upgraded } from '../internal/upgraded.ts'
import type { BodyFraming, BodyKind, RequestHead } from '../messages.ts'
import type { Transport } from '../transport.ts'

/** Receives the body of a request. */
export interface BodyHandler {
  /** A view that is valid during the call. Never empty. */
  onData(chunk: Uint8Array, nowMs: number): void
  onEnd(trailers: FieldList | undefined, nowMs: number): void
  /** The body will not be completed. */
  onAbort(error: Error, nowMs: number): void
}

/** What an exchange needs from its connection. @internal */
export interface ExchangeHost {
  readonly transport: Transport
  /** The transport said stop. */
  onBlocked(): void
  startBody(): void
  pauseBody(): void
  resumeBody(): void
  /** Whether this answer must be the last of the connection. */
  mustClose(): boolean
  responseDone(close: boolean): void
  abort(): void
  handOver(): Upgraded
}

/**
 * One request and its answer. Send in this order: `sendInformational`*, `sendHead`, `sendData`*, `sendEnd`; or `upgrade`; or
 * `abort`. Once the exchange is aborted everything sent is ignored, so a late answer of an upstream does no harm.
 */
export class ServerExchange {
  readonly request: RequestHead
  /** When the head was complete. Monotonic milliseconds. */
  readonly startedMs: number
  /** The answer may go on: `sendData` had returned false. */
  onWritable: ((nowMs: number) => void) | undefined = undefined
  /** The client went away, or broke the rules, before the answer was complete. Called at most once. */
  onAbort: ((error: Error, nowMs: number) => void) | undefined = undefined
  /** The client sends no more. It may still read: whether it does, nobody can tell before something is written. */
  onInputEnd: ((nowMs: number) => void) | undefined = undefined
  /** Close the connection after this answer. */
  closeAfter: boolean = false
  /** Set by `limitBody`. @internal */
  maxBodyBytes: number = Infinity
  /** @internal */
  body: BodyHandler | undefined = undefined
  readonly #host: ExchangeHost
  readonly #transport: Transport
  #state: 'open' | 'head-sent' | 'done' = 'open'
  /** How the body is framed for this client. */
  #body: BodyKind = 'none'
  #remaining = 0
  #close = false
  #failed = false

  constructor(host: ExchangeHost, request: RequestHead, nowMs: number) {
    this.#host = host
    this.#transport = host.transport
    this.request = request
    this.startedMs = nowMs
  }

  get remoteAddress(): string {
    return this.#transport.remoteAddress
  }

  get remotePort(): number {
    return this.#transport.remotePort
  }

  /** Whether the request came over TLS. */
  get secure(): boolean {
    return this.#transport.secure
  }

  get headSent(): boolean {
    return this.#state !== 'open'
  }

  /** Answered in full, upgraded, or aborted. */
  get done(): boolean {
    return this.#state === 'done'
  }

  /**
   * Starts to receive the body; until then the client is held back. Answers `Expect: 100-continue`. For a request without a
   * body `onEnd` follows all the same. Call once.
   */
  readBody(handler: BodyHandler): void {
    if (this.body !== undefined) throw errors.BW_HTTP_STATE_INVALID('readBody was called twice')
    this.body = handler
    if (this.#state !== 'done') this.#host.startBody()
  }

  /** Refuses the body with 413 once it is longer than this; the tighter of this and the listener's limit counts. */
  limitBody(maxBytes: number): void {
    this.maxBodyBytes = maxBytes
  }

  /** Holds the client back. What was read already, one read at most, is delivered after `resumeBody`. */
  pauseBody(): void {
    if (this.#state !== 'done') this.#host.pauseBody()
  }

  resumeBody(): void {
    if (this.#state !== 'done') this.#host.resumeBody()
  }

  /** Sends a 1xx head, such as 103. HTTP/1.0 clients are spared. */
  sendInformational(status: number, fields?: FieldList): void {
    if (this.#state !== 'open' || this.request.minorVersion === 0) return
    checkStatus(status, '')
    if (status >= 200 || status === 101)
      throw errors.BW_HTTP_STATE_INVALID(`${status} is not an informational status`)
    this.#write(serializeInformational(status, fields))
  }

  /**
   * Sends the head. Framing and connection fields in `fields` are left out: the engine writes its own. No body follows HEAD,
   * 204 and 304; what `sendData` gets for those is dropped.
   *
   * @throws `BW_HTTP_STATE_INVALID` when a head was sent before.
   * @throws `BW_HTTP_STATUS_LINE_INVALID` for a status outside 200–999 or a reason with control bytes.
   */
  sendHead(status: number, fields: FieldList, framing: BodyFraming, reason?: string): void {
    if (this.#state === 'done') return
    if (this.#state !== 'open') throw errors.BW_HTTP_STATE_INVALID('the head was sent already')
    const phrase = reason ?? reasonOf(status)
    checkStatus(status, phrase)
    if (status < 200) throw errors.BW_HTTP_STATE_INVALID(`${status} is not a final status`)
    this.#state = 'head-sent'
    const { request } = this
    let sent = framing
    const isBodyless = status === 204 || status === 304 || request.method === 'HEAD'
    // HTTP/1.0 knows no chunks: the end of the connection ends the body.
    const isEndedByClose = !isBodyless && framing.kind === 'chunked' && request.minorVersion === 0
    if (isBodyless) sent = bodylessFraming(status, framing)
    else if (isEndedByClose) sent = { kind: 'none' }
    else if (framing.kind === 'none') sent = { kind: 'length', bytes: 0 }
    this.#close = isEndedByClose || this.closeAfter || this.#host.mustClose()
    this.#body = isEndedByClose ? 'close' : sent.kind
    this.#remaining = sent.kind === 'length' ? sent.bytes : 0
    const note = this.#close ? 'close' : request.minorVersion === 0 ? 'keep-alive' : 'none'
    this.#write(serializeResponseHead(status, phrase, fields, sent, note))
  }

  /**
   * Sends part of the body. The bytes may be reused when the turn ends.
   *
   * @returns false when the client is slower than this: stop, `onWritable` follows.
   * @throws `BW_HTTP_STATE_INVALID` without a head, or for more bytes than announced.
   */
  sendData(chunk: Uint8Array): boolean {
    if (this.#state === 'done') return true
    if (this.#state !== 'head-sent')
      throw errors.BW_HTTP_STATE_INVALID('a body cannot be sent before its head')
    if (this.#body === 'none' || chunk.length === 0) return true
    if (this.#body === 'chunked') {
      this.#transport.write(serializeChunkSize(chunk.length))
      this.#transport.write(chunk)
      return this.#write('\r\n')
    }
    if (this.#body === 'length') {
      this.#remaining -= chunk.length
      if (this.#remaining < 0) {
        this.abort()
        throw errors.BW_HTTP_STATE_INVALID('more body than the head announced')
      }
    }
    return this.#write(chunk)
  }

  /** Ends the answer. A body shorter than announced cannot be mended: the connection is cut so that the client notices. */
  sendEnd(trailers?: FieldList): void {
    if (this.#state === 'done') return
    if (this.#state !== 'head-sent')
      throw errors.BW_HTTP_STATE_INVALID('an answer cannot end before its head')
    if (this.#remaining > 0) {
      this.abort()
      return
    }
    if (this.#body === 'chunked') this.#write(serializeLastChunk(trailers))
    this.#state = 'done'
    this.#host.responseDone(this.#close)
  }

  /** Answers 101 and leaves HTTP. The client must have asked (`request.upgrade`). */
  upgrade(protocol: string, fields?: FieldList): Upgraded {
    if (this.#state !== 'open' || this.request.upgrade === undefined) {
      throw errors.BW_HTTP_STATE_INVALID('nothing to upgrade: not asked for, or answered already')
    }
    this.#state = 'done'
    this.#write(serializeInformational(101, fields, protocol))
    return this.#host.handOver()
  }

  /** Cuts the connection at once: the client sees a broken answer, never a complete wrong one. */
  abort(): void {
    if (this.#state === 'done') return
    this.#state = 'done'
    this.#host.abort()
  }

  /** The connection tells that nothing sent from now on will arrive. @internal */
  fail(error: Error, nowMs: number, bodyPending: boolean): void {
    const wasDone = this.#state === 'done'
    this.#state = 'done'
    if (bodyPending && !this.#failed) this.body?.onAbort(error, nowMs)
    this.#failed = true
    if (!wasDone) this.onAbort?.(error, nowMs)
  }

  #write(chunk: Uint8Array | string): boolean {
    const isOpen = this.#transport.write(chunk)
    if (!isOpen) this.#host.onBlocked()
    return isOpen
  }
}

function bodylessFraming(status: number, framing: BodyFraming): BodyFraming {
  if (status === 204 || framing.kind === 'chunked') return { kind: 'none' }
  return framing.kind === 'length' ? { kind: 'none', declaredBytes: framing.bytes } : framing
}
