import { errors } from '../errors.ts'
import type { HttpError } from '../errors.ts'
import type { FieldList } from '../fields.ts'
import type { Upgraded } from '../internal/upgraded.ts'
import type { RequestInit, ResponseHead } from '../messages.ts'
import type { ClientConnection } from './connection.ts'
import type {
  BodySink,
  ClientExchange,
  FailureProgress,
  RequestTimeouts,
  ResponseHandler,
} from './handler.ts'

/** What a request needs from its pool. @internal */
export interface RequestHome {
  /** Takes the request out of the queue. */
  forget(request: PooledRequest): void
  /** Puts it in front of the queue, for a connection that was never used. */
  replay(request: PooledRequest): boolean
}

/** RFC 9110 §9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** One request on its way through a pool: first waiting, then on a connection. @internal */
export class PooledRequest implements ClientExchange, ResponseHandler {
  /** Let go when an answer has begun: a stream may last for hours, and nothing of it is sent again. */
  #request: RequestInit | undefined
  readonly timeouts: RequestTimeouts | undefined
  readonly #handler: ResponseHandler
  readonly #home: RequestHome
  deadlineMs: number = Infinity
  /** After a failure on a used connection: only an unused one will do. */
  freshOnly: boolean = false
  #connection: ClientConnection | undefined
  #queued: Buffer[] | undefined
  #ended = false
  #trailers: FieldList | undefined
  #bodyGiven = false
  #paused = false
  #done = false
  /** Also when it goes back to the queue after that. */
  bytesSent: boolean = false

  constructor(
    request: RequestInit,
    handler: ResponseHandler,
    home: RequestHome,
    timeouts: RequestTimeouts | undefined,
  ) {
    this.#request = request
    this.#handler = handler
    this.#home = home
    this.timeouts = timeouts
  }

  /** Goes onto an idle connection. */
  start(connection: ClientConnection, nowMs: number): void {
    const request = this.#request
    if (request === undefined) throw errors.BW_HTTP_STATE_INVALID('the request was answered already')
    connection.send(request, this, nowMs, this.timeouts)
    this.#connection = connection
    this.bytesSent = true
    const queued = this.#queued
    this.#queued = undefined
    if (queued !== undefined) for (const chunk of queued) connection.sendData(chunk)
    if (this.#ended) connection.sendEnd(this.#trailers)
    if (this.#paused) connection.pauseBody()
    if (queued !== undefined && !this.#ended) this.#handler.onWritable?.(nowMs)
  }

  /** Fails before any connection was found. */
  refuse(error: HttpError, nowMs: number): void {
    if (this.#done) return
    this.#done = true
    this.#queued = undefined
    this.#handler.onError(error, { bytesSent: this.bytesSent, responseStarted: false }, nowMs)
  }

  // --- ClientExchange

  sendData(chunk: Uint8Array): boolean {
    if (this.#done) return true
    this.#bodyGiven = true
    if (this.#connection !== undefined) return this.#connection.sendData(chunk)
    if (chunk.length > 0) (this.#queued ??= []).push(Buffer.from(chunk))
    return false
  }

  sendEnd(trailers?: FieldList): void {
    if (this.#done) return
    if (this.#connection !== undefined) this.#connection.sendEnd(trailers)
    else {
      this.#ended = true
      this.#trailers = trailers
    }
  }

  deliverTo(sink: BodySink): void {
    if (!this.#done) this.#connection?.deliverTo(sink)
  }

  pauseBody(): void {
    if (this.#done) return
    this.#paused = true
    this.#connection?.pauseBody()
  }

  resumeBody(): void {
    if (this.#done) return
    this.#paused = false
    this.#connection?.resumeBody()
  }

  abort(): void {
    if (this.#done) return
    this.#done = true
    this.#queued = undefined
    if (this.#connection === undefined) this.#home.forget(this)
    else this.#connection.abort()
  }

  // --- ResponseHandler

  onInformational(head: ResponseHead, nowMs: number): void {
    this.#handler.onInformational?.(head, nowMs)
  }

  onHead(head: ResponseHead, nowMs: number): void {
    this.#request = undefined
    this.#handler.onHead(head, nowMs)
  }

  onData(chunk: Uint8Array, nowMs: number): void {
    this.#handler.onData(chunk, nowMs)
  }

  onEnd(trailers: FieldList | undefined, nowMs: number): void {
    this.#done = true
    this.#handler.onEnd(trailers, nowMs)
  }

  onWritable(nowMs: number): void {
    this.#handler.onWritable?.(nowMs)
  }

  onUpgrade(head: ResponseHead, upgraded: Upgraded, nowMs: number): void {
    this.#done = true
    if (this.#handler.onUpgrade === undefined) upgraded.transport.destroy()
    else this.#handler.onUpgrade(head, upgraded, nowMs)
  }

  onError(error: HttpError, progress: FailureProgress, nowMs: number): void {
    if (this.#mayReplay(error) && this.#home.replay(this)) return
    this.#done = true
    this.#handler.onError(error, progress, nowMs)
  }

  /**
   * The upstream closed an idle connection while our request was on its way: it was most likely never seen. That it was
   * not is certain to nobody, so only what may safely happen twice, and has no body to lose, is sent again (RFC 9110 §9.2.2).
   */
  #mayReplay(error: HttpError): boolean {
    const connection = this.#connection
    const request = this.#request
    if (connection === undefined || request === undefined || connection.answerBegun) return false
    if (this.freshOnly || connection.requests < 2) return false
    if (error.code !== 'BW_HTTP_UPSTREAM_CLOSED' || this.#bodyGiven) return false
    const { framing, method } = request
    const empty = framing.kind === 'none' || (framing.kind === 'length' && framing.bytes === 0)
    if (!empty || !IDEMPOTENT.has(method)) return false
    this.freshOnly = true
    this.#connection = undefined
    return true
  }
}
