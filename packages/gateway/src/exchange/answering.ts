import { isBreakwaterError } from '@breakwater/core'
import { joinTunnel, responseFraming } from '@breakwater/http'
import type {
  BodySink,
  Driver,
  FieldList,
  Forwarding,
  ResponseHead,
  ServerExchange,
  Upgraded,
} from '@breakwater/http'
import { problemBody, problemFields } from '../answer/problem.ts'
import type { Refusal } from '../answer/refusal.ts'
import { errors } from '../errors.ts'
import { refuse } from '../answer/refusal.ts'
import { Capture, fieldsOfAnswer } from './capture.ts'
import { STREAM_START, isBetweenEvents, tailAfter } from './event-tail.ts'
import type { EventTail } from './event-tail.ts'
import type { StoredAnswer } from './capture.ts'
import type { Identity } from './identity.ts'

/** The request that is answered. */
export interface AnsweredRequest {
  readonly inbound: ServerExchange
  readonly identity: Identity
  readonly body: { readonly receivedBytes: number } | undefined
  readonly listener: { readonly forwarding: Forwarding; readonly runtime: { readonly driver: Driver } }
  readonly plan: { readonly config: { readonly upgrade: { readonly idleMs: number } } }
  /** Nothing of it happens by itself any more. */
  disarm(): void
  /** Asks again whether the client may have the answer, until the function is called. */
  watch(cut: CutAnswer): () => void
  /** The client has all it will get. */
  finish(nowMs: number): void
}

/** Ends an answer that is under way. */
export type CutAnswer = (why: Refusal, nowMs: number) => void

/** Where an answer comes from, and its brake. */
export interface AnswerSource {
  pauseBody(): void
  resumeBody(): void
}

/** Keeps a copy of the answer for somebody who can use it again. */
export interface AnswerKeeper {
  /** Largest answer it can use. Bytes. */
  readonly maxAnswerBytes: number
  /** The answer is complete; undefined when it was too long or broke off. */
  keep(answer: StoredAnswer | undefined, nowMs: number): void
}

/** Shared by all requests: most have no keeper, lose nothing, and are tried once. */
export const NOTHING: readonly never[] = []
/** Whether the client may have it is asked again for answers longer than this. */
const LONG_BYTES = 65_536

/** The answer to one request, as the client sees it: relayed, stored, or our own. Told to logs and meters once. */
export class Answering implements BodySink {
  /** 0 until there is one. */
  status: number = 0
  code: string | undefined = undefined
  fault: string | undefined = undefined
  /** What our own answer said, when it was one. */
  refusal: Refusal | undefined = undefined
  responseBytes: number = 0
  /** Parts that were served in a lesser form. */
  degraded: readonly string[] = NOTHING
  readonly #exchange: AnsweredRequest
  readonly #inbound: ServerExchange
  #keepers: readonly AnswerKeeper[] = NOTHING
  #tunnelledBytes = 0
  #capture: Capture | undefined
  /** Where a stream of events stands; -1 for any other answer. */
  #tail: EventTail = -1
  #source: AnswerSource | undefined
  /** Ends the watch over an answer that may take long. */
  #unwatch: (() => void) | undefined
  #isMuted = false
  #isDone = false

  constructor(exchange: AnsweredRequest) {
    this.#exchange = exchange
    this.#inbound = exchange.inbound
  }

  /** What came from the client: the body, or what went through the tunnel. Framing removed. */
  get requestBytes(): number {
    return this.#tunnelledBytes + (this.#exchange.body?.receivedBytes ?? 0)
  }

  /** Whether the client has seen the beginning of an answer. */
  get hasBegun(): boolean {
    return this.status !== 0
  }

  addKeeper(keeper: AnswerKeeper): void {
    this.#keepers = [...this.#keepers, keeper]
  }

