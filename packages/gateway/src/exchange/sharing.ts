import type { FlightMember } from '@breakwater/resilience/load'
import { refuse } from '../answer/refusal.ts'
import type { Refusal } from '../answer/refusal.ts'
import { errors } from '../errors.ts'
import type { CoalescePlan, FlightLeader, StalePlan } from '../plan/route-plan.ts'
import type { AnswerKeeper } from './answering.ts'
import { sizeOfAnswer } from './capture.ts'
import type { StoredAnswer } from './capture.ts'
import type { Exchange } from './exchange.ts'
import { answerScopeOf, isPublic, isShareable, mayBeServedStale, sharedKey } from './shared-key.ts'

/** What befell the client of the leader and says nothing about the answer. */
const OWN_CODES: ReadonlySet<string> = new Set(['BW_GATEWAY_CLIENT_GONE', 'BW_GATEWAY_ACCESS_ENDED'])
/** Why a flight ended without an answer for its followers: each asks for itself. */
const NOT_SHAREABLE = Symbol('the answer cannot be shared')

/** Reads that several callers can be served with: equal ones in flight share one call, and good answers are kept. */
export class Sharing implements FlightMember<StoredAnswer>, FlightLeader {
  readonly #exchange: Exchange
  readonly #coalesce: CoalescePlan | undefined
  readonly #key: string
  #role: 'leads' | 'follows' | 'alone' = 'alone'
  #isSettled = false

  private constructor(exchange: Exchange, coalesce: CoalescePlan | undefined) {
    this.#exchange = exchange
    this.#coalesce = coalesce
    const { inbound, path } = exchange
    this.#key =
      coalesce === undefined ? '' : sharedKey(inbound.request, path, answerScopeOf(exchange), coalesce.varyBy)
  }

  static of(exchange: Exchange): Sharing | undefined {
    const { coalesce, stale } = exchange.plan
    if ((coalesce === undefined && stale === undefined) || !isShareable(exchange.inbound.request))
      return undefined
    if (exchange.redaction !== undefined) return undefined
    if (stale !== undefined) exchange.answering.addKeeper(staleKeeper(exchange, stale))
    return coalesce === undefined ? undefined : new Sharing(exchange, coalesce)
  }

  /** `follows`: somebody else asks already, this request is told. */
  join(): 'leads' | 'follows' | 'alone' {
    if (this.#coalesce === undefined) return 'alone'
    this.#role = this.#coalesce.coalescer.join(this.#key, this)
    if (this.#role === 'leads') this.#lead(this.#coalesce)
    else if (this.#role === 'follows') this.#exchange.plan.meters.coalesced.inc()
    return this.#role
  }

  /** The client left. `others`: go on for them. */
  leave(): 'others' | 'nobody' {
    if (this.#coalesce === undefined || this.#role === 'alone') return 'nobody'
    const left = this.#coalesce.coalescer.leave(this.#key, this)
    if (this.#role === 'leads') return left === 'others' ? 'others' : 'nobody'
    this.#followed(left)
    return 'nobody'
  }

  /** The exchange is over, however it ended. A leader without an answer lets the others go. */
  settle(nowMs: number): void {
    const coalesce = this.#coalesce
    if (coalesce === undefined) return
    if (this.#role === 'follows') this.#followed(coalesce.coalescer.leave(this.#key, this))
    if (this.#role !== 'leads') return
    if (coalesce.leaders.get(this.#key) === this) coalesce.leaders.delete(this.#key)
    if (this.#isSettled) return
    this.#isSettled = true
    const { code, degraded, refusal } = this.#exchange.answering
    // Its time was up, not theirs: one of them goes on.
    const isOwnDeadline = code === 'BW_GATEWAY_UPSTREAM_TIMEOUT' && nowMs >= this.#exchange.deadlineMs
    const isOwn = degraded.length === 0 && (code === undefined || OWN_CODES.has(code))
    const why = isOwn ? NOT_SHAREABLE : (refusal ?? 'degraded')
    coalesce.coalescer.fail(this.#key, this, why, !isOwnDeadline)
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
    else this.#exchange.fail(isRefusal(error) ? error : sharedCallFailed(error), this.#nowMs)
  }

  onLead(): void {
    if (this.#role !== 'follows' || this.#coalesce === undefined) return
    this.#role = 'leads'
    this.#lead(this.#coalesce)
    this.#exchange.proceed(this.#nowMs)
  }

  onDeserted(): void {
    this.#isSettled = true
    this.#exchange.answering.clientGone(this.#nowMs, undefined)
  }

  get #nowMs(): number {
    return this.#exchange.listener.runtime.driver.clock.now()
  }

  #lead({ leaders, maxAnswerBytes }: CoalescePlan): void {
    leaders.set(this.#key, this)
    const keep = (answer: StoredAnswer | undefined): void => this.#onAnswer(answer)
    this.#exchange.answering.addKeeper({ maxAnswerBytes, keep })
  }

  /** A follower is gone. When it was the last, and the leader's own client had left before it, nobody wants the answer. */
  #followed(left: 'last' | 'others' | 'unknown'): void {
    if (left === 'last') this.#coalesce?.leaders.get(this.#key)?.onDeserted()
  }

  #onAnswer(answer: StoredAnswer | undefined): void {
    const coalesce = this.#coalesce
    if (coalesce === undefined || answer === undefined || this.#isSettled) return
    if (this.#exchange.answering.degraded.length > 0) return
    if (sizeOfAnswer(answer) > coalesce.maxAnswerBytes) return
    this.#isSettled = true
    coalesce.leaders.delete(this.#key)
    if (isPublic(answer, coalesce.keyFields)) coalesce.coalescer.succeed(this.#key, answer)
    else coalesce.coalescer.fail(this.#key, this, NOT_SHAREABLE, true)
  }
}

function staleKeeper(
  exchange: Exchange,
  { cache, ttlMs, maxAnswerBytes, varyBy, keyFields }: StalePlan,
): AnswerKeeper {
  return {
    maxAnswerBytes,
    keep(answer, nowMs) {
      const { inbound, path, answering } = exchange
      if (answer === undefined || answering.degraded.length > 0) return
      if (!mayBeServedStale(answer) || !isPublic(answer, keyFields)) return
      const key = sharedKey(inbound.request, path, answerScopeOf(exchange), varyBy)
      const lifetime = { freshMs: 0, staleWhileRevalidateMs: 0, staleIfErrorMs: ttlMs }
      cache.set(key, answer, sizeOfAnswer(answer), lifetime, nowMs)
    },
  }
}

function isRefusal(error: unknown): error is Refusal {
  return typeof error === 'object' && error !== null && 'spec' in error
}

function sharedCallFailed(error: unknown): Refusal {
  return refuse(errors.BW_GATEWAY_COALESCED_FAILED, `the shared call failed: ${String(error)}`)
}
