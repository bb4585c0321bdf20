import type { ResponseEvents } from '../codec/handlers.ts'
import { asBuffer } from '../codec/request-parser.ts'
import { ResponseParser } from '../codec/response-parser.ts'
import { serializeChunkSize, serializeLastChunk, serializeRequestHead } from '../codec/serialize.ts'
import { errors } from '../errors.ts'
import type { HttpError } from '../errors.ts'
import type { FieldList } from '../fields.ts'
import { LazyTimer } from '../internal/lazy-timer.ts'
import type { Timing } from '../internal/lazy-timer.ts'
import { Handover } from '../internal/upgraded.ts'
import type { BodyFraming, RequestInit, ResponseHead } from '../messages.ts'
import type { Transport, TransportHandler } from '../transport.ts'
import type { BodySink, ClientExchange, RequestTimeouts, ResponseHandler } from './handler.ts'
import type { ResolvedPoolOptions } from './options.ts'

/** What becomes of a connection: told to its owner, usually a pool. */
export interface ConnectionOwner {
  /** The exchange is over and the connection can take another. */
  onIdle(connection: ClientConnection, nowMs: number): void
  /** The connection takes no more requests; called once. */
  onGone(connection: ClientConnection, nowMs: number): void
}

const NO_TIMEOUTS: RequestTimeouts = {}

/** The client's side of one connection: one request at a time, never pipelined. */
export class ClientConnection implements TransportHandler, ResponseEvents, ClientExchange {
  readonly #transport: Transport
  readonly #timing: Timing
  readonly #options: ResolvedPoolOptions
  readonly #owner: ConnectionOwner
  readonly #parser: ResponseParser
  readonly #timer: LazyTimer
  #handler: ResponseHandler | undefined
  #sink: BodySink | undefined
  #framing: BodyFraming = { kind: 'none' }
  #timeouts: RequestTimeouts = NO_TIMEOUTS
  #nowMs = 0 // from the first, as `NetTurns.nowMs`
  #requestEnded = true
  #remaining = 0
  #responseStarted = false
  #answered = false
  #keepAlive = true
  #paused = false
  #blocked = false
  /** The timer looks how long ago `#nowMs` was when it comes up: nobody has to move it for each piece of a body. */
  #isIdleWatched = false
  #rest: Buffer | undefined
  #feeding = false
  #inputEnded = false
  #closing = false
  #gone = false
  #tunnel: Handover | undefined
  /** Requests sent on this connection so far. */
  requests: number = 0
  /** Whether any byte of the answer at hand has come. */
  answerBegun: boolean = false

  constructor(
    transport: Transport,
    timing: Timing,
    options: ResolvedPoolOptions,
    owner: ConnectionOwner,
    nowMs: number,
  ) {
    this.#transport = transport
    this.#timing = timing
    this.#options = options
    this.#owner = owner
    this.#nowMs = nowMs
    this.#timer = new LazyTimer(timing.wheel, (atMs) => this.#expired(atMs))
    this.#parser = new ResponseParser(options.limits, this)
  }

  /** True once anything was sent on this connection. */
  get bytesSent(): boolean {
    return this.requests > 0
  }

  get idle(): boolean {
    return this.#handler === undefined && !this.#closing && !this.#gone
  }

  /**
   * Sends a request. The connection must be idle. With framing `none` the request is complete; otherwise send the body on
   * the returned exchange, which is valid until the handler's last call.
   *
   * @throws `BW_HTTP_STATE_INVALID` when the connection is busy or closed.
   * @throws `BW_HTTP_REQUEST_LINE_INVALID` when method, target or authority cannot stand in a request line.
   */
  send(
    request: RequestInit,
    handler: ResponseHandler,
    nowMs: number,
    timeouts: RequestTimeouts = NO_TIMEOUTS,
  ): ClientExchange {
    if (!this.idle) throw errors.BW_HTTP_STATE_INVALID('the upstream connection is busy or closed')
    const { method, framing } = request
    const head = serializeRequestHead(request)
    this.#nowMs = nowMs
    this.#handler = handler
    this.#sink = handler
    this.#framing = framing
    this.#timeouts = timeouts
    this.#remaining = framing.kind === 'length' ? framing.bytes : 0
    this.#requestEnded = framing.kind === 'none' || (framing.kind === 'length' && framing.bytes === 0)
    this.#responseStarted = false
    this.#answered = false
    this.answerBegun = false
    this.#paused = false
    this.#keepAlive = true
    this.requests++
    this.#parser.expect(method, request.upgrade !== undefined)
    this.#blocked = !this.#transport.write(head)
    this.#watch(nowMs)
    return this
  }

  // --- ClientExchange

