import { WheelEntry } from '@breakwater/core'
import type { BreakwaterError, DeadlineWheel } from '@breakwater/core'
import type {
  BodySink,
  ClientExchange,
  FailureProgress,
  FieldList,
  RequestInit,
  ResponseHandler,
  ResponseHead,
  Upgraded,
} from '@breakwater/http'
import { outcomeOfStatus, parseRetryAfter } from '@breakwater/resilience/machines'
import type { HostOutcome } from '@breakwater/resilience/load'
import { errors } from '../errors.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import type { Upstream } from '../upstream/upstream.ts'

/** Who started a try and decides what follows from it. */
export interface AttemptOwner {
  onAttemptInformational(head: ResponseHead): void
  /** Says where the body is delivered, if it is wanted. */
  onAttemptHead(attempt: Attempt, head: ResponseHead, nowMs: number): void
  onAttemptEnd(attempt: Attempt, trailers: FieldList | undefined, nowMs: number): void
  onAttemptFailed(attempt: Attempt, error: BreakwaterError, nowMs: number): void
  onAttemptWritable(): void
  onAttemptUpgrade(attempt: Attempt, head: ResponseHead, upgraded: Upgraded, nowMs: number): void
}

type Verdict = 'success' | 'failure' | 'ignored'

/**
 * One try at one endpoint. Tells every control exactly once what became of it: what the caller sees, whether it may be
 * tried again and whether it counts against the upstream are three questions, and this answers the third. In the wheel it
 * stands for the per-try timeout: up to the head of the answer.
 */
export class Attempt extends WheelEntry implements ResponseHandler {
  readonly endpoint: Endpoint
  readonly startedMs: number
  /** To the head of the answer; until there is one, to its failure. Milliseconds. */
  latencyMs = 0
  /** What the upstream asked for. Milliseconds, -1 when it did not. */
  retryAfterMs = -1
  /** Whether any byte reached the network. */
  wasSent = true
  status = 0
  readonly #owner: AttemptOwner
  readonly #upstream: Upstream
  readonly #breakerPermit: number | undefined
  readonly #wheel: DeadlineWheel
  readonly #timeoutMs: number
  #client: ClientExchange | undefined
  #settled = false
  #over = false

  constructor(
    owner: AttemptOwner,
    upstream: Upstream,
    endpoint: Endpoint,
    breakerPermit: number | undefined,
    wheel: DeadlineWheel,
    timeoutMs: number,
    nowMs: number,
  ) {
    super()
    this.#owner = owner
    this.#upstream = upstream
    this.endpoint = endpoint
    this.#breakerPermit = breakerPermit
    this.startedMs = nowMs
    this.#wheel = wheel
    this.#timeoutMs = timeoutMs
    upstream.onStart(endpoint)
    wheel.arm(this, nowMs + timeoutMs)
  }

  /** Sends the request. May fail at once: the owner is told before this returns. */
  start(request: RequestInit, nowMs: number): void {
    try {
      this.#client = this.endpoint.pool.send(request, this, nowMs)
    } catch (error) {
      this.wasSent = false
      this.#fail(error as BreakwaterError, nowMs)
    }
  }

  /** Whether the try is still under way. */
  get isOpen(): boolean {
    return !this.#over
  }

  sendData(chunk: Uint8Array): boolean {
    return this.#client?.sendData(chunk) ?? true
  }

  sendEnd(trailers?: FieldList): void {
    this.#client?.sendEnd(trailers)
  }

  /** The body of the answer goes straight there, not through the owner. */
  deliverTo(sink: BodySink): void {
    this.#client?.deliverTo(sink)
  }

  pauseBody(): void {
    this.#client?.pauseBody()
  }

  resumeBody(): void {
    this.#client?.resumeBody()
  }

