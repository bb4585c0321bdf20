import { Deadline } from '@breakwater/core'
import type { BreakwaterError } from '@breakwater/core'
import type { FieldList, ResponseHead, Upgraded } from '@breakwater/http'
import { REFUSED } from '@breakwater/resilience/machines'
import { circuitOpen, noEndpoint, refusalOf, throttled, turnedAway } from '../answer/refusal.ts'
import type { Refusal } from '../answer/refusal.ts'
import type { CapacityClaim, PendingClaim, TurnedAway } from '../upstream/capacity.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { NOTHING } from './answering.ts'
import { Attempt } from './attempt.ts'
import type { AttemptOwner } from './attempt.ts'
import type { Exchange } from './exchange.ts'
import { Hedging } from './hedging.ts'
import { nextStep, takeStep } from './ladder.ts'
import { retryDelayMs } from './retrying.ts'
import { tenantKeyOf } from './tenant-key.ts'
import { upstreamRequest } from './upstream-request.ts'

/**
 * The tries of one request: each asks for capacity, is sent, and leads to the answer, to another one, or to the refusal. A wait
 * for capacity or for a retry ends with the request.
 */
export class Attempts implements CapacityClaim, AttemptOwner {
  /** The upstream that is asked now: the route's, or one of its ladder. */
  upstream: Upstream
  /** Whether any byte of the request reached an upstream: it may have had its effect. */
  wasSent: boolean = false
  readonly #exchange: Exchange
  /** In order, with those that are over. */
  #all: readonly Attempt[] = NOTHING
  readonly #hedging: Hedging | undefined
  #pending: PendingClaim | undefined
  #wake: Deadline | undefined

  constructor(exchange: Exchange) {
    this.upstream = exchange.plan.upstream
    this.#exchange = exchange
    this.#hedging = Hedging.of(exchange)
  }

  /** How many there were. */
  get count(): number {
    return this.#all.length
  }

  /** Undefined before the first. */
  get last(): Attempt | undefined {
    return this.#all[this.#all.length - 1]
  }

  // --- asking

  /** Begins a try at the upstream of the moment: capacity first, then endpoint, breaker, throttle, and the wire. */
  ask(nowMs: number): void {
    const { breaker, gate } = this.upstream
    if (breaker !== undefined && !breaker.mayAdmit(nowMs))
      this.#exchange.fail(circuitOpen(this.upstream, nowMs), nowMs)
    else {
      const pending = gate.enter(this, nowMs)
      // When it was told at once, it may stand in the queue of the next upstream by now.
      if (pending !== undefined) this.#pending = pending
    }
  }

  /** Another upstream is asked from now on. */
  turnTo(upstream: Upstream): void {
    upstream.retain()
    this.upstream.release()
    this.upstream = upstream
  }

  get priority(): number {
    return this.#exchange.plan.priority
  }

  /** The bucket of its tenant, for fairness in the queue. */
  get tenant(): number {
    const exchange = this.#exchange
    return exchange.tenantName === '' ? 0 : this.upstream.gate.tenantOf(tenantKeyOf(exchange))
  }

  get deadlineMs(): number {
    return this.#exchange.deadlineMs
  }

