import type { AuthzRequest } from '../engine/request.ts'
import type { Decision } from '../engine/decision.ts'
import type { EntityInput, UidInput, ValueInput } from '../entities/read-entities.ts'
import { obey } from './obligations.ts'
import { isRefused, refusedWith, type Refused } from './refused.ts'

/** Who asks, as the enforcement point in front has verified it. Never from a body. */
export interface Who {
  readonly principal: UidInput
  /** What the policies are told besides: workload, tenant, time. */
  readonly context: { readonly [name: string]: ValueInput }
}

/** Decides; an `Authorizer` or a `Replayer` is one. */
export interface Decider {
  decide(request: AuthzRequest): Decision
}

declare const CHECKED: unique symbol
/** An object on which the guard has decided. Nobody but a guard can make one. */
export type Checked<T> = T & { readonly [CHECKED]: 'by a guard' }

export interface GuardOptions<Loaded extends object> {
  /** Name of the action. */
  readonly action: string
  /** Entity type of the object. */
  readonly type: string
  /** The object as the policies see it: its attributes and parents. Left out: the one of its id that the store of entities holds. */
  readonly entity?: (object: Loaded) => Omit<EntityInput, 'uid'>
  /** Whether a refusal looks like an object that does not exist. Default true. */
  readonly hides?: boolean
  /** Facts of this one request that policies ask for, such as an amount, from the body once it is read. */
  readonly facts?: (body: unknown) => { readonly [name: string]: ValueInput }
}

/** What a guard is given for one request. */
export interface GuardInput {
  readonly who: Who
  readonly id: string
  readonly body?: unknown
}

/** A check that cannot be forgotten: the only way to a `Checked` object. */
export interface Guard<Loaded extends object> {
  readonly options: GuardOptions<Loaded>
  /** Loads and decides; obligations are carried out on what it returns. Never throws: a failure is a refusal. */
  check(decider: Decider, input: GuardInput): Promise<Checked<Loaded> | Refused>
}

/**
 * Guards an object by an action (the control object-guard of the threat register). The object is loaded once, decided on, and handed on: what is used is what was checked. One that is
 * not there takes the same way as one that is forbidden, decision included, so that neither answer nor work tells them apart.
 */
export function guard<Loaded extends object>(
  options: GuardOptions<Loaded>,
  load: (id: string, who: Who) => Loaded | undefined | Promise<Loaded | undefined>,
): Guard<Loaded> {
  const { action, type, entity, hides = true, facts } = options
  const denied = hides ? refusedWith('BW_AUTHZ_OBJECT_HIDDEN') : refusedWith('BW_AUTHZ_DENIED')
  return {
    options,
    async check(decider, { who, id, body }) {
      try {
        const loaded = await load(id, who)
        const uid = { type, id }
        const context = facts === undefined ? who.context : { ...facts(body), ...who.context }
        const decision = decider.decide({
          principal: who.principal,
          action: { type: 'Action', id: action },
          resource: uid,
          context,
          entities: loaded === undefined || entity === undefined ? [] : [{ uid, ...entity(loaded) }],
        })
        if (decision.failure !== undefined && decision.failure.spec.fault !== 'caller')
          return refusedWith(decision.failure.code)
        if (loaded === undefined || decision.decision !== 'allow') return denied
        const obeyed = obey(loaded, decision.obligations)
        return isRefused(obeyed) ? obeyed : (obeyed as Checked<Loaded>)
      } catch {
        return refusedWith('BW_AUTHZ_ENGINE_FAILED')
      }
    },
  }
}
