import type { AuthzRequest } from '@breakwater/authz'
import type { KnownUid } from '@breakwater/authz/operate'
import { accessOf } from '@breakwater/contract'
import type { RouteConfig } from '@breakwater/contract'
import type { FieldList } from '@breakwater/http'
import { refuse } from '../answer/refusal.ts'
import type { Refusal } from '../answer/refusal.ts'
import { errors } from '../errors.ts'
import type { Authorization } from './authorization.ts'
import type { MadeDecision } from './decision-point.ts'
import type { Finding } from './finding.ts'
import type { GivenAnswer, GuardedRequest } from './guarded-request.ts'
import { isReadAs, writeCaller } from './identity-fields.ts'
import type { KnownCaller } from './known-callers.ts'
import { Question } from './question.ts'
import type { MethodRule } from './question.ts'
import { AnswerRules } from './redaction/answer-rules.ts'
import { Redaction } from './redaction/redaction.ts'
import type { RemotePoint } from './remote-point.ts'

const OPEN: Finding = { refusal: undefined, request: undefined, decision: undefined }

type Authorize = NonNullable<RouteConfig['authorize']>

/**
 * What a route asks before anything is spent on a request.
 * - action-check: what the route declares for the method;
 * - object-check: whether it may be done to that very object;
 * - workload-check: and through that process;
 * - fail-closed: what cannot be decided is a deny.
 */
export class RouteGuard {
  readonly #authorization: Authorization
  readonly #route: RouteConfig
  readonly #question: Question
  readonly #forwarded: ReadonlySet<string>
  readonly #answer: AnswerRules | undefined

  constructor(authorization: Authorization, route: RouteConfig) {
    this.#authorization = authorization
    this.#route = route
    this.#question = new Question(route)
    this.#forwarded = new Set(route.authorize?.obligations)
    const answer = route.authorize?.answer
    this.#answer = answer === undefined ? undefined : new AnswerRules(authorization, route, answer)
  }

  /**
   * Finds out who asks, where the route has to know: limits count by what is verified, and so they come between this and
   * `admit`. Never throws: what fails is a deny.
   */
  identify(exchange: GuardedRequest): Refusal | undefined {
    const rule = this.#question.rule(exchange.inbound.request.method)
    if (rule === 'public') return undefined
    let refusal: Refusal | undefined
    try {
      refusal = this.#identify(exchange, rule)
    } catch (cause) {
      refusal = this.#authorization.failed(cause)
    }
    return refusal === undefined ? undefined : this.#settle(exchange, refused(refusal))
  }

  /** Decides, writes down, and says what is to be done. Never throws: what fails is a deny. */
  admit(exchange: GuardedRequest): Refusal | undefined {
    const rule = this.#question.rule(exchange.inbound.request.method)
    let finding: Finding | undefined
    try {
      if (rule === 'public') finding = this.#open(exchange)
      // In dark mode a request goes on although it is not known who sent it: that is on record already.
      else if (rule === 'undeclared' || exchange.caller === undefined) return undefined
      else finding = this.#decide(exchange, rule, exchange.caller)
    } catch (cause) {
      finding = refused(this.#authorization.failed(cause))
    }
    return finding === undefined ? undefined : this.#settle(exchange, finding)
  }

  /** The fields of the request as the upstream gets them: claims from outside go (strip-claims), verified ones are added. */
  writeFields(fields: FieldList, exchange: GuardedRequest): void {
    this.#authorization.claims.strip(fields)
    if (exchange.caller !== undefined) writeCaller(fields, exchange.caller, exchange.obligations)
    exchange.redaction?.writeFields(fields)
  }

  /** Whether the time of day is part of the question. */
  get isTimed(): boolean {
    return this.#question.isTimed
  }

  /**
   * Whether an answer under way would still be given, by who decides now. A promise, which never rejects, where that is an engine
   * elsewhere: undefined when that cannot be asked. `ended` is called when the decision turns out not to be on record.
   */
  allowsStill(
    answer: GivenAnswer,
    current: Authorization,
    ended: (why: string) => void,
  ): boolean | Promise<boolean | undefined> {
    if (!current.isEnforced) return true
    const { exchange } = answer
    const { obligations, redaction } = exchange
    const conclude = (finding: Finding): boolean => {
      current.recordAgain(exchange, finding).catch(() => ended('a decision could not be written down'))
      // The upstream was told what to do at the beginning, and does that.
      const { redaction: now } = exchange
      const isSame =
        exchange.obligations === obligations &&
        now?.mask === redaction?.mask &&
        (now === undefined) === (redaction === undefined)
      return finding.refusal === undefined && isSame
    }
    try {
      const asked = this.#askAgain(answer, current)
      if (asked === OPEN) return true
      if ('refusal' in asked) return conclude(asked)
      const decided = (decision: MadeDecision): boolean => {
        exchange.obligations = undefined
        return conclude(this.#conclude(exchange, asked, decision))
      }
      const { remote } = current
      if (remote === undefined) return decided(current.decide(asked))
      return remote
        .ask(asked)
        .then((decision) => {
          if (decision.failure === undefined) return decided(decision)
          current.failed(decision.failure)
          return undefined
        })
        .catch(() => false)
    } catch (cause) {
      current.failed(cause)
      return false
    }
  }

  /** What was asked when the answer began, or would have been if its route had been as it is. */
  #askAgain(answer: GivenAnswer, { callers, epochMs }: Authorization): AuthzRequest | Finding {
    const { exchange } = answer
    const { method, fields } = exchange.inbound.request
    const rule = this.#question.rule(method)
    if (rule === 'public') {
      answer.caller = undefined
      return this.#open(exchange)
    }
    const shut = this.#shut(exchange, rule)
    if (shut !== undefined || rule === 'undeclared') return refused(shut ?? this.#missing(undefined))
    const caller = answer.caller ?? callers.find(fields, epochMs())
    if (typeof caller === 'string') return refused(refuse(errors.BW_GATEWAY_UNAUTHENTICATED, caller))
    answer.caller = caller
    return this.#ask(exchange, rule, caller)
  }

  #settle(exchange: GuardedRequest, finding: Finding): Refusal | undefined {
    const { isEnforced, log } = this.#authorization
    if (finding.refusal !== undefined) exchange.plan.meters.denied.inc()
    const refusal = isEnforced ? finding.refusal : undefined
    if (log !== undefined) this.#authorization.record(exchange, finding, refusal === undefined)
    return refusal
  }

  #open(exchange: GuardedRequest): Finding {
    const rival = this.#rival(exchange)
    if (rival === undefined || accessOf(rival, exchange.inbound.request.method).kind === 'public') return OPEN
    return refused(ambiguous(rival))
  }

