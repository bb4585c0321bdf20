import type { FlightMember } from '@breakwater/resilience/load'
import { refuse } from '../answer/refusal.ts'
import { errors } from '../errors.ts'
import type { CoalescePlan, StalePlan } from '../plan/route-plan.ts'
import type { AnswerKeeper } from './answering.ts'
import { sizeOfAnswer } from './capture.ts'
import type { StoredAnswer } from './capture.ts'
import type { Exchange } from './exchange.ts'
import { isShareable, mayStore, sharedKey } from './shared-key.ts'

/** Why a flight ended without an answer for its followers. */
const NOT_SHAREABLE = Symbol('the answer cannot be shared')

/** Reads that several callers can be served with: equal ones in flight share one call, and good answers are kept. */
export class Sharing implements FlightMember<StoredAnswer> {
  readonly #exchange: Exchange
  readonly #coalesce: CoalescePlan | undefined
  readonly #key: string
  #role: 'leads' | 'follows' | 'alone' = 'alone'
  #isSettled = false

  private constructor(exchange: Exchange, coalesce: CoalescePlan | undefined) {
    this.#exchange = exchange
    this.#coalesce = coalesce
    const { inbound, path, tenantName } = exchange
    this.#key = coalesce === undefined ? '' : sharedKey(inbound.request, path, tenantName, coalesce.varyBy)
  }

  static of(exchange: Exchange): Sharing | undefined {
    const { coalesce, stale } = exchange.plan
    if ((coalesce === undefined && stale === undefined) || !isShareable(exchange.inbound.request))
      return undefined
    if (stale !== undefined) exchange.answering.addKeeper(staleKeeper(exchange, stale))
    return coalesce === undefined ? undefined : new Sharing(exchange, coalesce)
  }

  /** `follows`: somebody else asks already, this request is told. */
  join(): 'leads' | 'follows' | 'alone' {
    const { answering, plan } = this.#exchange
    if (this.#coalesce === undefined) return 'alone'
    this.#role = this.#coalesce.coalescer.join(this.#key, this)
    if (this.#role === 'leads') {
      const keep = (answer: StoredAnswer | undefined): void => this.#onAnswer(answer)
      answering.addKeeper({ maxAnswerBytes: this.#coalesce.maxAnswerBytes, keep })
    } else if (this.#role === 'follows') plan.meters.coalesced.inc()
    return this.#role
  }

  /** The client left. `others`: go on for them. */
  leave(): 'last' | 'others' | 'unknown' {
    if (this.#coalesce === undefined || this.#role === 'alone') return 'unknown'
    const left = this.#coalesce.coalescer.leave(this.#key, this)
    if (this.#role === 'follows') return 'unknown'
    return left
  }

  /** The exchange is over, however it ended. A leader without an answer lets the others go. */
  settle(): void {
    if (this.#role === 'follows') this.#coalesce?.coalescer.leave(this.#key, this)
    if (this.#role !== 'leads' || this.#isSettled) return
    this.#isSettled = true
    const { code, degraded } = this.#exchange.answering
    const isOwn = degraded.length === 0 && (code === undefined || code === 'BW_GATEWAY_CLIENT_GONE')
    this.#coalesce?.coalescer.fail(this.#key, this, isOwn ? NOT_SHAREABLE : (code ?? 'degraded'), true)
  }

  onValue(answer: StoredAnswer): void {
    if (this.#role !== 'follows') return
    this.#role = 'alone'
    this.#exchange.answering.stored(answer, this.#nowMs)
  }

  onError(error: unknown): void {
    if (this.#role !== 'follows') return
    this.#role = 'alone'
    if (error === NOT_SHAREABLE) this.#exchange.proceed(this.#nowMs)
    else
      this.#exchange.fail(
        refuse(errors.BW_GATEWAY_COALESCED_FAILED, `the shared call failed: ${String(error)}`),
        this.#nowMs,
      )
  }

  onLead(): void {
    this.#role = 'alone'
    this.#exchange.proceed(this.#nowMs)
  }

  get #nowMs(): number {
    return this.#exchange.listener.runtime.driver.clock.now()
  }

  #onAnswer(answer: StoredAnswer | undefined): void {
    if (answer === undefined || this.#isSettled || this.#exchange.answering.degraded.length > 0) return
    if (sizeOfAnswer(answer) > (this.#coalesce?.maxAnswerBytes ?? 0)) return
    this.#isSettled = true
    const { status, fields } = answer
    const isPersonal =
      fields.includes('set-cookie') || (status === 200 && !mayStore(200, cacheControlOf(answer), false))
    if (isPersonal) this.#coalesce?.coalescer.fail(this.#key, this, NOT_SHAREABLE, true)
    else this.#coalesce?.coalescer.succeed(this.#key, answer)
  }
}

function staleKeeper(exchange: Exchange, { cache, ttlMs, maxAnswerBytes, varyBy }: StalePlan): AnswerKeeper {
  return {
    maxAnswerBytes,
    keep(answer, nowMs) {
      const { inbound, path, tenantName, answering } = exchange
      if (answer === undefined || answering.degraded.length > 0) return
      if (!mayStore(answer.status, cacheControlOf(answer), answer.fields.includes('set-cookie'))) return
      const key = sharedKey(inbound.request, path, tenantName, varyBy)
      const lifetime = { freshMs: 0, staleWhileRevalidateMs: 0, staleIfErrorMs: ttlMs }
      cache.set(key, answer, sizeOfAnswer(answer), lifetime, nowMs)
    },
  }
}

function cacheControlOf({ fields }: StoredAnswer): string | undefined {
  const at = fields.indexOf('cache-control')
  return at >= 0 && at % 2 === 0 ? fields[at + 1] : undefined
}
