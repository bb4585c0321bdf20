import { Deadline, WheelEntry } from '@breakwater/core'
import type { ServerExchange } from '@breakwater/http'
import { tooLate } from '../answer/refusal.ts'
import type { Refusal } from '../answer/refusal.ts'
import type { KnownCaller } from '../authorization/known-callers.ts'
import type { Redaction } from '../authorization/redaction/redaction.ts'
import type { RoutePlan } from '../plan/route-plan.ts'
import type { ListenerContext } from '../runtime.ts'
import { AdmissionWait } from './admission-wait.ts'
import { Answering } from './answering.ts'
import type { CutAnswer } from './answering.ts'
import { Attempts } from './attempts.ts'
import type { Identity } from './identity.ts'
import { nextStep, takeStep } from './ladder.ts'
import { Once } from './once.ts'
import { RequestBody } from './request-body.ts'
import { Sharing } from './sharing.ts'

/**
 * One request on its way through the gateway: admitted, sent (again, elsewhere, twice) and answered. Synchronous from
 * event to event; every wait is a deadline in the wheel or a place in a queue, and each ends with the request. In the wheel
 * it stands for its own deadline: up to the head of the answer, and from there for its longest duration.
 */
export class Exchange extends WheelEntry {
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
  readonly attempts: Attempts
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
  /** Steps of the ladder taken so far. */
  ladderStep: number = 0
  /** The client has all it will get. */
  isOver: boolean = false
  #leaving: Deadline | undefined
  #sharing: Sharing | undefined
  #once: Once | undefined
  #door: AdmissionWait | undefined

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
    if (inbound.request.body !== 'none')
      this.body = new RequestBody(inbound, listener.forwarding, plan.retry?.maxReplayBytes ?? 0)
    this.answering = new Answering(this)
    this.attempts = new Attempts(this)
  }

  /** Asks every question of the route, then begins. */
  begin(nowMs: number): void {
    this.plan.meters.inFlight.add(1)
    this.attempts.upstream.retain()
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
    const door = new AdmissionWait(() => this.isOver || this.#knock(clock.now()), onAbandoned)
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
    this.attempts.ask(nowMs)
  }

  // --- how it ends

  /** There will be no full answer: the next step of the ladder, or the refusal. */
  fail(refusal: Refusal, nowMs: number): void {
    if (this.isOver) return
    if (this.#door?.isHeld === true) return this.answering.refuse(refusal, nowMs) // nothing is served undecided or unrecorded
    const step = nextStep(this, nowMs)
    if (step === undefined) this.answering.refuse(refusal, nowMs)
    else takeStep(this, step, nowMs)
  }

  /** The client has all it will get. Called once, by `answering`. */
  finish(nowMs: number): void {
    this.isOver = true
    this.disarm()
    this.attempts.stop(nowMs)
    this.#once?.settle(nowMs)
    this.#sharing?.settle(nowMs)
    this.#door?.abandon()
    this.attempts.upstream.release()
    this.listener.report(this, nowMs)
  }

  /**
   * A client that goes away looks like one that has only stopped sending. One of the second kind gets its answer if
   * that comes soon; for the others the upstream is spared the work.
   */
  #onHalfClosed(nowMs: number): void {
    if (this.isOver || this.#leaving !== undefined) return
    this.#leaving = new Deadline((atMs) => {
      this.inbound.abort()
      this.#onClientGone(undefined, atMs)
    })
    this.listener.runtime.driver.wheel.arm(this.#leaving, nowMs + this.listener.halfClosedMs)
  }

  #onClientGone(error: Error | undefined, nowMs: number): void {
    if (this.isOver) return
    // Others wait for the same answer: the work goes on, only this client is gone.
    if (this.#sharing?.leave() === 'others') return this.answering.muteClient()
    this.answering.clientGone(nowMs, error)
  }

  override onExpire(nowMs: number): void {
    this.attempts.timeOut(nowMs)
    this.disarm()
    this.body?.detach()
    const refusal = tooLate(
      this.#door?.isHeld === true ? undefined : this.attempts.upstream,
      nowMs - this.inbound.startedMs,
    )
    if (this.answering.hasBegun) return this.answering.breakOff(refusal, nowMs)
    this.fail(refusal, nowMs)
  }

  /** The answer begins: from here on the request may last as long as the route allows. */
  armMaxDuration(nowMs: number): void {
    const endMs = this.inbound.startedMs + this.plan.maxDurationMs
    const { wheel } = this.listener.runtime.driver
    wheel.arm(this, endMs === Infinity ? Infinity : Math.max(endMs, nowMs))
  }

  /** Whether the client may have the answer is asked again until the function is called; `cut` is called when it may not. */
  watch(cut: CutAnswer): () => void {
    return this.listener.runtime.watch.add(this, cut)
  }

  /** Nothing of it happens by itself any more. */
  disarm(): void {
    const { wheel } = this.listener.runtime.driver
    wheel.disarm(this)
    if (this.#leaving !== undefined) wheel.disarm(this.#leaving)
    this.attempts.disarm()
  }
}
