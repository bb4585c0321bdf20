import type { RequestEvents } from '../codec/handlers.ts'
import { RequestParser, asBuffer } from '../codec/request-parser.ts'
import { errors } from '../errors.ts'
import type { HttpError } from '../errors.ts'
import type { FieldList } from '../fields.ts'
import type { Timing } from '../internal/lazy-timer.ts'
import { Handover } from '../internal/upgraded.ts'
import type { Upgraded } from '../internal/upgraded.ts'
import type { RequestHead } from '../messages.ts'
import type { Transport, TransportHandler } from '../transport.ts'
import { ServerExchange } from './exchange.ts'
import type { ExchangeHost } from './exchange.ts'
import type { ServerHandler } from './handler.ts'
import { Linger } from './linger.ts'
import { MAX_DISCARD_BYTES } from './options.ts'
import type { ResolvedServerOptions } from './options.ts'
import { Patience } from './patience.ts'
import { refusalId, refusalText } from './refusal.ts'
import { StallWatch } from './watches.ts'

/**
 * The server's side of one connection: a state machine between a transport and the application. One request at a time;
 * pipelined ones wait, unparsed, in at most one read's worth of memory, with the transport paused.
 */
export class ServerConnection implements TransportHandler, RequestEvents, ExchangeHost {
  readonly transport: Transport
  readonly #timing: Timing
  readonly #options: ResolvedServerOptions
  readonly #handler: ServerHandler
  readonly #onGone: ((connection: ServerConnection) => void) | undefined
  readonly #parser: RequestParser
  readonly #patience: Patience
  readonly #output: StallWatch
  #stage: 'open' | 'tunnel' | 'linger' | 'closed' = 'open'
  #nowMs = 0 // from the first, as `NetTurns.nowMs`
  #exchange: ServerExchange | undefined
  #requestEnded = false
  #trailers: FieldList | undefined
  #responseDone = false
  #closeAfterResponse = false
  #bodyBytes = 0
  #rest: Buffer | undefined
  #feeding = false
  #inputEnded = false
  #draining = false
  #requests = 0
  /** Who gets what the transport tells, once this is no HTTP connection any more. */
  #successor: TransportHandler | undefined

  constructor(
    transport: Transport,
    timing: Timing,
    options: ResolvedServerOptions,
    handler: ServerHandler,
    nowMs: number,
    onGone?: (connection: ServerConnection) => void,
  ) {
    this.transport = transport
    this.#timing = timing
    this.#options = options
    this.#handler = handler
    this.#onGone = onGone
    this.#nowMs = nowMs
    this.#parser = new RequestParser(options.limits, this)
    this.#output = new StallWatch(transport, timing, options, (error, atMs) => this.#stalled(error, atMs))
    this.#patience = new Patience(timing, options, (atMs) => this.#expired(atMs), nowMs)
  }

  /** No request is being read or answered. */
  get idle(): boolean {
    return this.#exchange === undefined && !this.#parser.midMessage
  }

  /** Answers what is under way, and what reaches an idle connection within `DRAIN_GRACE_MS`; then closes. */
  drain(): void {
    this.#draining = true
    if (this.idle) this.#patience.drain()
  }

  destroy(): void {
    this.transport.destroy()
  }

  // --- the transport speaks

