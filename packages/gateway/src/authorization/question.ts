import type { AuthzRequest, ValueInput } from '@breakwater/authz'
import { KnownUid } from '@breakwater/authz/operate'
import { accessOf } from '@breakwater/contract'
import type { RouteConfig } from '@breakwater/contract'
import type { Caller } from './caller.ts'
import { OF_TENANT, OF_WORKLOAD } from './known-callers.ts'
import type { KnownCaller } from './known-callers.ts'
import { ACTION_TYPE } from './required-routes.ts'
import { resourceIdOf } from './resource-id.ts'
import type { ReadResourceId } from './resource-id.ts'

/** What a route asks of a method. */
export type MethodRule = 'public' | 'undeclared' | KnownUid

type Authorize = NonNullable<RouteConfig['authorize']>
type Fact = Authorize['context'][number]

const STANDARD = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** What of a request may be told of it besides its path and its caller. */
export interface AskedRequest {
  readonly inbound: { readonly request: { readonly method: string } }
  readonly clientAddress: string
}

/** The questions of one route, as far as they are known before a request comes. */
export class Question {
  readonly #route: RouteConfig
  readonly #type: string
  readonly #resourceId: ReadResourceId
  readonly #rules = new Map<string, MethodRule>()
  readonly #actions = new Map<string, KnownUid>()
  #lastMethod = ''
  #lastRule: MethodRule = 'undeclared'
  /** What is told of the caller: the same for all its requests. */
  readonly #ofCaller: number
  /** What is told of this very request. */
  readonly #ofRequest: readonly Fact[]

  constructor(route: RouteConfig) {
    const { authorize, public: open } = route
    const context = authorize?.context ?? []
    this.#route = route
    this.#type = authorize?.resource.type ?? ''
    this.#resourceId = resourceIdOf(authorize?.resource.id ?? '', route.match.path)
    this.#ofCaller =
      (context.includes('workload') ? OF_WORKLOAD : 0) | (context.includes('tenant') ? OF_TENANT : 0)
    this.#ofRequest = context.filter((fact) => fact !== 'workload' && fact !== 'tenant')
    const named = [...Object.keys(authorize?.action ?? {}), ...(typeof open === 'boolean' ? [] : open)]
    for (const method of new Set([...STANDARD, ...named])) this.#rules.set(method, this.#ruleOf(method))
  }

  /** What the route declares for a method. Most requests of a route have the method of the one before. */
  rule(method: string): MethodRule {
    if (method === this.#lastMethod) return this.#lastRule
    this.#lastRule = this.#rules.get(method) ?? this.#ruleOf(method)
    this.#lastMethod = method
    return this.#lastRule
  }

  /** Whether the time of day is part of the question, so that its answer may change by itself. */
  get isTimed(): boolean {
    return this.#ofRequest.includes('now')
  }

  /** The id of the object that is asked for; undefined when the path holds none that can be one. */
  resourceId(path: string, caller: Caller): string | undefined {
    return this.#resourceId(path, caller)
  }

  /** The claim that the policies would be told and the tokens do not hold. */
  missing(caller: Caller): 'tenant' | undefined {
    return (this.#ofCaller & OF_TENANT) !== 0 && caller.tenant === undefined ? 'tenant' : undefined
  }

  /** The request for the decision point. `epochMs`: milliseconds since 1970, read only when they are asked for. */
  ask(
    exchange: AskedRequest,
    caller: KnownCaller,
    action: KnownUid,
    id: string,
    epochMs: () => number,
  ): AuthzRequest {
    const known = caller.context(this.#ofCaller)
    const context =
      this.#ofRequest.length === 0 ? known : Object.assign(this.#facts(exchange, epochMs), known)
    return { principal: caller.principal, action, resource: new KnownUid(this.#type, id), context }
  }

  #facts(exchange: AskedRequest, epochMs: () => number): Record<string, ValueInput> {
    const facts: Record<string, ValueInput> = {}
    for (const fact of this.#ofRequest) {
      if (fact === 'now') facts['now'] = extension('datetime', isoTime(epochMs()))
      else if (fact === 'method') facts['method'] = exchange.inbound.request.method
      else facts['clientAddress'] = extension('ip', exchange.clientAddress)
    }
    return facts
  }

  #ruleOf(method: string): MethodRule {
    const access = accessOf(this.#route, method)
    if (access.kind === 'public') return 'public'
    if (access.kind === 'undeclared' || this.#route.authorize === undefined) return 'undeclared'
    let action = this.#actions.get(access.action)
    if (action === undefined)
      this.#actions.set(access.action, (action = new KnownUid(ACTION_TYPE, access.action)))
    return action
  }
}

function extension(fn: string, arg: string): ValueInput {
  return { __extn: { fn, arg } }
}

let isoMs = Number.NaN
let iso = ''

/** Requests of one millisecond share the text. */
function isoTime(nowMs: number): string {
  if (nowMs !== isoMs) {
    isoMs = nowMs
    iso = new Date(nowMs).toISOString()
  }
  return iso
}
