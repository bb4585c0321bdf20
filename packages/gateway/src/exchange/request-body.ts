import type { FieldList, Forwarding, ServerExchange } from '@breakwater/http'
import { Gathered } from './gathered.ts'

/** Where a request body goes: one try at an upstream. */
export interface BodySink {
  /** False: stop, `RequestBody.resume` follows. */
  sendData(chunk: Uint8Array): boolean
  sendEnd(trailers?: FieldList): void
}

type Inbound = Pick<ServerExchange, 'readBody' | 'pauseBody' | 'resumeBody'>

/**
 * The body of a request on its way to the upstream. Streams; keeps what has passed, up to `keepBytes`, so that a further
 * try can send it again. A longer body is not kept, and the request not repeated once it was begun.
 */
export class RequestBody {
  /** Bytes received so far, framing removed. */
  receivedBytes: number = 0
  readonly #inbound: Inbound
  readonly #forwarding: Pick<Forwarding, 'trailers'>
  readonly #keepBytes: number
  #kept: Gathered | undefined = new Gathered()
  #trailers: FieldList | undefined
  #isReading = false
  #hasEnded = false
  #isStopped = false
  #sink: BodySink | undefined
  #onCollected: ((body: Uint8Array, nowMs: number) => void) | undefined

  constructor(inbound: Inbound, forwarding: Pick<Forwarding, 'trailers'>, keepBytes: number) {
    this.#inbound = inbound
    this.#forwarding = forwarding
    this.#keepBytes = keepBytes
  }

  /** Whether everything that arrived so far is still here. */
  get isReplayable(): boolean {
    return this.#kept !== undefined
  }

  /** Reads the whole body into memory first; the listener's or the route's limit bounds it. */
  collect(onCollected: (body: Uint8Array, nowMs: number) => void): void {
    this.#onCollected = onCollected
    this.#read()
  }

  /** Sends the body to `sink`: first what is kept, then what comes. Replaces the sink of an earlier try. */
  attach(sink: BodySink): void {
    this.#sink = sink
    let isReady = true
    if (this.#kept !== undefined && this.#kept.length > 0) isReady = sink.sendData(this.#kept.bytes)
    if (this.#hasEnded) sink.sendEnd(this.#trailers)
    else if (!isReady) this.#stop()
    else if (this.#isReading) this.resume()
    else this.#read()
  }

  /** The try is over. What is already on its way is kept; no more is read until there is another. */
  detach(): void {
    this.#sink = undefined
    if (this.#isReading && !this.#hasEnded) this.#stop()
  }

  /** The sink takes more again. */
  resume(): void {
    if (!this.#isStopped || this.#sink === undefined) return
    this.#isStopped = false
    this.#inbound.resumeBody()
  }

  /** No further try will need what was kept. */
  forget(): void {
    this.#kept = undefined
  }

  #read(): void {
    this.#isReading = true
    this.#inbound.readBody({
      onData: (chunk) => this.#onData(chunk),
      onEnd: (trailers, nowMs) => this.#onEnd(trailers, nowMs),
      onAbort: () => (this.#sink = undefined),
    })
  }

  /** The chunk is a view that will be reused: what is kept is copied. */
  #onData(chunk: Uint8Array): void {
    this.receivedBytes += chunk.length
    const mustKeep = this.#sink === undefined || this.receivedBytes <= this.#keepBytes
    if (!mustKeep) this.#kept = undefined
    else this.#kept?.add(chunk)
    if (this.#sink !== undefined && !this.#sink.sendData(chunk)) this.#stop()
  }

  #onEnd(trailers: FieldList | undefined, nowMs: number): void {
    this.#hasEnded = true
    this.#trailers = this.#forwarding.trailers(trailers)
    this.#sink?.sendEnd(this.#trailers)
    const onCollected = this.#onCollected
    this.#onCollected = undefined
    onCollected?.((this.#kept ?? new Gathered()).bytes, nowMs)
  }

  #stop(): void {
    this.#isStopped = true
    this.#inbound.pauseBody()
  }
}
