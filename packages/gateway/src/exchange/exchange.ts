import { Deadline, WheelEntry } from '@breakwater/core'
import type { BreakwaterError } from '@breakwater/core'
import { joinTunnel } from '@breakwater/http'
import type { FieldList, ResponseHead, ServerExchange, Upgraded } from '@breakwater/http'
import { REFUSED } from '@breakwater/resilience/machines'
import { circuitOpen, noEndpoint, refusalOf, throttled, tooLate, turnedAway } from '../answer/refusal.ts'
import type { Refusal } from '../answer/refusal.ts'
import type { KnownCaller } from '../authorization/known-callers.ts'
import type { Redaction } from '../authorization/redaction/redaction.ts'
import type { RoutePlan } from '../plan/route-plan.ts'
import type { ListenerContext } from '../runtime.ts'
import type { CapacityClaim, PendingClaim, TurnedAway } from '../upstream/capacity.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { AdmissionWait } from './admission-wait.ts'
import { Answering, NOTHING } from './answering.ts'
import { Attempt } from './attempt.ts'
import type { AttemptOwner } from './attempt.ts'
import { Hedging } from './hedging.ts'
import type { Identity } from './identity.ts'
import { nextStep, takeStep } from './ladder.ts'
import { Once } from './once.ts'
import { RequestBody } from './request-body.ts'
import { retryDelayMs } from './retrying.ts'
import { Sharing } from './sharing.ts'
import { tenantKeyOf } from './tenant-key.ts'
import { upstreamRequest } from './upstream-request.ts'

/**
 * One request on its way through the gateway: admitted, sent (again, elsewhere, twice) and answered. Synchronous from
 * event to event; every wait is a deadline in the wheel or a place in a queue, and each ends with the request. In the wheel
 * it stands for its own deadline: up to the head of the answer, and from there for its longest duration.
 */
export class Exchange extends WheelEntry implements CapacityClaim, AttemptOwner {
  readonly listener: ListenerContext
  readonly plan: RoutePlan
  readonly inbound: ServerExchange
  readonly identity: Identity
  /** In its canonical spelling. */
  readonly path: string
  readonly clientAddress: string
  /** Undefined when there is none. */
  readonly body: RequestBody | undefined
  readonly answering: Answering
  /** When the answer stops being useful. Monotonic milliseconds. */
  deadlineMs: number = Infinity
  /** Whether the caller asked for an end that is earlier than the route's. */
  isCallersDeadline: boolean = false
  /** Empty when the route asks for none. */
  tenantName: string = ''
  /** Who asks, once verified; undefined on public routes and without authorization. */
  caller: KnownCaller | undefined = undefined
  /** Obligations of the decision that the upstream carries out. */
  obligations: string | undefined = undefined
  /** What is withheld here from the answer of the upstream. */
  redaction: Redaction | undefined = undefined
  /** The upstream that is asked now: the route's, or one of its ladder. */
  upstream: Upstream
  /** Steps of the ladder taken so far. */
  ladderStep: number = 0
  /** Ids of the endpoints tried, in order; one for each try. */
  attempted: readonly string[] = NOTHING
  /** Whether any byte of the request reached an upstream: it may have had its effect. */
  wasSent: boolean = false
  #open: readonly Attempt[] = NOTHING
  readonly #hedging: Hedging | undefined
  #wake: Deadline | undefined
  #leaving: Deadline | undefined
  #pending: PendingClaim | undefined
  #sharing: Sharing | undefined
  #once: Once | undefined
  #door: AdmissionWait | undefined
  #isOver = false

  constructor(
    listener: ListenerContext,
    plan: RoutePlan,
    inbound: ServerExchange,
    identity: Identity,
    path: string,
  ) {
    super()
    this.listener = listener
    this.plan = plan
    this.inbound = inbound
    this.identity = identity
    this.path = path
    this.clientAddress = listener.forwarding.clientAddress(inbound)
    this.upstream = plan.upstream
    if (inbound.request.body !== 'none')
      this.body = new RequestBody(inbound, listener.forwarding, plan.retry?.maxReplayBytes ?? 0)
    this.answering = new Answering(this)
    this.#hedging = Hedging.of(this)
  }

  get priority(): number {
    return this.plan.priority
  }

