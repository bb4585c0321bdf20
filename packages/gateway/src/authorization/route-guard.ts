import type { AuthzRequest, Decision, UidInput, ValueInput } from '@breakwater/authz'
import { accessOf } from '@breakwater/contract'
import type { RouteConfig } from '@breakwater/contract'
import type { FieldList } from '@breakwater/http'
import { refuse } from '../answer/refusal.ts'
import type { Refusal } from '../answer/refusal.ts'
import { errors } from '../errors.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Authorization } from './authorization.ts'
import { identify } from './caller.ts'
import type { Caller } from './caller.ts'
import { stripClaims, writeCaller } from './identity-fields.ts'
import { ACTION_TYPE } from './policy-point.ts'
import { resourceIdOf } from './resource-id.ts'
import type { ReadResourceId } from './resource-id.ts'

/** What became of the question of one request; `refusal` is what enforcement makes of it. */
export interface Finding {
  readonly refusal: Refusal | undefined
  readonly caller: Caller | undefined
  /** What was asked; undefined when it did not come to that. */
  readonly request: AuthzRequest | undefined
  readonly decision: Decision | undefined
  /** Obligations that the upstream has to carry out, for its field. */
  readonly obligations: string | undefined
}

const OPEN: Finding = {
  refusal: undefined,
  caller: undefined,
  request: undefined,
  decision: undefined,
  obligations: undefined,
}

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
  readonly #resourceId: ReadResourceId
  readonly #forwarded: ReadonlySet<string>

  constructor(authorization: Authorization, route: RouteConfig) {
    this.#authorization = authorization
    this.#route = route
    this.#resourceId = resourceIdOf(route.authorize?.resource.id ?? '', route.match.path)
    this.#forwarded = new Set(route.authorize?.obligations)
  }

  /** Decides, writes down, and says what is to be done. Never throws: what fails is a deny. */
  admit(exchange: Exchange): Refusal | undefined {
    const { isEnforced } = this.#authorization
    let finding: Finding
    try {
      finding = this.#examine(exchange)
    } catch (cause) {
      finding = { ...OPEN, refusal: this.#authorization.failed(cause) }
    }
    exchange.caller = finding.caller
    exchange.obligations = finding.obligations
    if (finding.refusal !== undefined) exchange.plan.meters.denied.inc()
    const refusal = isEnforced ? finding.refusal : undefined
    this.#authorization.record(exchange, finding, refusal === undefined)
    return refusal
  }

  /** The fields of the request as the upstream gets them: claims from outside go, verified ones are added. */
  writeFields(fields: FieldList, exchange: Exchange): void {
    stripClaims(fields, this.#authorization.strippedFields)
    if (exchange.caller !== undefined) writeCaller(fields, exchange.caller, exchange.obligations)
  }

  #examine(exchange: Exchange): Finding {
    const { request } = exchange.inbound
    const access = accessOf(this.#route, request.method)
    const rival = this.#authorization.spelling?.rival(request, exchange.path, exchange.plan)
    if (rival !== undefined && !this.#bothPublic(rival.config, request.method)) {
      const detail = `this spelling of the path may be read as one of the route ${rival.name}`
      return { ...OPEN, refusal: refuse(errors.BW_GATEWAY_PATH_AMBIGUOUS, detail) }
    }
    if (access.kind === 'public') return OPEN
    const { authorize } = this.#route
    if (access.kind === 'undeclared' || authorize === undefined) {
      const refusal = refuse(errors.BW_GATEWAY_METHOD_NOT_ALLOWED, `${request.method} is not allowed here`)
      return { ...OPEN, refusal: { ...refusal, allow: this.#declaredMethods() } }
    }
    const identified = identify(request.fields, this.#authorization.identity, this.#authorization.epochMs())
    if (!identified.ok)
      return { ...OPEN, refusal: refuse(errors.BW_GATEWAY_UNAUTHENTICATED, identified.error) }
    return this.#decide(exchange, authorize, access.action, identified.value)
  }

  #decide(exchange: Exchange, authorize: Authorize, action: string, caller: Caller): Finding {
    const id = this.#resourceId(exchange.path, caller)
    if (id === undefined) return { ...OPEN, caller, refusal: this.#missing(authorize) }
    const question = this.#question(
      exchange,
      authorize,
      action,
      { type: authorize.resource.type, id },
      caller,
    )
    const asked = { ...OPEN, caller, request: question.request }
    const { tenantName } = exchange
    if (tenantName !== '' && tenantName !== caller.tenant) {
      const detail = 'the tenant that is named is not that of the token'
      return { ...asked, refusal: refuse(errors.BW_GATEWAY_TENANT_MISMATCH, detail) }
    }
    if (question.missing !== undefined) {
      const detail = `the token holds no ${question.missing}`
      return { ...asked, refusal: refuse(errors.BW_GATEWAY_CLAIM_MISSING, detail) }
    }
    const decision = this.#authorization.decide(question.request)
    const found = { ...asked, decision }
    if (decision.decision !== 'allow') return { ...found, refusal: this.#denied(decision, authorize) }
    return { ...found, ...this.#oblige(decision) }
  }

  /** The request for the decision point, and the claim that it would need and the token does not hold. */
  #question(
    exchange: Exchange,
    { context: facts }: Authorize,
    action: string,
    resource: UidInput,
    caller: Caller,
  ): { readonly request: AuthzRequest; readonly missing: string | undefined } {
    const { userType, workloadType, tenantType } = this.#authorization.types
    const workload = { type: workloadType, id: caller.workload }
    const context: Record<string, ValueInput> = {}
    let missing: string | undefined
    for (const fact of facts) {
      switch (fact) {
        case 'workload':
          context['workload'] = { __entity: workload }
          break
        case 'tenant':
          if (caller.tenant === undefined) missing = 'tenant'
          else context['tenant'] = { __entity: { type: tenantType, id: caller.tenant } }
          break
        case 'now':
          context['now'] = extension('datetime', new Date(this.#authorization.epochMs()).toISOString())
          break
        case 'method':
          context['method'] = exchange.inbound.request.method
          break
        case 'clientAddress':
          context['clientAddress'] = extension('ip', exchange.clientAddress)
          break
      }
    }
    const principal = caller.user === undefined ? workload : { type: userType, id: caller.user }
    return { request: { principal, action: { type: ACTION_TYPE, id: action }, resource, context }, missing }
  }

  #denied({ failure }: Decision, authorize: Authorize): Refusal {
    // What is wrong with us is told as such; it does not depend on the object.
    const { fault, status } = failure?.spec ?? {}
    if (failure !== undefined && (fault === 'breakwater' || status === 503))
      return { code: failure.code, spec: failure.spec, detail: 'no decision can be made at the moment' }
    return this.#missing(authorize)
  }

  /** One answer for what is forbidden and, where the route hides it, the same one for what does not exist. */
  #missing({ notFound }: Authorize): Refusal {
    return notFound
      ? refuse(errors.BW_GATEWAY_OBJECT_NOT_FOUND, 'there is no such object for you')
      : refuse(errors.BW_GATEWAY_FORBIDDEN, 'this is not allowed to you')
  }

  #oblige({ obligations }: Decision): Pick<Finding, 'refusal' | 'obligations'> {
    const forwarded: string[] = []
    for (const { name, value } of obligations) {
      if (name === 'alarm') this.#authorization.alarm(value, this.#route.name)
      else if (this.#forwarded.has(name)) forwarded.push(`${name}=${encodeURIComponent(value)}`)
      else {
        const detail = `nobody here carries out the obligation ${name}`
        return { refusal: refuse(errors.BW_GATEWAY_OBLIGATION_UNKNOWN, detail), obligations: undefined }
      }
    }
    return { refusal: undefined, obligations: forwarded.length === 0 ? undefined : forwarded.join(', ') }
  }

  #bothPublic(rival: RouteConfig, method: string): boolean {
    return accessOf(this.#route, method).kind === 'public' && accessOf(rival, method).kind === 'public'
  }

  #declaredMethods(): string {
    const { authorize, public: open } = this.#route
    const listed = typeof open === 'boolean' ? [] : open
    return [...new Set([...Object.keys(authorize?.action ?? {}), ...listed])].join(', ')
  }
}

function extension(fn: string, arg: string): ValueInput {
  return { __extn: { fn, arg } }
}