  sendData(chunk: Uint8Array): boolean {
    if (this.#handler === undefined || this.#requestEnded || chunk.length === 0) return true
    let open: boolean
    if (this.#framing.kind === 'chunked') {
      this.#transport.write(serializeChunkSize(chunk.length))
      this.#transport.write(chunk)
      open = this.#transport.write('\r\n')
    } else {
      this.#remaining -= chunk.length
      if (this.#remaining < 0) {
        this.abort()
        throw errors.BW_HTTP_STATE_INVALID('more request body than its head announced')
      }
      open = this.#transport.write(chunk)
    }
    if (!open && !this.#blocked) {
      this.#blocked = true
      this.#watch(this.#timing.clock.now())
    }
    return open
  }

  sendEnd(trailers?: FieldList): void {
    if (this.#handler === undefined || this.#requestEnded) return
    if (this.#remaining > 0) {
      // A body shorter than announced: only the end of the connection can say so.
      this.abort()
      return
    }
    if (this.#framing.kind === 'chunked') this.#transport.write(serializeLastChunk(trailers))
    this.#requestEnded = true
    this.#watch(this.#timing.clock.now())
  }

  deliverTo(sink: BodySink): void {
    if (this.#handler !== undefined) this.#sink = sink
  }

  pauseBody(): void {
    if (this.#handler === undefined || this.#paused) return
    this.#paused = true
    this.#parser.pause()
    this.#transport.pause()
    this.#timer.clear()
    this.#isIdleWatched = false
  }

  resumeBody(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#parser.resume()
    if (this.#gone) return
    this.#transport.resume()
    if (this.#feeding) return
    this.#watch(this.#timing.clock.now())
    const rest = this.#rest
    this.#rest = undefined
    if (rest !== undefined) this.#consume(rest, true)
    if (this.#inputEnded && this.#rest === undefined) this.#inputOver()
  }

  abort(): void {
    if (this.#handler === undefined) return
    this.close(true)
  }

  /** Closes the connection; a request under way is abandoned, and the upstream told by a reset. */
  close(reset: boolean = this.#handler !== undefined): void {
    if (this.#closing) return
    this.#closing = true
    this.#letGo()
    this.#transport.destroy(reset)
    // Who gives a silent upstream up does so long after it was heard last.
    this.#leave(this.#timing.clock.now())
  }

  /** Starts the clock of an unused connection. @internal */
  park(nowMs: number): void {
    this.#timer.set(nowMs + this.#options.keepAliveTimeoutMs)
    this.#isIdleWatched = false
  }

  // --- TransportHandler

  onBytes(bytes: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs
    if (this.#tunnel !== undefined) this.#tunnel.onBytes(bytes, nowMs)
    else if (this.#closing || this.#gone) return
    else if (this.#handler === undefined) {
      // Bytes that nobody asked for: whatever they are, they must never become the answer to the next request.
      this.close()
    } else {
      this.answerBegun = true
      if (this.#rest !== undefined) this.#rest = Buffer.concat([this.#rest, bytes])
      else this.#consume(bytes)
    }
  }

  onDrain(nowMs: number): void {
    this.#nowMs = nowMs
    if (this.#tunnel !== undefined) this.#tunnel.onDrain(nowMs)
    else if (this.#blocked) {
      this.#blocked = false
      if (this.#handler === undefined) return
      this.#watch(nowMs)
      if (!this.#requestEnded) this.#handler.onWritable?.(nowMs)
    }
  }

  onEnd(nowMs: number): void {
    this.#nowMs = nowMs
    this.#inputEnded = true
    if (this.#tunnel !== undefined) this.#tunnel.onEnd(nowMs)
    else if (this.#rest === undefined) this.#inputOver()
  }

  onClose(nowMs: number, error?: Error): void {
    this.#nowMs = nowMs
    const wasClosing = this.#closing
    this.#closing = true
    if (this.#tunnel !== undefined) this.#tunnel.onClose(nowMs, error)
    else if (!wasClosing && this.#handler !== undefined) {
      const options = error === undefined ? {} : { cause: error }
      const failure = this.#responseStarted
        ? errors.BW_HTTP_RESPONSE_INCOMPLETE(
            'the upstream connection broke in the middle of an answer',
            options,
          )
        : errors.BW_HTTP_UPSTREAM_CLOSED('the upstream closed the connection before it answered', options)
      this.#report(failure, nowMs)
    }
    this.#leave(nowMs)
  }

  // --- the parser speaks

  onInformational(head: ResponseHead): void {
    this.#handler?.onInformational?.(head, this.#nowMs)
  }

  onHead(head: ResponseHead): void {
    this.#responseStarted = true
    if (!head.keepAlive) this.#keepAlive = false
    const handler = this.#handler
    if (handler === undefined) return
    if (head.status !== 101) {
      handler.onHead(head, this.#nowMs)
      return
    }
    this.#letGo()
    this.#timer.release()
    this.#tunnel = new Handover(this.#transport, undefined)
    if (handler.onUpgrade === undefined) this.#transport.destroy()
    else handler.onUpgrade(head, this.#tunnel, this.#nowMs)
  }

  onData(chunk: Uint8Array): void {
    this.#sink?.onData(chunk, this.#nowMs)
  }

  onMessageEnd(trailers: FieldList | undefined): void {
    const handler = this.#letGo()
    if (handler === undefined) return
    this.#answered = true
    // An upstream that answers before it has read the request (413, 401 …) cannot be trusted to read the rest.
    if (!this.#requestEnded) this.#keepAlive = false
    handler.onEnd(trailers, this.#nowMs)
  }

  onError(error: HttpError): void {
    this.#fail(error, this.#nowMs)
  }

  // --- within

  #consume(bytes: Uint8Array, isOurs: boolean = false): void {
    this.#feeding = true
    const used = this.#parser.feed(bytes)
    this.#feeding = false
    if (this.#closing) return
    if (used < bytes.length) {
      const rest = bytes.subarray(used)
      if (this.#tunnel !== undefined) this.#tunnel.onBytes(rest, this.#nowMs)
      else if (this.#handler === undefined) this.close()
      else this.#rest = isOurs ? asBuffer(rest) : Buffer.from(rest)
    } else if (this.#handler !== undefined && !this.#paused && !this.#isIdleWatched) this.#watch(this.#nowMs)
    if (this.#handler === undefined && this.#tunnel === undefined) this.#settle()
  }

  #inputOver(): void {
    if (this.#closing) return
    const handler = this.#handler
    if (handler !== undefined) {
      this.#keepAlive = false
      this.#parser.end()
      if (this.#handler === handler && !this.#answered) {
        this.#fail(
          errors.BW_HTTP_UPSTREAM_CLOSED('the upstream closed the connection before it answered'),
          this.#nowMs,
        )
      }
    }
    this.close()
  }

  /** Between two exchanges: reuse or close. */
  #settle(): void {
    if (this.#closing || this.#gone || this.#handler !== undefined) return
    this.#paused = false
    this.#parser.resume()
    this.#transport.resume()
    if (
      !this.#keepAlive ||
      this.#inputEnded ||
      this.#blocked ||
      this.requests >= this.#options.maxRequestsPerConnection
    )
      this.close()
    else this.#owner.onIdle(this, this.#nowMs)
  }

  #fail(error: HttpError, nowMs: number): void {
    this.#report(error, nowMs)
    this.close(true)
  }

  #report(error: HttpError, nowMs: number): void {
    this.#letGo()?.onError(error, { bytesSent: true, responseStarted: this.#responseStarted }, nowMs)
  }

  /** Of who asked: nothing more is told. */
  #letGo(): ResponseHandler | undefined {
    const handler = this.#handler
    this.#handler = undefined
    this.#sink = undefined
    return handler
  }

  #leave(nowMs: number): void {
    if (this.#gone) return
    this.#gone = true
    this.#timer.release()
    this.#rest = undefined
    this.#owner.onGone(this, nowMs)
  }

  // --- time

  #watch(nowMs: number): void {
    this.#nowMs = nowMs
    const isFirst = !this.answerBegun && this.#requestEnded
    this.#isIdleWatched = !isFirst && (this.answerBegun || this.#blocked)
    if (isFirst) this.#timer.set(nowMs + this.#firstByteMs())
    else if (this.#isIdleWatched) this.#timer.set(nowMs + this.#idleMs())
    else this.#timer.clear()
  }

  #firstByteMs(): number {
    return this.#timeouts.firstByteTimeoutMs ?? this.#options.firstByteTimeoutMs
  }

  #idleMs(): number {
    return this.#timeouts.idleTimeoutMs ?? this.#options.idleTimeoutMs
  }

  #expired(nowMs: number): void {
    const heardMs = this.#nowMs
    this.#nowMs = nowMs
    if (this.#handler === undefined) this.close()
    else if (this.#paused) return
    else if (!this.answerBegun && this.#requestEnded) {
      const what = `the upstream sent nothing within ${this.#firstByteMs()} ms`
      this.#fail(errors.BW_HTTP_UPSTREAM_FIRST_BYTE_TIMEOUT(what), nowMs)
    } else if (heardMs + this.#idleMs() > nowMs) this.#watch(heardMs)
    else {
      const what = `the upstream was silent for ${this.#idleMs()} ms`
      this.#fail(errors.BW_HTTP_UPSTREAM_IDLE_TIMEOUT(what), nowMs)
    }
  }
}
