import type { IncomingHttpHeaders } from 'node:http'
import { guard, isRefused } from '@breakwater/authz/guard'
import type {
  Checked,
  Guard,
  GuardOptions,
  ListGuard,
  Refused,
  VisibleRows,
  Who,
} from '@breakwater/authz/guard'
import type { Caller } from '@breakwater/gateway/identity'
import type { z } from 'zod'
import { tenants } from '../domain.ts'
import type { Tenant } from '../domain.ts'
import { traceIdOf } from './context.ts'
import type { CallContext } from './context.ts'
import { whoOf } from './decisions.ts'
import type { CallDecisions, Decisions } from './decisions.ts'
import { errors } from './errors.ts'
import type { Listed } from './listed.ts'
import type { Answer, ServiceRequest, ServiceRoute } from './service.ts'

/** What a guarded handler knows beside its checked object: who asks, and no id to look up another object by. */
export interface GuardedCall<Body> {
  readonly context: CallContext
  readonly headers: IncomingHttpHeaders
  readonly query: URLSearchParams
  readonly body: Body
  readonly caller: Caller
  readonly who: Who
  /** The tenant of the token. */
  readonly tenant: string
}

interface Place<Body> {
  readonly method: ServiceRoute['method']
  readonly path: string
  /** Left out: there is none. Read and checked before the policies are asked, for what they have to know of it. */
  readonly body?: z.ZodType<Body>
}

type Handler<Thing, Body> = (thing: Thing, call: GuardedCall<Body>) => Answer | Promise<Answer>

/**
 * The routes of a service. There is no way to add one whose handler runs unchecked but to call it open; the types refuse any other.
 */
export class Routes {
  readonly all: ServiceRoute[] = []
  readonly #decisions: Decisions

  constructor(decisions: Decisions) {
    this.#decisions = decisions
  }

  /**
   * About the object whose id stands for `{id}` in the path: the handler gets the one that was checked. The guard may be made for each
   * call, where what it loads depends on the call.
   */
  object<Loaded extends object, Body = undefined>(
    place: Place<Body> & {
      readonly guard: Guard<Loaded> | ((call: GuardedCall<Body>) => Guard<Loaded>)
      readonly what: string
    },
    handler: Handler<Checked<Loaded>, Body>,
  ): this {
    return this.#add(place, async (call, decisions, { params }) => {
      const { who, body } = call
      const check = typeof place.guard === 'function' ? place.guard(call) : place.guard
      const object = await check.check(decisions, { who, id: params['id'] ?? '', body })
      if (isRefused(object)) return refuse(object, place.what)
      await decisions.written()
      return handler(object, call)
    })
  }

  /** About the tenant as a whole, the one of the token. */
  tenant<Body = undefined>(
    place: Place<Body> & { readonly action: string; readonly facts?: GuardOptions<Tenant>['facts'] },
    handler: Handler<Checked<Tenant>, Body>,
  ): this {
    return this.#tenant(place, (tenant, call) => handler(tenant, call))
  }

  #tenant<Body>(
    place: Place<Body> & { readonly action: string; readonly facts?: GuardOptions<Tenant>['facts'] },
    run: (
      tenant: Checked<Tenant>,
      call: GuardedCall<Body>,
      decisions: CallDecisions,
    ) => Answer | Promise<Answer>,
  ): this {
    const { action, facts } = place
    const options = { action, type: 'Tenant', hides: false, ...(facts !== undefined && { facts }) }
    const check = guard<Tenant>(options, (id) => tenants.find((tenant) => tenant.id === id))
    return this.#add(place, async (call, decisions) => {
      const { who, body, tenant } = call
      const checked = await check.check(decisions, { who, id: tenant, body })
      if (isRefused(checked)) return refuse(checked, 'tenant')
      await decisions.written()
      return run(checked, call, decisions)
    })
  }

  /**
   * Objects of one kind. The condition on what may be seen goes into the query; what it finds is checked once more, one by one, and
   * comes out as the policies oblige, with fields masked.
   */
  list<Loaded extends { readonly id: string }>(
    place: Place<undefined> & { readonly guard: ListGuard; readonly each: GuardOptions<Loaded> },
    find: (rows: VisibleRows, call: GuardedCall<undefined>) => Listed<Loaded>,
    answer: (objects: readonly Checked<Loaded>[], total: number) => Answer,
  ): this {
    return this.#add(place, async (call, decisions) => {
      const visible = place.guard.check(decisions, call.who)
      if (isRefused(visible)) return refuse(visible, 'list')
      const { rows, total } = find(visible, call)
      const found = new Map(rows.map((object) => [object.id, object]))
      const each = guard<Loaded>(place.each, (id) => found.get(id))
      const checked: Checked<Loaded>[] = []
      for (const id of found.keys()) {
        const object = await each.check(decisions, { who: call.who, id })
        if (!isRefused(object)) checked.push(object)
      }
      await decisions.written()
      return answer(checked, total)
    })
  }

  /** A number about objects: counted with the same condition as they are listed. */
  count(
    place: Place<undefined> & { readonly guard: ListGuard; readonly action: string },
    handler: Handler<VisibleRows, undefined>,
  ): this {
    const { action, guard: list, ...rest } = place
    return this.#tenant({ ...rest, action }, (_tenant, call, decisions) => {
      const rows = list.check(decisions, call.who)
      return isRefused(rows) ? refuse(rows, 'list') : handler(rows, call)
    })
  }

  #add<Body>(
    { method, path, body: schema }: Place<Body>,
    run: (call: GuardedCall<Body>, decisions: CallDecisions, request: ServiceRequest) => Promise<Answer>,
  ): this {
    const handle = async (request: ServiceRequest): Promise<Answer> => {
      const { context, headers, query } = request
      const { caller } = context
      if (caller === undefined) throw errors.SHOP_UNAUTHENTICATED('no token was sent')
      const { tenant } = caller
      if (tenant === undefined) throw errors.SHOP_TENANT_MISSING('the token names no tenant')
      const body = (schema === undefined ? undefined : await request.body(schema)) as Body
      const call = { context, headers, query, body, caller, who: whoOf(caller), tenant }
      return run(call, this.#decisions.forCall(traceIdOf(context)), request)
    }
    this.all.push({ method, path, body: schema, handle } as ServiceRoute)
    return this
  }
}

/** A route that everybody may use, because there is nothing of anybody behind it. */
export function openRoute(
  method: ServiceRoute['method'],
  path: string,
  handle: (request: ServiceRequest) => Answer | Promise<Answer>,
): ServiceRoute {
  return { method, path, body: undefined, handle } as ServiceRoute
}

/** A refusal in the shop's words. What is hidden and what is not there read the same. */
function refuse({ status }: Refused, what: string): never {
  if (status === 404) throw errors.SHOP_NOT_FOUND(`there is no such ${what}`)
  if (status >= 500) throw errors.SHOP_DECISION_FAILED('no decision can be made at the moment')
  throw errors.SHOP_FORBIDDEN('this is not allowed to you')
}
