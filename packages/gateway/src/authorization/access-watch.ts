import type { Clock, Timer } from '@breakwater/core'
import { refuse } from '../answer/refusal.ts'
import { errors } from '../errors.ts'
import type { CutAnswer } from '../exchange/answering.ts'
import type { Router } from '../routing/router.ts'
import type { Authorization } from './authorization.ts'
import type { GivenAnswer, GuardedRequest } from './guarded-request.ts'
import type { RouteGuard } from './route-guard.ts'

interface Guarded {
  readonly guard: RouteGuard | undefined
}

/** A request whose answer may take long. */
export interface WatchedRequest extends GuardedRequest {
  readonly plan: GuardedRequest['plan'] & Guarded
}

/** Who decides, and on which routes. */
export interface Deciding {
  readonly authorization: Authorization | undefined
  readonly router: Router<Guarded>
}

/** An answer under way. */
interface LongAnswer extends GivenAnswer {
  readonly exchange: WatchedRequest
  readonly cut: CutAnswer
  /** What its route asks now; undefined where nobody is asked. */
  guard: RouteGuard | undefined
  /** Since when nobody can say whether it may go on; undefined while somebody can. */
  unsureMs: number | undefined
}

/** Asked again in one go: others come in between. A question costs some microseconds. */
const MAX_AT_ONCE = 500
/** Between two rounds over everything for changes that were told of. Milliseconds. */
const LEAST_BETWEEN_MS = 1000
/** How often a question is asked again in which the time of day stands. Milliseconds. */
const TIMED_EVERY_MS = 5000
/** How often every other one is: policies may grow too old, and an engine elsewhere tells nobody that it has changed. */
const ALL_EVERY_MS = 60_000
/** Why an answer was cut that is no longer allowed. */
const WITHDRAWN = 'the access was withdrawn while the answer was under way'
/** The same for one about which nobody could be asked. */
const UNSURE = 'nobody could say whether the access is still allowed'

/**
 * Answers that are under way for long: tunnels, streams, large bodies. What was allowed when they began is asked again whenever
 * entities, policies or routes change, and now and then where the time of day counts; what would not be allowed to begin is cut, and
 * so is everything whose token has ended, or about which an engine elsewhere could not be asked for longer than its grace. In bounded
 * pieces, so that many of them hold up nobody.
 */
export class AccessWatch {
  readonly #clock: Clock
  readonly #answers = new Set<LongAnswer>()
  #deciding: Deciding | undefined
  /** Whose state the answers were last asked on, and when it was found to be another one. */
  #state = ''
  #changedMs = -Infinity
  /** When everything was asked again for a change that was told of. */
  #roundMs = -Infinity
  #timedMs = -Infinity
  #allMs = -Infinity
  /** To be asked again. */
  readonly #due = new Set<LongAnswer>()
  /** Questions to an engine elsewhere that it has not answered yet. */
  #asking = 0
  #timer: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many answers are watched. */
  get size(): number {
    return this.#answers.size
  }

  /** Who decides from now on; undefined when nobody does any more: then nothing is cut. */
  use(deciding: Deciding): void {
    this.#deciding = deciding
    this.#changedMs = this.#clock.now()
    this.#askAll(this.#changedMs)
  }