  /** The bucket of its tenant, for fairness in the queue. */
  get tenant(): number {
    return this.tenantName === '' ? 0 : this.upstream.gate.tenantOf(tenantKeyOf(this))
  }

  /** Asks every question of the route, then begins. */
  begin(nowMs: number): void {
    this.plan.meters.inFlight.add(1)
    this.upstream.retain()
    this.inbound.onAbort = (error, atMs) => this.#onClientGone(error, atMs)
    this.inbound.onInputEnd = (atMs) => this.#onHalfClosed(atMs)
    for (const stage of this.plan.stages) {
      const refusal = stage(this, nowMs)
      if (refusal !== undefined) return this.answering.refuse(refusal, nowMs)
    }
    this.listener.runtime.driver.wheel.arm(this, this.deadlineMs)
    this.#knock(nowMs)
  }

  /** The request goes no further than admission until the function is told that it may. `onAbandoned`: it is over before that. */
  waitAtDoor(onAbandoned?: () => void): (refusal: Refusal | undefined) => void {
    const { clock } = this.listener.runtime.driver
    const door = new AdmissionWait(() => this.#isOver || this.#knock(clock.now()), onAbandoned)
    this.#door = door
    return (refusal) => door.settle(refusal)
  }

  #knock(nowMs: number): void {
    if (this.#door?.hold() === true) return
    const refusal = this.#door?.refusal
    if (refusal === undefined) this.#enter(nowMs)
    else this.answering.refuse(refusal, nowMs)
  }

  /** Admitted: what is stored or shared first, then the upstream. */
  #enter(nowMs: number): void {
    this.#once = Once.of(this)
    if (this.#once !== undefined) return this.#once.begin(nowMs)
    this.#sharing = Sharing.of(this)
    if (this.#sharing === undefined || this.#sharing.join() !== 'follows') this.proceed(nowMs)
  }

  /** Nothing that is stored or shared answers this: ask the upstream. */
  proceed(nowMs: number): void {
    this.plan.upstream.retryBudget.deposit(nowMs) // retries and hedges live on what calls have earned
    this.ask(nowMs)
  }

  /** Begins a try at the upstream of the moment: capacity first, then endpoint, breaker, throttle, and the wire. */
  ask(nowMs: number): void {
    const { breaker, gate } = this.upstream
    if (breaker !== undefined && !breaker.mayAdmit(nowMs)) this.fail(circuitOpen(this.upstream, nowMs), nowMs)
    else {
      const pending = gate.enter(this, nowMs)
      // When it was told at once, it may stand in the queue of the next upstream by now.
      if (pending !== undefined) this.#pending = pending
    }
  }

  onCapacity(nowMs: number): void {
    this.#pending = undefined
    if (this.#isOver) return this.upstream.gate.leave('ignored', 0, nowMs)
    const refusal = this.launch(nowMs)
    if (refusal !== undefined) this.fail(refusal, nowMs)
  }

  onTurnedAway(why: TurnedAway, nowMs: number): void {
    this.#pending = undefined
    this.fail(turnedAway(why, this.upstream), nowMs)
  }

  /** Starts a try; the place at the upstream is held already and given back here when there is no try. */
  launch(nowMs: number): Refusal | undefined {
    const { upstream } = this
    const endpoint = upstream.pick(this.attempted, nowMs)
    const breakerPermit = endpoint === undefined ? undefined : upstream.breaker?.admit(nowMs)
    const isRefused = endpoint !== undefined && breakerPermit === REFUSED
    // The client throttle is asked last: it counts what it lets through as sent.
    const isThrottled = !isRefused && endpoint !== undefined && upstream.throttle?.admit(nowMs) === false
    if (endpoint === undefined || isRefused || isThrottled) {
      if (isThrottled && breakerPermit !== undefined) upstream.breaker?.onIgnored(breakerPermit)
      upstream.gate.leave('ignored', 0, nowMs)
      if (isRefused) return circuitOpen(this.upstream, nowMs)
      if (isThrottled) return throttled(upstream)
      return noEndpoint(upstream)
    }
    this.attempted = this.attempted.length === 0 ? [endpoint.id] : [...this.attempted, endpoint.id]
    this.plan.meters.attempts.inc()
    const { wheel } = this.listener.runtime.driver
    const { perTryTimeoutMs } = this.plan
    const owner = this.redaction ?? this
    const attempt = new Attempt(owner, upstream, endpoint, breakerPermit, wheel, perTryTimeoutMs, nowMs)
    this.#open = this.#open.length === 0 ? [attempt] : [...this.#open, attempt]
    attempt.start(upstreamRequest(this, nowMs), nowMs)
    if (attempt.isOpen) this.body?.attach(attempt)
    if (attempt.isOpen) this.#hedging?.arm(attempt, nowMs)
    return undefined
  }

  // --- what tries tell

  onAttemptInformational(head: ResponseHead): void {
    if (head.status === 103 && !this.inbound.headSent) {
      this.inbound.sendInformational(103, this.listener.forwarding.responseFields(head))
    }
  }

  onAttemptHead(attempt: Attempt, head: ResponseHead, nowMs: number): void {
    if (!this.accepts(attempt, head, nowMs)) return
    this.#armMaxDuration(nowMs)
    this.answering.head(attempt, head, nowMs)
  }

  /** Whether this is the answer: otherwise another one is on its way. */
  accepts(attempt: Attempt, head: ResponseHead, nowMs: number): boolean {
    this.wasSent = true
    if (head.status >= 400 && this.#recoverFrom(attempt, head.status, nowMs)) return false
    this.#hedging?.onHead(attempt, nowMs)
    this.#dropOthers(attempt, nowMs)
    this.body?.forget()
    return true
  }

  onAttemptData(attempt: Attempt, chunk: Uint8Array): void {
    if (!this.answering.data(chunk)) attempt.pauseBody()
  }

  onAttemptEnd(attempt: Attempt, trailers: FieldList | undefined, nowMs: number): void {
    this.#forgetAttempt(attempt)
    this.answering.end(trailers, nowMs)
  }

  onAttemptFailed(attempt: Attempt, error: BreakwaterError, nowMs: number): void {
    this.#forgetAttempt(attempt)
    if (attempt.wasSent) this.wasSent = true
    if (this.answering.hasBegun) return this.answering.breakOff(refusalOf(error), nowMs)
    if (this.#open.length > 0) return // a hedge may still win
    this.body?.detach()
    const delayMs = retryDelayMs(this, attempt, error, nowMs)
    if (delayMs >= 0) this.#retryIn(delayMs, nowMs)
    else this.fail(refusalOf(error), nowMs)
  }

  onAttemptWritable(): void {
    this.body?.resume()
  }

  onAttemptUpgrade(attempt: Attempt, head: ResponseHead, upstream: Upgraded, nowMs: number): void {
    this.wasSent = true
    this.#forgetAttempt(attempt)
    this.#dropOthers(undefined, nowMs)
    const { runtime, forwarding } = this.listener
    const protocol = head.fields.get('upgrade') ?? ''
    const client = this.inbound.upgrade(protocol, forwarding.responseFields(head))
    this.#disarm()
    const onClose = (bytesUp: number, bytesDown: number, atMs: number): void =>
      this.answering.tunnelClosed(bytesUp, bytesDown, atMs)
    this.answering.tunnelOpened(client.transport, upstream.transport)
    joinTunnel(client, upstream, runtime.driver, nowMs, {
      idleTimeoutMs: this.plan.config.upgrade.idleMs,
      onClose,
    })
  }

  // --- how it ends

  /** There will be no full answer: the next step of the ladder, or the refusal. */
  fail(refusal: Refusal, nowMs: number): void {
    if (this.#isOver) return
    if (this.#door?.isHeld === true) return this.answering.refuse(refusal, nowMs) // nothing is served undecided or unrecorded
    const step = nextStep(this, nowMs)
    if (step === undefined) this.answering.refuse(refusal, nowMs)
    else takeStep(this, step, nowMs)
  }

  /** The client has all it will get. Called once, by `answering`. */
  finish(nowMs: number): void {
    this.#isOver = true
    this.#disarm()
    this.#pending?.cancel()
    this.#dropOthers(undefined, nowMs)
    this.#once?.settle(nowMs)
    this.#sharing?.settle(nowMs)
    this.#door?.abandon()
    this.upstream.release()
  }

  /** Another upstream is asked from now on. */
  turnTo(upstream: Upstream): void {
    upstream.retain()
    this.upstream.release()
    this.upstream = upstream
  }

  /**
   * A client that goes away looks like one that has only stopped sending. One of the second kind gets its answer if
   * that comes soon; for the others the upstream is spared the work.
   */
  #onHalfClosed(nowMs: number): void {
    if (this.#isOver || this.#leaving !== undefined) return
    this.#leaving = new Deadline((atMs) => {
      this.inbound.abort()
      this.#onClientGone(undefined, atMs)
    })
    this.listener.runtime.driver.wheel.arm(this.#leaving, nowMs + this.listener.halfClosedMs)
  }

  #onClientGone(error: Error | undefined, nowMs: number): void {
    if (this.#isOver) return
    // Others wait for the same answer: the work goes on, only this client is gone.
    if (this.#sharing?.leave() === 'others') return this.answering.muteClient()
    this.answering.clientGone(nowMs, error)
  }

  override onExpire(nowMs: number): void {
    this.#pending?.cancel()
    this.#pending = undefined
    const open = this.#open
    this.#open = NOTHING
    for (const attempt of open) this.#abandon(attempt, this.#verdictOfDeadline(attempt, nowMs), nowMs)
    this.#disarm()
    this.body?.detach()
    const refusal = tooLate(
      this.#door?.isHeld === true ? undefined : this.upstream,
      nowMs - this.inbound.startedMs,
    )
    if (this.answering.hasBegun) return this.answering.breakOff(refusal, nowMs)
    this.fail(refusal, nowMs)
  }

  /** A bad answer came: another try, the next step of the ladder, or false when it is the answer after all. */
  #recoverFrom(attempt: Attempt, status: number, nowMs: number): boolean {
    // Any answer but a bad one is as good as the other would be.
    const isBad = status >= 500 || this.plan.retry?.statuses.has(status) === true
    const mayHedgeWin = isBad && this.#open.length > 1
    const delayMs = mayHedgeWin ? -1 : retryDelayMs(this, attempt, undefined, nowMs)
    const step =
      mayHedgeWin || delayMs >= 0 || !this.#leadsToLadder(status) ? undefined : nextStep(this, nowMs)
    if (!mayHedgeWin && delayMs < 0 && step === undefined) return false
    attempt.abandonByStatus(nowMs)
    this.#forgetAttempt(attempt)
    if (mayHedgeWin) return true
    this.body?.detach()
    if (step === undefined) this.#retryIn(delayMs, nowMs)
    else takeStep(this, step, nowMs)
    return true
  }

  #leadsToLadder(status: number): boolean {
    return this.plan.ladder?.statuses.has(status) ?? (this.plan.stale !== undefined && status >= 500)
  }

  /** The backoff is what keeps those who failed together from coming back together. */
  #retryIn(delayMs: number, nowMs: number): void {
    this.#hedging?.disarm()
    this.plan.meters.retries.inc()
    this.#wake ??= new Deadline((atMs) => this.ask(atMs))
    this.listener.runtime.driver.wheel.arm(this.#wake, nowMs + delayMs)
  }

  #armMaxDuration(nowMs: number): void {
    const endMs = this.inbound.startedMs + this.plan.maxDurationMs
    const { wheel } = this.listener.runtime.driver
    wheel.arm(this, endMs === Infinity ? Infinity : Math.max(endMs, nowMs))
  }

  #dropOthers(winner: Attempt | undefined, nowMs: number): void {
    const open = this.#open
    if (open.length === (winner === undefined ? 0 : 1)) return
    this.#open = winner === undefined ? NOTHING : [winner]
    for (const attempt of open) if (attempt !== winner) this.#abandon(attempt, 'ignored', nowMs)
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
    return this.isCallersDeadline && hadMs < 2 * this.upstream.usualLatencyMs ? 'ignored' : 'failure'
  }

  #forgetAttempt(attempt: Attempt): void {
    const open = this.#open
    if (open.length > 1) this.#open = open.filter((other) => other !== attempt)
    else if (open[0] === attempt) this.#open = NOTHING
  }

  #disarm(): void {
    const { wheel } = this.listener.runtime.driver
    wheel.disarm(this)
    if (this.#wake !== undefined) wheel.disarm(this.#wake)
    if (this.#leaving !== undefined) wheel.disarm(this.#leaving)
    this.#hedging?.disarm()
  }
}
