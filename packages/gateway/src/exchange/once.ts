import { createHash } from 'node:crypto'
import { ok } from '@breakwater/core'
import type { IdempotencyClaim } from '@breakwater/resilience/machines'
import { refuse } from '../answer/refusal.ts'
import { errors } from '../errors.ts'
import type { IdempotencyPlan } from '../plan/route-plan.ts'
import { problemBody, problemFields } from '../answer/problem.ts'
import type { StoredAnswer } from './capture.ts'
import type { Exchange } from './exchange.ts'
import { shareScopeOf } from './shared-key.ts'
import { tenantKeyOf } from './tenant-key.ts'

/** Visible characters only: the key ends up in a map and in logs of whoever asks for it. */
const KEY = /^[\x21-\x7e]{1,255}$/

/**
 * A write with an idempotency key has one effect, however often it is sent. The whole body is read first: it is part of
 * what the key stands for. When nothing reached the upstream the key is free again; when something may have, the outcome
 * is kept, even if it is a failure that only tells that nobody knows (at most once).
 */
export class Once {
  readonly #exchange: Exchange
  readonly #plan: IdempotencyPlan
  #claim: IdempotencyClaim | undefined
  #answer: StoredAnswer | undefined

  private constructor(exchange: Exchange, plan: IdempotencyPlan) {
    this.#exchange = exchange
    this.#plan = plan
  }

  static of(exchange: Exchange): Once | undefined {
    const { idempotency } = exchange.plan
    const { method, fields } = exchange.inbound.request
    if (idempotency === undefined || !idempotency.methods.has(method)) return undefined
    if (!idempotency.isRequired && !fields.has(idempotency.header)) return undefined
    return new Once(exchange, idempotency)
  }

  begin(nowMs: number): void {
    const { inbound, body, answering } = this.#exchange
    const { header } = this.#plan
    const key = inbound.request.fields.get(header)
    if (key === undefined) {
      return answering.refuse(
        refuse(errors.BW_GATEWAY_IDEMPOTENCY_KEY_MISSING, `the field ${header} is missing`),
        nowMs,
      )
    }
    if (!KEY.test(key)) {
      if (this.#plan.store.dark) return this.#exchange.proceed(nowMs)
      const detail = `the field ${header} is not 1 to 255 visible characters`
      return answering.refuse(refuse(errors.BW_GATEWAY_IDEMPOTENCY_KEY_INVALID, detail), nowMs)
    }
    if (body === undefined) this.#decide(key, '', nowMs)
    else body.collect((bytes, atMs) => this.#decide(key, digestOf(bytes), atMs))
  }

  /** The exchange is over: what is known about the effect decides what a repetition gets. */
  settle(nowMs: number): void {
    const claim = this.#claim
    if (claim === undefined) return
    this.#claim = undefined
    const { wasSent } = this.#exchange.attempts
    if (!wasSent) this.#plan.store.abandon(claim)
    else this.#plan.store.complete(claim, ok(this.#answer ?? this.#unknownOutcome()), nowMs)
  }

  #decide(key: string, bodyDigest: string, nowMs: number): void {
    const { inbound, path, answering, plan } = this.#exchange
    const { method, query = '' } = inbound.request
    // An answer is not replayed to who may see less of it now.
    const fingerprint = JSON.stringify([method, path, query, bodyDigest, this.#exchange.obligations])
    const decision = this.#plan.store.begin(
      tenantKeyOf(this.#exchange),
      `${shareScopeOf(this.#exchange)} ${key}`,
      fingerprint,
      nowMs,
    )
    switch (decision.kind) {
      case 'first':
        this.#claim = decision.claim
        answering.addKeeper({
          maxAnswerBytes: this.#plan.maxAnswerBytes,
          keep: (answer) => (this.#answer = answer),
        })
        return this.#exchange.proceed(nowMs)
      case 'replay':
        plan.meters.replayed.inc()
        if (this.#plan.store.dark) return this.#exchange.proceed(nowMs)
        if (decision.outcome.ok) return this.#replay(withReplayMark(decision.outcome.value), nowMs)
        return answering.refuse(
          refuse(errors.BW_GATEWAY_IDEMPOTENCY_IN_FLIGHT, 'the outcome is not known'),
          nowMs,
        )
      case 'in-flight':
        if (this.#plan.store.dark) return this.#exchange.proceed(nowMs)
        return answering.refuse(
          refuse(
            errors.BW_GATEWAY_IDEMPOTENCY_IN_FLIGHT,
            'the first request with this key is not finished',
            1000,
          ),
          nowMs,
        )
      case 'mismatch':
        if (this.#plan.store.dark) return this.#exchange.proceed(nowMs)
        return answering.refuse(
          refuse(errors.BW_GATEWAY_IDEMPOTENCY_MISMATCH, 'this key came with another request before'),
          nowMs,
        )
      case 'full':
        if (this.#plan.store.dark) return this.#exchange.proceed(nowMs)
        return answering.refuse(
          refuse(errors.BW_GATEWAY_OVERLOADED, 'too many idempotency keys are remembered', 5000),
          nowMs,
        )
    }
  }

  #replay(answer: StoredAnswer, nowMs: number): void {
    const { redaction, answering } = this.#exchange
    if (redaction === undefined) answering.stored(answer, nowMs)
    else redaction.replay(answer, nowMs)
  }

  /** Sent, but the answer is lost or too long to keep: a repetition is told so instead of being carried out again. */
  #unknownOutcome(): StoredAnswer {
    const detail = 'the first request with this key reached the upstream, but its answer was not kept'
    const refusal = refuse(errors.BW_GATEWAY_IDEMPOTENCY_IN_FLIGHT, detail)
    return {
      status: refusal.spec.status,
      fields: [...problemFields(refusal).flat],
      body: Buffer.from(problemBody(refusal, this.#exchange.identity.traceId)),
    }
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64')
}

function withReplayMark(answer: StoredAnswer): StoredAnswer {
  return { ...answer, fields: [...answer.fields, 'idempotent-replayed', 'true'] }
}