  /**
   * Gives up; the upstream notices. `verdict` says what that means for it: nothing when the caller left, a failure when
   * it took too long or its answer was a bad one.
   */
  abandon(verdict: Verdict, nowMs: number): void {
    if (this.#over) return
    this.wasSent = this.#client?.bytesSent === true
    this.#finish(verdict, nowMs)
    this.#client?.abort()
  }

  /** Gives up because of the status that came: it counts as it would have counted at the end of the answer. */
  abandonByStatus(nowMs: number): void {
    this.abandon(this.#verdictOfStatus(), nowMs)
  }

  /** The answer is one that never ends by itself: the head alone decides, and the place is free for others. */
  settleAtHead(nowMs: number): void {
    this.#settle(this.#verdictOfStatus(), nowMs)
  }

  onInformational(head: ResponseHead): void {
    if (!this.#over) this.#owner.onAttemptInformational(head)
  }

  onHead(head: ResponseHead, nowMs: number): void {
    if (this.#over) return
    this.#disarm()
    this.latencyMs = nowMs - this.startedMs
    this.status = head.status
    const retryAfter = head.status >= 400 ? head.fields.get('retry-after') : undefined
    // The wall clock is asked only for the date form, which few servers send.
    if (retryAfter !== undefined) this.retryAfterMs = parseRetryAfter(retryAfter, Date.now()) ?? -1
    this.#owner.onAttemptHead(this, head, nowMs)
  }

  /** Of an answer that nobody takes. */
  onData(): void {}

  onEnd(trailers: FieldList | undefined, nowMs: number): void {
    if (this.#over) return
    this.#finish(this.#verdictOfStatus(), nowMs)
    this.#owner.onAttemptEnd(this, trailers, nowMs)
  }

  onError(error: BreakwaterError, progress: FailureProgress, nowMs: number): void {
    this.wasSent = progress.bytesSent
    this.#fail(error, nowMs)
  }

  onWritable(): void {
    if (!this.#over) this.#owner.onAttemptWritable()
  }

  onUpgrade(head: ResponseHead, upgraded: Upgraded, nowMs: number): void {
    if (this.#over) {
      upgraded.transport.destroy()
      return
    }
    this.latencyMs = nowMs - this.startedMs
    this.status = head.status
    this.#finish('success', nowMs)
    this.#owner.onAttemptUpgrade(this, head, upgraded, nowMs)
  }

  #fail(error: BreakwaterError, nowMs: number): void {
    if (this.#over) return
    if (this.status === 0) this.latencyMs = nowMs - this.startedMs
    // Our own full queue says nothing about the endpoint.
    this.#finish(error.spec.fault === 'upstream' ? 'failure' : 'ignored', nowMs)
    this.#owner.onAttemptFailed(this, error, nowMs)
  }

  override onExpire(nowMs: number): void {
    if (this.#over) return
    this.latencyMs = nowMs - this.startedMs
    this.abandon('failure', nowMs)
    const message = `no answer from ${this.endpoint.id} within ${this.#timeoutMs} ms`
    this.#owner.onAttemptFailed(this, errors.BW_GATEWAY_UPSTREAM_TIMEOUT(message), nowMs)
  }

  #verdictOfStatus(): Verdict {
    return outcomeOfStatus(this.status, this.retryAfterMs >= 0)
  }

  #finish(verdict: Verdict, nowMs: number): void {
    this.#over = true
    this.#disarm()
    this.#settle(verdict, nowMs)
  }

  #settle(verdict: Verdict, nowMs: number): void {
    if (this.#settled) return
    this.#settled = true
    const { breaker, gate, throttle, outliers } = this.#upstream
    const { latencyMs, endpoint, startedMs } = this
    const permit = this.#breakerPermit
    const isBusy = this.status === 429 || this.status === 503 || (verdict === 'failure' && this.status === 0)
    if (verdict === 'success') this.#upstream.onSuccess(endpoint, latencyMs, nowMs)
    else if (verdict === 'failure' || isBusy)
      this.#upstream.onFailure(endpoint, latencyMs, Math.max(0, this.retryAfterMs), nowMs)
    else this.#upstream.onIgnored(endpoint)
    if (breaker !== undefined && permit !== undefined) {
      if (verdict === 'success') breaker.onSuccess(permit, latencyMs, nowMs)
      else if (verdict === 'failure') breaker.onFailure(permit, latencyMs, nowMs)
      else breaker.onIgnored(permit)
    }
    if (throttle !== undefined) {
      if (isBusy) throttle.onRefused(startedMs, nowMs)
      else if (verdict === 'ignored') throttle.onIgnored(startedMs, nowMs)
      else throttle.onAccepted(startedMs, nowMs)
    }
    // Outlier ejection compares hosts by what they did, not by what their callers did.
    const host = verdict === 'ignored' ? undefined : outliers?.host(endpoint.id)
    if (host !== undefined) outliers?.record(host, this.#hostOutcome(verdict), nowMs)
    gate.leave(isBusy ? 'dropped' : verdict === 'success' ? 'success' : 'ignored', latencyMs, nowMs)
  }

  #hostOutcome(verdict: Verdict): HostOutcome {
    if (verdict === 'success') return 'success'
    if (this.status === 0) return 'local-error'
    return this.status >= 502 && this.status <= 504 ? 'gateway-error' : 'server-error'
  }

  #disarm(): void {
    this.#wheel.disarm(this)
  }
}