  /** Watches an answer until the function is called. */
  add(exchange: WatchedRequest, cut: CutAnswer): () => void {
    const { plan, caller } = exchange
    const answer: LongAnswer = { exchange, cut, guard: plan.guard, caller, unsureMs: undefined }
    this.#answers.add(answer)
    // What it was allowed by may have changed before its first byte came.
    if (exchange.inbound.startedMs <= this.#changedMs) this.#ask([answer])
    return () => this.#answers.delete(answer)
  }

  /**
   * Entities or policies have changed: everything is asked again, as soon as this turn is over. Changes that follow within a second
   * are seen by the next `tick`: a busy feed of entities costs no more questions than a quiet one.
   */
  changed(): void {
    const nowMs = this.#clock.now()
    this.#changedMs = nowMs
    if (this.#answers.size === 0 || nowMs - this.#roundMs < LEAST_BETWEEN_MS) return
    this.#roundMs = nowMs
    this.#askAll(nowMs)
  }

  /** Once a second: ends what has ended, and looks whether anything has changed that nobody told of. */
  tick(): void {
    const authorization = this.authorization
    if (authorization?.isEnforced !== true || this.#answers.size === 0) return
    const nowMs = this.#clock.now()
    const epochMs = authorization.epochMs()
    const graceMs = authorization.remote?.graceMs ?? Infinity
    for (const answer of this.#answers) {
      const { caller, unsureMs } = answer
      if (caller !== undefined && caller.expiresMs <= epochMs)
        this.#cut(answer, 'the token has ended while the answer was under way', nowMs)
      else if (unsureMs === undefined) continue
      else if (nowMs - unsureMs >= graceMs) this.#cut(answer, UNSURE, nowMs)
      else this.#due.add(answer)
    }
    this.#ask([])
    if (authorization.state !== this.#state) {
      this.#changedMs = nowMs
      this.#askAll(nowMs)
    } else if (nowMs - this.#allMs >= ALL_EVERY_MS) {
      this.#askAll(nowMs)
    } else if (nowMs - this.#timedMs >= TIMED_EVERY_MS) {
      this.#timedMs = nowMs
      this.#ask([...this.#answers].filter(({ guard }) => guard?.isTimed))
    }
  }

  /** Who decides now; undefined when nobody does. */
  get authorization(): Authorization | undefined {
    return this.#deciding?.authorization
  }

  stop(): void {
    this.#timer?.cancel()
    this.#answers.clear()
    this.#due.clear()
  }

  #askAll(nowMs: number): void {
    this.#state = this.authorization?.state ?? ''
    this.#allMs = nowMs
    this.#timedMs = nowMs
    this.#ask(this.#answers)
  }

  #ask(answers: Iterable<LongAnswer>): void {
    const isElsewhere = this.authorization?.remote !== undefined
    for (const answer of answers) {
      this.#due.add(answer)
      // The wait for its turn counts, and that for an answer that never comes.
      if (isElsewhere) answer.unsureMs ??= this.#clock.now()
    }
    if (this.#due.size > 0) this.#timer ??= this.#clock.schedule(0, () => this.#askSome())
  }

  #askSome(): void {
    this.#timer = undefined
    const authorization = this.authorization
    const maxAsking = authorization?.remote?.maxAskedAgain ?? Infinity
    let left = MAX_AT_ONCE
    for (const answer of this.#due) {
      // Goes on with the next answer of the engine.
      if (this.#asking >= maxAsking) return
      if (left-- === 0) break
      this.#due.delete(answer)
      if (!this.#answers.has(answer) || authorization === undefined) continue
      const ended = (why: string): void => this.#cut(answer, why, this.#clock.now())
      answer.guard = this.#guardOf(answer.exchange)
      const isAllowed = answer.guard?.allowsStill(answer, authorization, ended) ?? !authorization.isEnforced
      if (typeof isAllowed !== 'boolean') void this.#conclude(answer, isAllowed)
      else if (isAllowed) answer.unsureMs = undefined
      else ended(WITHDRAWN)
    }
    if (this.#due.size > 0) this.#timer = this.#clock.schedule(1, () => this.#askSome())
  }

  /** What would be asked if the request came now; where no route takes it any more, what was asked when it came. */
  #guardOf({ plan, path, inbound }: WatchedRequest): RouteGuard | undefined {
    const { method, authority, fields } = inbound.request
    const routed = this.#deciding?.router.route(method, path, authority, fields)
    return routed?.kind === 'found' ? routed.plan.guard : plan.guard
  }

  async #conclude(answer: LongAnswer, asked: Promise<boolean | undefined>): Promise<void> {
    this.#asking += 1
    try {
      const isAllowed = await asked
      if (isAllowed === false) this.#cut(answer, WITHDRAWN, this.#clock.now())
      else if (isAllowed === true) answer.unsureMs = undefined
    } finally {
      this.#asking -= 1
      this.#ask([])
    }
  }

  #cut(answer: LongAnswer, why: string, nowMs: number): void {
    if (this.#answers.delete(answer)) answer.cut(refuse(errors.BW_GATEWAY_ACCESS_ENDED, why), nowMs)
  }
}
