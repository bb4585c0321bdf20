import { responseFraming } from '@breakwater/http'
import type { FieldList, ResponseHead } from '@breakwater/http'
import { problemBody, problemFields } from '../answer/problem.ts'
import type { Refusal } from '../answer/refusal.ts'
import { errors } from '../errors.ts'
import { refuse } from '../answer/refusal.ts'
import { Capture, fieldsOfAnswer } from './capture.ts'
import type { StoredAnswer } from './capture.ts'
import type { Exchange } from './exchange.ts'

/** Keeps a copy of the answer for somebody who can use it again. */
export interface AnswerKeeper {
  /** Largest answer it can use. Bytes. */
  readonly maxAnswerBytes: number
  /** The answer is complete; undefined when it was too long or broke off. */
  keep(answer: StoredAnswer | undefined, nowMs: number): void
}

/** The answer to one request, as the client sees it: relayed, stored, or our own. Told to logs and meters once. */
export class Answering {
  /** 0 until there is one. */
  status: number = 0
  code: string | undefined = undefined
  fault: string | undefined = undefined
  responseBytes: number = 0
  /** Parts that were served in a lesser form. */
  readonly degraded: string[] = []
  readonly #exchange: Exchange
  readonly #keepers: AnswerKeeper[] = []
  #capture: Capture | undefined
  #isEventStream = false
  #isMuted = false
  #isDone = false

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  /** Whether the client has seen the beginning of an answer. */
  get hasBegun(): boolean {
    return this.status !== 0
  }

  addKeeper(keeper: AnswerKeeper): void {
    this.#keepers.push(keeper)
  }

  /** Begins to relay the answer of an upstream. */
  head(
    attempt: { settleAtHead(nowMs: number): void; resumeBody(): void },
    head: ResponseHead,
    nowMs: number,
  ): void {
    const { inbound, listener } = this.#exchange
    const fields = listener.forwarding.responseFields(head)
    this.status = head.status
    this.#isEventStream = fields.get('content-type')?.startsWith('text/event-stream') === true
    if (this.#isEventStream) attempt.settleAtHead(nowMs)
    else if (this.#keepers.length > 0) {
      this.#capture = new Capture(
        head.status,
        fields,
        Math.max(...this.#keepers.map((keeper) => keeper.maxAnswerBytes)),
      )
    }
    this.#sign(fields)
    inbound.onWritable = () => attempt.resumeBody()
    inbound.sendHead(head.status, fields, responseFraming(head), head.reason)
  }

  /** False: the client is slower than this. */
  data(chunk: Uint8Array): boolean {
    this.responseBytes += chunk.length
    this.#capture?.add(chunk)
    return this.#isMuted || this.#exchange.inbound.sendData(chunk)
  }

  end(trailers: FieldList | undefined, nowMs: number): void {
    const { inbound, listener } = this.#exchange
    inbound.sendEnd(listener.forwarding.trailers(trailers))
    this.#done(this.#capture?.complete(), nowMs)
  }

  /** A whole answer from memory. */
  stored(answer: StoredAnswer, nowMs: number): void {
    const fields = fieldsOfAnswer(answer)
    this.status = answer.status
    this.responseBytes = answer.body.length
    this.#sign(fields)
    const { inbound } = this.#exchange
    inbound.sendHead(answer.status, fields, { kind: 'length', bytes: answer.body.length })
    inbound.sendData(answer.body)
    inbound.sendEnd()
    this.#done(answer, nowMs)
  }

  /** Our own answer: a problem document that says whose fault it is. */
  refuse(refusal: Refusal, nowMs: number): void {
    const fields = problemFields(refusal)
    const { inbound, identity } = this.#exchange
    const body = Buffer.from(problemBody(refusal, identity.traceId))
    this.#note(refusal, refusal.spec.status)
    this.responseBytes = body.length
    this.#sign(fields)
    inbound.sendHead(refusal.spec.status, fields, { kind: 'length', bytes: body.length })
    inbound.sendData(body)
    inbound.sendEnd()
    this.#done(undefined, nowMs)
  }

  /** The answer broke after it had begun. A stream of events gets a last one that says so; anything else is cut. */
  breakOff(refusal: Refusal, nowMs: number): void {
    const { inbound, identity } = this.#exchange
    this.#note(refusal, this.status)
    if (this.#isEventStream && !this.#isMuted) {
      inbound.sendData(Buffer.from(`event: error\ndata: ${problemBody(refusal, identity.traceId)}\n\n`))
      inbound.sendEnd()
    } else inbound.abort()
    this.#done(undefined, nowMs)
  }

  clientGone(nowMs: number): void {
    this.#note(refuse(errors.BW_GATEWAY_CLIENT_GONE, 'the client went away'), 0)
    this.#done(undefined, nowMs)
  }

  tunnelClosed(bytesUp: number, bytesDown: number, nowMs: number): void {
    this.#exchange.body.receivedBytes += bytesUp
    this.responseBytes += bytesDown
    this.status = 101
    this.#done(undefined, nowMs)
  }

  /** The client is gone but the answer is still wanted by others. */
  muteClient(): void {
    this.#isMuted = true
  }

  #note({ code, spec }: Refusal, status: number): void {
    this.status = status
    this.code = code
    this.fault = spec.fault
  }

  #sign(fields: FieldList): void {
    fields.set('x-request-id', this.#exchange.identity.requestId)
    if (this.degraded.length > 0) fields.set('breakwater-degraded', this.degraded.join(', '))
  }

  #done(answer: StoredAnswer | undefined, nowMs: number): void {
    if (this.#isDone) return
    this.#isDone = true
    for (const keeper of this.#keepers) keeper.keep(answer, nowMs)
    this.#exchange.finish(nowMs)
    this.#exchange.listener.report(this.#exchange, nowMs)
  }
}