  onCapacity(nowMs: number): void {
    this.#pending = undefined
    if (this.#exchange.isOver) return this.upstream.gate.leave('ignored', 0, nowMs)
    const refusal = this.launch(nowMs)
    if (refusal !== undefined) this.#exchange.fail(refusal, nowMs)
  }

  onTurnedAway(why: TurnedAway, nowMs: number): void {
    this.#pending = undefined
    this.#exchange.fail(turnedAway(why, this.upstream), nowMs)
  }

  /** Starts a try; the place at the upstream is held already and given back here when there is no try. */
  launch(nowMs: number): Refusal | undefined {
    const { upstream } = this
    const exchange = this.#exchange
    const attempted = this.#all.length === 0 ? NOTHING : this.#all.map(({ endpoint: { id } }) => id)
    const endpoint = upstream.pick(attempted, nowMs)
    const breakerPermit = endpoint === undefined ? undefined : upstream.breaker?.admit(nowMs)
    const isRefused = endpoint !== undefined && breakerPermit === REFUSED
    // The client throttle is asked last: it counts what it lets through as sent.
    const isThrottled = !isRefused && endpoint !== undefined && upstream.throttle?.admit(nowMs) === false
    if (endpoint === undefined || isRefused || isThrottled) {
      if (isThrottled && breakerPermit !== undefined) upstream.breaker?.onIgnored(breakerPermit)
      upstream.gate.leave('ignored', 0, nowMs)
      if (isRefused) return circuitOpen(upstream, nowMs)
      if (isThrottled) return throttled(upstream)
      return noEndpoint(upstream)
    }
    const { plan, body, redaction } = exchange
    plan.meters.attempts.inc()
    const { wheel } = exchange.listener.runtime.driver
    const owner = redaction ?? this
    const attempt = new Attempt(owner, upstream, endpoint, breakerPermit, wheel, plan.perTryTimeoutMs, nowMs)
    this.#all = this.#all.length === 0 ? [attempt] : [...this.#all, attempt]
    attempt.start(upstreamRequest(exchange, nowMs), nowMs)
    if (attempt.isOpen) body?.attach(attempt)
    if (attempt.isOpen) this.#hedging?.arm(attempt, nowMs)
    return undefined
  }

  // --- what tries tell

  onAttemptInformational(head: ResponseHead): void {
    const { inbound, listener } = this.#exchange
    if (head.status === 103 && !inbound.headSent)
      inbound.sendInformational(103, listener.forwarding.responseFields(head))
  }

  onAttemptHead(attempt: Attempt, head: ResponseHead, nowMs: number): void {
    if (!this.accepts(attempt, head, nowMs)) return
    this.#exchange.armMaxDuration(nowMs)
    const { answering } = this.#exchange
    answering.head(attempt, head, nowMs)
    attempt.deliverTo(answering)
  }

  /** Whether this is the answer: otherwise another one is on its way. */
  accepts(attempt: Attempt, head: ResponseHead, nowMs: number): boolean {
    this.wasSent = true
    if (head.status >= 400 && this.#recoverFrom(attempt, head.status, nowMs)) return false
    this.#hedging?.onHead(attempt, nowMs)
    this.#dropOthers(attempt, nowMs)
    this.#exchange.body?.forget()
    return true
  }

  onAttemptEnd(_attempt: Attempt, trailers: FieldList | undefined, nowMs: number): void {
    this.#exchange.answering.end(trailers, nowMs)
  }

  onAttemptFailed(attempt: Attempt, error: BreakwaterError, nowMs: number): void {
    const exchange = this.#exchange
    if (attempt.wasSent) this.wasSent = true
    if (exchange.answering.hasBegun) return exchange.answering.breakOff(refusalOf(error), nowMs)
    if (this.#openCount > 0) return // a hedge may still win
    exchange.body?.detach()
    const delayMs = retryDelayMs(exchange, attempt, error, nowMs)
    if (delayMs >= 0) this.#retryIn(delayMs, nowMs)
    else exchange.fail(refusalOf(error), nowMs)
  }

  onAttemptWritable(): void {
    this.#exchange.body?.resume()
  }

  onAttemptUpgrade(_attempt: Attempt, head: ResponseHead, upstream: Upgraded, nowMs: number): void {
    this.wasSent = true
    this.#dropOthers(undefined, nowMs)
    this.#exchange.answering.tunnel(head, upstream, nowMs)
  }

  // --- how they end

  /** The request is over. */
  stop(nowMs: number): void {
    this.#pending?.cancel()
    this.#dropOthers(undefined, nowMs)
  }

  /** The time of the request is up. */
  timeOut(nowMs: number): void {
    this.#pending?.cancel()
    this.#pending = undefined
    for (const attempt of this.#all)
      if (attempt.isOpen) this.#abandon(attempt, this.#verdictOfDeadline(attempt, nowMs), nowMs)
  }

  /** Nobody is tried anew by itself any more. */
  disarm(): void {
    if (this.#wake !== undefined) this.#exchange.listener.runtime.driver.wheel.disarm(this.#wake)
    this.#hedging?.disarm()
  }

  get #openCount(): number {
    let count = 0
    for (const attempt of this.#all) if (attempt.isOpen) count++
    return count
  }

  /** A bad answer came: another try, the next step of the ladder, or false when it is the answer after all. */
  #recoverFrom(attempt: Attempt, status: number, nowMs: number): boolean {
    const exchange = this.#exchange
    // Any answer but a bad one is as good as the other would be.
    const isBad = status >= 500 || exchange.plan.retry?.statuses.has(status) === true
    const mayHedgeWin = isBad && this.#openCount > 1
    const delayMs = mayHedgeWin ? -1 : retryDelayMs(exchange, attempt, undefined, nowMs)
    const step =
      mayHedgeWin || delayMs >= 0 || !this.#leadsToLadder(status) ? undefined : nextStep(exchange, nowMs)
    if (!mayHedgeWin && delayMs < 0 && step === undefined) return false
    attempt.abandonByStatus(nowMs)
    if (mayHedgeWin) return true
    exchange.body?.detach()
    if (step === undefined) this.#retryIn(delayMs, nowMs)
    else takeStep(exchange, step, nowMs)
    return true
  }

  #leadsToLadder(status: number): boolean {
    const { ladder, stale } = this.#exchange.plan
    return ladder?.statuses.has(status) ?? (stale !== undefined && status >= 500)
  }

  /** The backoff is what keeps those who failed together from coming back together. */
  #retryIn(delayMs: number, nowMs: number): void {
    const { plan, listener } = this.#exchange
    this.#hedging?.disarm()
    plan.meters.retries.inc()
    this.#wake ??= new Deadline((atMs) => this.ask(atMs))
    listener.runtime.driver.wheel.arm(this.#wake, nowMs + delayMs)
  }

  #dropOthers(winner: Attempt | undefined, nowMs: number): void {
    for (const attempt of this.#all)
      if (attempt !== winner && attempt.isOpen) this.#abandon(attempt, 'ignored', nowMs)
  }

  /** Gives a try up that may have had its effect. */
  #abandon(attempt: Attempt, verdict: 'failure' | 'ignored', nowMs: number): void {
    attempt.abandon(verdict, nowMs)
    if (attempt.wasSent) this.wasSent = true
  }

  /**
   * No answer in time counts against the upstream, unless the caller left it less time than its answers take: otherwise
   * whoever sends tiny deadlines could open the circuit for everybody.
   */
  #verdictOfDeadline(attempt: Attempt, nowMs: number): 'failure' | 'ignored' {
    const hadMs = nowMs - attempt.startedMs
    return this.#exchange.isCallersDeadline && hadMs < 2 * this.upstream.usualLatencyMs
      ? 'ignored'
      : 'failure'
  }
}