  #identify(exchange: GuardedRequest, rule: 'undeclared' | KnownUid): Refusal | undefined {
    const shut = this.#shut(exchange, rule)
    if (shut !== undefined) return shut
    const { callers, epochMs } = this.#authorization
    const caller = callers.find(exchange.inbound.request.fields, epochMs())
    if (typeof caller === 'string') return refuse(errors.BW_GATEWAY_UNAUTHENTICATED, caller)
    exchange.caller = caller
    if (caller.tenant !== undefined) exchange.tenantName = caller.tenant
    return undefined
  }

  /** Why nobody comes in this way, whoever asks. */
  #shut(exchange: GuardedRequest, rule: MethodRule): Refusal | undefined {
    const rival = this.#rival(exchange)
    if (rival !== undefined) return ambiguous(rival)
    if (rule !== 'undeclared') return undefined
    const { method } = exchange.inbound.request
    const refusal = refuse(errors.BW_GATEWAY_METHOD_NOT_ALLOWED, `${method} is not allowed here`)
    return { ...refusal, allow: this.#declaredMethods() }
  }

  /** Undefined when the decision is made elsewhere: the request waits for it. */
  #decide(exchange: GuardedRequest, action: KnownUid, caller: KnownCaller): Finding | undefined {
    const asked = this.#ask(exchange, action, caller)
    if ('refusal' in asked) return asked
    const { remote } = this.#authorization
    if (remote !== undefined) return this.#decideElsewhere(exchange, asked, remote)
    return this.#conclude(exchange, asked, this.#authorization.decide(asked))
  }

  /** The question, or why it is not asked. */
  #ask(exchange: GuardedRequest, action: KnownUid, caller: KnownCaller): AuthzRequest | Finding {
    const { authorize, tenant } = this.#route
    const id = this.#question.resourceId(exchange.path, caller)
    if (id === undefined) return refused(this.#missing(authorize))
    const request = this.#question.ask(exchange, caller, action, id, this.#authorization.epochMs)
    const refusal = tenantRefusal(exchange, tenant?.header, caller) ?? this.#claimRefusal(caller)
    return refusal === undefined ? request : { refusal, request, decision: undefined }
  }

  #decideElsewhere(exchange: GuardedRequest, request: AuthzRequest, remote: RemotePoint): undefined {
    const gone = new AbortController()
    const verdict = exchange.waitAtDoor(() => gone.abort())
    remote
      .ask(request, gone.signal)
      .then((decision) => {
        // Who leaves, or leaves no time, says nothing about the engine.
        const isEnginesFault = !gone.signal.aborted || (isOverdue(exchange) && !exchange.isCallersDeadline)
        if (decision.failure !== undefined && isEnginesFault) this.#authorization.failed(decision.failure)
        verdict(this.#settle(exchange, this.#conclude(exchange, request, decision)))
      })
      .catch((cause: unknown) => verdict(this.#authorization.failed(cause)))
  }

  #conclude(exchange: GuardedRequest, request: AuthzRequest, decision: MadeDecision): Finding {
    if (decision.decision !== 'allow')
      return { refusal: this.#denied(decision, this.#route.authorize), request, decision }
    return { refusal: this.#oblige(exchange, request, decision), request, decision }
  }

  #rival(exchange: GuardedRequest): RouteConfig | undefined {
    return this.#authorization.spelling.rival(exchange.inbound.request, exchange.path, this.#route)
  }

  #claimRefusal(caller: KnownCaller): Refusal | undefined {
    const missing = this.#question.missing(caller)
    return missing === undefined
      ? undefined
      : refuse(errors.BW_GATEWAY_CLAIM_MISSING, `the token holds no ${missing}`)
  }

  #denied({ failure }: MadeDecision, authorize: Authorize | undefined): Refusal {
    // What is wrong with us, or with the engine, is told as such; it does not depend on the object.
    const { fault, status } = failure?.spec ?? {}
    if (failure !== undefined && (fault === 'breakwater' || fault === 'upstream' || status === 503))
      return { code: failure.code, spec: failure.spec, detail: 'no decision can be made at the moment' }
    return this.#missing(authorize)
  }

  /** One answer for what is forbidden and, where the route hides it, the same one for what does not exist. */
  #missing(authorize: Authorize | undefined): Refusal {
    return authorize?.notFound === true
      ? refuse(errors.BW_GATEWAY_OBJECT_NOT_FOUND, 'there is no such object for you')
      : refuse(errors.BW_GATEWAY_FORBIDDEN, 'this is not allowed to you')
  }

  #oblige(exchange: GuardedRequest, asked: AuthzRequest, { obligations }: MadeDecision): Refusal | undefined {
    let forwarded = ''
    let mask: string | undefined
    for (const { name, value } of obligations) {
      if (name === 'alarm') this.#authorization.alarm(value, this.#route.name)
      else if (name === 'mask' && this.#answer !== undefined)
        mask = mask === undefined ? value : `${mask},${value}`
      else if (this.#forwarded.has(name))
        forwarded += `${forwarded === '' ? '' : ', '}${name}=${encodeURIComponent(value)}`
      else {
        const detail = `nobody here carries out the obligation ${name}`
        return refuse(errors.BW_GATEWAY_OBLIGATION_UNKNOWN, detail)
      }
    }
    if (forwarded !== '') exchange.obligations = forwarded
    exchange.redaction = this.#redaction(exchange, asked, mask)
    return undefined
  }

  /** Undefined when the answer may be given as it comes. `mask`: the fields, joined by commas. */
  #redaction(exchange: GuardedRequest, asked: AuthzRequest, mask: string | undefined): Redaction | undefined {
    const rules = this.#answer
    if (rules === undefined || !this.#authorization.isEnforced) return undefined
    return mask === undefined && !rules.hasRows ? undefined : new Redaction(rules, exchange, asked, mask)
  }

  #declaredMethods(): string {
    const { authorize, public: open } = this.#route
    const listed = typeof open === 'boolean' ? [] : open
    return [...new Set([...Object.keys(authorize?.action ?? {}), ...listed])].join(', ')
  }
}

function isOverdue({ listener, deadlineMs }: GuardedRequest): boolean {
  return listener.runtime.driver.clock.now() >= deadlineMs
}

function refused(refusal: Refusal): Finding {
  return { refusal, request: undefined, decision: undefined }
}

function ambiguous(rival: RouteConfig): Refusal {
  const detail = `this spelling of the path may be read as one of the route ${rival.name}`
  return refuse(errors.BW_GATEWAY_PATH_AMBIGUOUS, detail)
}

/** A request that names a tenant must name that of its token, wherever it names one: nobody knows which field is read behind. */
function tenantRefusal(
  { inbound }: GuardedRequest,
  tenantHeader: string | undefined,
  caller: KnownCaller,
): Refusal | undefined {
  if (tenantHeader === undefined) return undefined
  const { flat } = inbound.request.fields
  for (let at = 0; at < flat.length; at += 2) {
    const named = flat[at + 1] ?? ''
    if (named === '' || named === caller.tenant || !isReadAs(flat[at] ?? '', tenantHeader)) continue
    return refuse(errors.BW_GATEWAY_TENANT_MISMATCH, 'the tenant that is named is not that of the token')
  }
  return undefined
}