  /** Begins to relay the answer of an upstream. */
  head(
    attempt: AnswerSource & { settleAtHead(nowMs: number): void },
    head: ResponseHead,
    nowMs: number,
  ): void {
    const { inbound, listener } = this.#exchange
    const fields = listener.forwarding.responseFields(head)
    this.status = head.status
    this.#source = attempt
    const framing = responseFraming(head)
    if (fields.get('content-type')?.startsWith('text/event-stream') === true) {
      attempt.settleAtHead(nowMs)
      // Only into plain text of open length can another event be written.
      if (framing.kind === 'chunked' && !fields.has('content-encoding')) this.#tail = STREAM_START
    } else if (this.#keepers.length > 0) {
      this.#capture = new Capture(
        head.status,
        fields,
        Math.max(...this.#keepers.map((keeper) => keeper.maxAnswerBytes)),
      )
    }
    this.#sign(fields)
    if (framing.kind === 'chunked' || (framing.kind === 'length' && framing.bytes > LONG_BYTES))
      this.watch((why, atMs) => this.breakOff(why, atMs))
    inbound.sendHead(head.status, fields, framing, head.reason)
  }

  /** The client leaves HTTP, as the upstream has done. */
  tunnel(head: ResponseHead, upstream: Upgraded, nowMs: number): void {
    const { inbound, listener, plan } = this.#exchange
    const { forwarding, runtime } = listener
    const client = inbound.upgrade(head.fields.get('upgrade') ?? '', forwarding.responseFields(head))
    this.#exchange.disarm()
    this.watch((why) => {
      this.#note(why, 101)
      client.transport.destroy()
      upstream.transport.destroy()
    })
    joinTunnel(client, upstream, runtime.driver, nowMs, {
      idleTimeoutMs: plan.config.upgrade.idleMs,
      onClose: (bytesUp, bytesDown, atMs) => this.#tunnelClosed(bytesUp, bytesDown, atMs),
    })
  }

  /** Passes on what comes of the body; a client that is slower than this holds the upstream back. */
  onData(chunk: Uint8Array): void {
    this.responseBytes += chunk.length
    this.#capture?.add(chunk)
    if (this.#tail >= 0) this.#tail = tailAfter(this.#tail, chunk)
    if (this.#isMuted || this.#inbound.sendData(chunk)) return
    const source = this.#source
    this.#inbound.onWritable ??= () => source?.resumeBody()
    source?.pauseBody()
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
    this.degraded = NOTHING
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

  /**
   * The answer broke after it had begun. A stream of events gets a last one that says so, unless it broke within an event:
   * what follows would be read as a part of that. Anything else is cut.
   */
  breakOff(refusal: Refusal, nowMs: number): void {
    const { inbound, identity } = this.#exchange
    this.#note(refusal, this.status)
    if (isBetweenEvents(this.#tail) && !this.#isMuted) {
      inbound.sendData(Buffer.from(`event: error\ndata: ${problemBody(refusal, identity.traceId)}\n\n`))
      inbound.sendEnd()
    } else inbound.abort()
    this.#done(undefined, nowMs)
  }

  /** Nobody is there to be answered: the client left, or broke the rules and was told so by the engine. */
  clientGone(nowMs: number, error: Error | undefined): void {
    const broken = isBreakwaterError(error) && error.code !== 'BW_HTTP_CLIENT_GONE' ? error : undefined
    if (broken === undefined) this.#note(refuse(errors.BW_GATEWAY_CLIENT_GONE, 'the client went away'), 0)
    else this.#note({ code: broken.code, spec: broken.spec, detail: broken.message }, broken.spec.status)
    this.#done(undefined, nowMs)
  }

  #tunnelClosed(bytesUp: number, bytesDown: number, nowMs: number): void {
    this.#tunnelledBytes = bytesUp
    this.responseBytes += bytesDown
    this.status = 101
    this.#done(undefined, nowMs)
  }

  /** The client is gone but the answer is still wanted by others: nobody holds it back any more. */
  muteClient(): void {
    this.#isMuted = true
    this.#source?.resumeBody()
  }

  /** From now on this may be cut, until there is no more to come. */
  watch(cut: CutAnswer): void {
    this.#unwatch?.()
    this.#unwatch = this.#exchange.watch(cut)
  }

  #note(refusal: Refusal, status: number): void {
    const { code, spec } = refusal
    this.refusal = refusal
    this.status = status
    this.code = code
    this.fault = spec.fault
  }

  #sign(fields: FieldList): void {
    fields.put('x-request-id', this.#exchange.identity.requestId)
    if (this.degraded.length > 0) fields.set('breakwater-degraded', this.degraded.join(', '))
  }

  #done(answer: StoredAnswer | undefined, nowMs: number): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#unwatch?.()
    for (const keeper of this.#keepers) keeper.keep(answer, nowMs)
    this.#exchange.finish(nowMs)
  }
}
