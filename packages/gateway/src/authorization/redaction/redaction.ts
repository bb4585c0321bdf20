import type { AuthzRequest } from '@breakwater/authz'
import type { BreakwaterError } from '@breakwater/core'
import { FieldList } from '@breakwater/http'
import type { Driver, ResponseHead, ServerExchange, Upgraded } from '@breakwater/http'
import { refusalOf } from '../../answer/refusal.ts'
import { errors } from '../../errors.ts'
import type { Answering } from '../../exchange/answering.ts'
import type { Attempt, AttemptOwner } from '../../exchange/attempt.ts'
import { Capture, fieldsOfAnswer } from '../../exchange/capture.ts'
import type { StoredAnswer } from '../../exchange/capture.ts'
import type { RouteMeters } from '../../telemetry/meters.ts'
import type { Authorization } from '../authorization.ts'
import type { AnswerRules, Rest } from './answer-rules.ts'
import { askForWhole, fieldsOfRest, tooLong, unreadable, whyUnreadable } from './plain-answer.ts'
import type { AnswerHead } from './plain-answer.ts'
import type { RowTally } from './row-tally.ts'

/** The request from whose answer something is withheld. */
export interface RedactedRequest {
  readonly inbound: ServerExchange
  readonly identity: { readonly traceId: string }
  readonly plan: { readonly name: string; readonly meters: Pick<RouteMeters, 'withheldRows'> }
  readonly listener: {
    readonly runtime: {
      readonly driver: Pick<Driver, 'clock'>
      readonly watch: { readonly authorization: Authorization | undefined }
    }
  }
  /** Who would get the answer as it comes. */
  readonly attempts: AttemptOwner & { accepts(attempt: Attempt, head: ResponseHead, nowMs: number): boolean }
  readonly answering: Answering
}

const NO_FIELDS = new FieldList()

/**
 * Stands between the tries of a request and its answer: reads what comes whole, and passes on what the caller may have. Until then
 * the caller has seen nothing, so what cannot be read is refused, a broken try may be repeated, and the timeout of the route counts.
 */
export class Redaction implements AttemptOwner {
  /** The fields that are masked in all of the answer, joined by commas; undefined when none are. */
  readonly mask: string | undefined
  readonly #rules: AnswerRules
  readonly #exchange: RedactedRequest
  readonly #asked: AuthzRequest
  #head: ResponseHead | undefined
  #body: Capture | undefined

  constructor(rules: AnswerRules, exchange: RedactedRequest, asked: AuthzRequest, mask: string | undefined) {
    this.mask = mask
    this.#rules = rules
    this.#exchange = exchange
    this.#asked = asked
  }

  /** What of the request would make the answer one from which nothing can be withheld. */
  writeFields(fields: FieldList): void {
    askForWhole(fields, this.#exchange.inbound.request.method)
  }

  /** An answer that was kept, perhaps when more was allowed: what is allowed now. */
  replay(answer: StoredAnswer, nowMs: number): void {
    const { answering } = this.#exchange
    const { status, body } = answer
    const kept = fieldsOfAnswer(answer)
    const head = { status, fields: kept, body: 'length', contentLength: body.length } as const
    const rest = whyUnreadable(head, this.#rules.maxAnswerBytes) ?? this.#restOf(head, body)
    if ('code' in rest) return answering.refuse(refusalOf(rest), nowMs)
    const fields = this.#fieldsOf(kept).flat
    this.#recorded(rest.tally, (error, atMs) => {
      if (error === undefined) answering.stored({ ...answer, fields, body: rest.body }, atMs)
      else answering.refuse(refusalOf(error), atMs)
    })
  }

  /** Early hints are about an answer that the caller may not get. */
  onAttemptInformational(): void {}