  onBytes(bytes: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs
    if (this.#successor !== undefined) this.#successor.onBytes(bytes, nowMs)
    else if (this.#stage === 'closed') return
    else if (this.#rest !== undefined) this.#rest = Buffer.concat([this.#rest, bytes])
    else this.#consume(bytes)
  }

  onDrain(nowMs: number): void {
    this.#nowMs = nowMs
    if (this.#successor !== undefined) this.#successor.onDrain(nowMs)
    else if (!this.#output.drained()) return
    else if (this.#exchange !== undefined && !this.#responseDone) this.#exchange.onWritable?.(nowMs)
    else if (this.#patience.awaited === 'next request') this.#continueReading()
  }

  onEnd(nowMs: number): void {
    this.#nowMs = nowMs
    this.#inputEnded = true
    if (this.#successor !== undefined) this.#successor.onEnd(nowMs)
    else if (this.#rest === undefined) this.#inputOver()
    this.#exchange?.onInputEnd?.(nowMs)
  }

  onClose(nowMs: number, error?: Error): void {
    const successor = this.#successor
    this.#successor = undefined
    this.#stage = 'closed'
    this.#patience.release()
    this.#output.release()
    this.#rest = undefined
    const exchange = this.#exchange
    this.#exchange = undefined
    if (successor !== undefined) successor.onClose(nowMs, error)
    else if (exchange !== undefined) {
      const gone = errors.BW_HTTP_CLIENT_GONE(
        'the client closed the connection',
        error === undefined ? {} : { cause: error },
      )
      exchange.fail(gone, nowMs, !this.#requestEnded)
    }
    this.#onGone?.(this)
  }

  // --- the parser speaks

  onHead(head: RequestHead): void {
    this.#requests++
    this.#requestEnded = false
    this.#trailers = undefined
    this.#responseDone = false
    this.#bodyBytes = 0
    const exchange = new ServerExchange(this, head, this.#nowMs)
    this.#exchange = exchange
    this.#patience.awaitNothing()
    this.#handler.onRequest(exchange, this.#nowMs)
    if (head.body !== 'none' && exchange.body === undefined && !this.#responseDone) this.#parser.pause()
  }

  onData(chunk: Uint8Array): void {
    this.#bodyBytes += chunk.length
    this.#patience.received(chunk.length, this.#nowMs)
    const exchange = this.#exchange
    if (exchange === undefined) return
    if (this.#responseDone) {
      if (this.#bodyBytes > MAX_DISCARD_BYTES) this.#linger()
    } else if (this.#bodyBytes > exchange.maxBodyBytes) {
      this.#parser.dead = true
      this.#refuse(
        errors.BW_HTTP_BODY_TOO_LARGE(`the body has more than ${exchange.maxBodyBytes} bytes`),
        this.#nowMs,
      )
    } else exchange.body?.onData(chunk, this.#nowMs)
  }

  onMessageEnd(trailers: FieldList | undefined): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    this.#requestEnded = true
    this.#trailers = trailers
    if (this.#patience.awaited === 'body') this.#patience.awaitNothing()
    if (this.#responseDone) this.#finish()
    else {
      this.#parser.pause()
      exchange.body?.onEnd(trailers, this.#nowMs)
    }
  }

  onError(error: HttpError): void {
    this.#refuse(error, this.#nowMs)
  }

  // --- the exchange speaks

  onBlocked(): void {
    this.#output.block()
  }

  startBody(): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    if (this.#requestEnded) {
      exchange.body?.onEnd(this.#trailers, this.#nowMs)
      return
    }
    if (exchange.request.body === 'none') return
    if (exchange.request.expectContinue && this.#bodyBytes === 0 && !exchange.headSent)
      this.#write('HTTP/1.1 100 Continue\r\n\r\n')
    this.#patience.awaitBody()
    this.#continueReading()
  }

  pauseBody(): void {
    if (this.#exchange === undefined || this.#requestEnded || this.#patience.isPaused) return
    this.#patience.pause()
    this.#parser.pause()
    this.transport.pause()
  }

  resumeBody(): void {
    if (!this.#patience.isPaused) return
    this.#patience.resume()
    if (!this.#requestEnded) this.#continueReading()
  }

  mustClose(): boolean {
    const exchange = this.#exchange
    if (exchange === undefined || this.#draining) return true
    // A client that has half-closed still waits for answers to all that it sent before, perhaps in the bytes being fed.
    if (this.#inputEnded && this.#rest === undefined && !this.#feeding) return true
    if (!exchange.request.keepAlive || this.#requests >= this.#options.maxRequestsPerConnection) return true
    // A client told to wait may or may not send its body now: nobody can tell where the next request begins.
    return exchange.request.expectContinue && exchange.body === undefined && this.#bodyBytes === 0
  }

  responseDone(close: boolean): void {
    this.#responseDone = true
    this.#closeAfterResponse = close
    if (this.#requestEnded) this.#finish()
    else if (close || this.#bodyBytes > MAX_DISCARD_BYTES) this.#linger()
    else {
      this.#bodyBytes = 0
      this.#patience.awaitBody()
      this.#continueReading()
    }
  }

  abort(): void {
    this.transport.destroy(true)
  }

  handOver(): Upgraded {
    this.#patience.awaitNothing()
    this.#output.release()
    this.#stage = 'tunnel'
    this.#exchange = undefined
    const tunnel = new Handover(this.transport, this.#rest)
    this.#rest = undefined
    this.#successor = tunnel
    this.#parser.pause()
    if (this.#inputEnded) tunnel.onEnd(this.#nowMs)
    return tunnel
  }

  // --- reading

  #consume(bytes: Uint8Array, isOurs: boolean = false): void {
    this.#feeding = true
    const used = this.#parser.feed(bytes)
    this.#feeding = false
    if (this.#stage === 'linger' || this.#stage === 'closed') return
    if (used < bytes.length) {
      const rest = isOurs ? asBuffer(bytes.subarray(used)) : Buffer.from(bytes.subarray(used))
      if (this.#successor !== undefined) this.#successor.onBytes(rest, this.#nowMs)
      else {
        this.#rest = rest
        this.transport.pause()
      }
      return
    }
    // The body may have ended in the read in which the application paused it.
    if (!this.#parser.paused) this.transport.resume()
    if (this.#exchange === undefined && this.#patience.awaited !== 'head' && this.#parser.midMessage)
      this.#patience.awaitHead(this.#nowMs)
  }

  #continueReading(): void {
    this.#parser.resume()
    if (this.#feeding) return
    const rest = this.#rest
    this.#rest = undefined
    this.transport.resume()
    if (rest !== undefined) this.#consume(rest, true)
    if (this.#inputEnded && this.#rest === undefined && this.#stage !== 'closed') this.#inputOver()
  }

  /** The client sends no more, and all that it sent is parsed. */
  #inputOver(): void {
    if (this.#exchange === undefined || !this.#requestEnded) this.#parser.end()
    if (this.#stage === 'linger' || this.#stage === 'closed') return
    if (this.#exchange === undefined && !this.#output.blocked) this.#linger()
  }

  #finish(): void {
    this.#exchange = undefined
    if (this.#closeAfterResponse) {
      this.#linger()
      return
    }
    this.#patience.awaitRequest()
    // The head had promised that the connection stays: a next request may be on its way, and is told that it is the last.
    if (this.#draining) this.#patience.drain()
    if (this.#output.blocked) this.#parser.pause()
    else this.#continueReading()
  }

  /** We have said our last words. */
  #linger(): void {
    this.#stage = 'linger'
    this.#exchange = undefined
    this.#parser.pause()
    this.#rest = undefined
    this.#patience.awaitNothing()
    const linger = new Linger(this.transport, this.#timing, this.#options, this.#output)
    this.#successor = linger
    linger.begin(this.#inputEnded)
  }

  #write(text: string): void {
    if (!this.transport.write(text)) this.#output.block()
  }

  #refuse(error: HttpError, nowMs: number): void {
    const exchange = this.#exchange
    const mayAnswer = exchange === undefined || !exchange.headSent
    const answered = exchange?.done === true
    const traceId = refusalId()
    this.#handler.onRefused?.(error, this.transport.remoteAddress, nowMs, traceId)
    exchange?.fail(error, nowMs, !this.#requestEnded)
    if (mayAnswer && this.#stage !== 'closed') {
      this.#write(refusalText(error, traceId))
      this.#linger()
    } else if (answered) this.#linger()
    else this.transport.destroy(true)
  }

  #expired(nowMs: number): void {
    this.#nowMs = nowMs
    const verdict = this.#patience.judge(nowMs)
    if (verdict === undefined) return
    if (verdict !== 'no request') this.#refuse(verdict, nowMs)
    else if (this.transport.bufferedBytes > 0) this.#patience.postpone(nowMs)
    else this.#linger()
  }

  #stalled(error: HttpError, nowMs: number): void {
    this.#handler.onRefused?.(error, this.transport.remoteAddress, nowMs, refusalId())
    const exchange = this.#exchange
    this.#exchange = undefined
    exchange?.fail(error, nowMs, !this.#requestEnded)
    this.transport.destroy(true)
  }
}