  onAttemptHead(attempt: Attempt, head: ResponseHead, nowMs: number): void {
    if (!this.#exchange.attempts.accepts(attempt, head, nowMs)) return
    const { maxAnswerBytes } = this.#rules
    const error = whyUnreadable(head, maxAnswerBytes)
    if (error !== undefined) return this.#reject(attempt, error, nowMs)
    const { answering } = this.#exchange
    answering.watch((why, atMs) => answering.refuse(why, atMs))
    this.#head = head
    const body = new Capture(head.status, NO_FIELDS, maxAnswerBytes)
    this.#body = body
    attempt.deliverTo({
      onData: (chunk, atMs) => {
        body.add(chunk)
        if (body.isTooLong) this.#reject(attempt, tooLong(maxAnswerBytes), atMs)
      },
    })
  }

  onAttemptEnd(attempt: Attempt, _trailers: FieldList | undefined, nowMs: number): void {
    const head = this.#head
    const answer = this.#body?.complete()
    if (head === undefined || answer === undefined) return
    const rest = this.#restOf(head, answer.body)
    if ('code' in rest) return this.#reject(attempt, rest, nowMs)
    this.#recorded(rest.tally, (error, atMs) => {
      if (error === undefined) this.#pass(attempt, head, rest.body, atMs)
      else this.#reject(attempt, error, atMs)
    })
  }

  onAttemptFailed(attempt: Attempt, error: BreakwaterError, nowMs: number): void {
    this.#exchange.attempts.onAttemptFailed(attempt, error, nowMs)
  }

  onAttemptWritable(): void {
    this.#exchange.attempts.onAttemptWritable()
  }

  onAttemptUpgrade(attempt: Attempt, _head: ResponseHead, upgraded: Upgraded, nowMs: number): void {
    upgraded.transport.destroy()
    this.#reject(attempt, unreadable('it leaves HTTP'), nowMs)
  }

  /** Who decides now, not when the request came: an answer may take long. */
  get #authorization(): Authorization {
    return this.#exchange.listener.runtime.watch.authorization ?? this.#rules.authorization
  }

  get #nowMs(): number {
    return this.#exchange.listener.runtime.driver.clock.now()
  }

  #fieldsOf(fields: FieldList): FieldList {
    return fieldsOfRest(fields, this.#rules.hasRows)
  }

  #restOf({ status, fields }: AnswerHead, body: Uint8Array): Rest | BreakwaterError {
    if (body.length > 0 && !fields.has('content-type')) return unreadable('it does not say that it is JSON')
    const isSuccess = status >= 200 && status < 300
    return this.#rules.restOf(body, isSuccess, this.#asked, this.mask, this.#authorization)
  }

  /** What was decided about rows is on record before anybody sees them. `then` is not called once the request is over. */
  #recorded(
    tally: RowTally | undefined,
    then: (error: BreakwaterError | undefined, nowMs: number) => void,
  ): void {
    if (tally === undefined) return then(undefined, this.#nowMs)
    const { plan, identity, inbound } = this.#exchange
    const { dropped, unreadable: unread } = tally.withheld
    if (dropped > 0) plan.meters.withheldRows.labels(plan.name, 'denied').add(dropped)
    if (unread > 0) plan.meters.withheldRows.labels(plan.name, 'unreadable').add(unread)
    const { log, epochMs, version } = this.#authorization
    if (log === undefined) return then(undefined, this.#nowMs)
    const settle = (error: BreakwaterError | undefined): void => {
      if (!inbound.done) then(error, this.#nowMs)
    }
    log
      .append(tally.entry(epochMs(), version, identity.traceId))
      .written()
      .then(
        () => settle(undefined),
        () =>
          settle(
            errors.BW_GATEWAY_DECISION_UNRECORDED('the decision on this request could not be written down'),
          ),
      )
  }

  #pass(attempt: Attempt, head: ResponseHead, body: Uint8Array, nowMs: number): void {
    const hasBody = head.body !== 'none'
    const { answering } = this.#exchange
    const framing = hasBody
      ? ({ body: 'length', contentLength: body.length, declaredLength: body.length } as const)
      : ({ body: 'none', contentLength: 0, declaredLength: -1 } as const)
    answering.head(attempt, { ...head, ...framing, fields: this.#fieldsOf(head.fields) }, nowMs)
    if (body.length > 0) answering.onData(body)
    this.#exchange.attempts.onAttemptEnd(attempt, undefined, nowMs)
  }

  /** Nothing of the answer is passed on; it was one of the upstream all the same, and counts by its status. */
  #reject(attempt: Attempt, error: BreakwaterError, nowMs: number): void {
    this.#body = undefined
    attempt.abandonByStatus(nowMs)
    this.#exchange.attempts.onAttemptFailed(attempt, error, nowMs)
  }
}
