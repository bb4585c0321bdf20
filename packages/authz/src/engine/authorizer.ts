import { channel } from 'node:diagnostics_channel'
import { EntityStore } from '../entities/entity-store.ts'
import type { EntitySnapshot } from '../entities/entity-snapshot.ts'
import { EntityUid } from '../entities/uid.ts'
import { RequestUids } from '../entities/uid-table.ts'
import { AuthzError } from '../errors.ts'
import { readSchema } from '../schema/schema.ts'
import { planList, type ListPlan } from '../partial/list-plan.ts'
import type { ResourceTable } from '../partial/resource-table.ts'
import { requireOptions, type AuthorizerOptions } from './authorizer-options.ts'
import { NO_OBLIGATIONS, refused, type Decision } from './decision.ts'
import { explainPolicy, explanationText, type Explanation } from './explain.ts'
import { frameOf } from './frame.ts'
import { officialRequest } from './official-request.ts'
import { CompiledPolicySet } from './policy-set.ts'
import type { PolicySource } from './policy-source.ts'
import { PreparedRequest } from './prepared-request.ts'
import { overlayAt, resolveRequest, type AuthzRequest, type ResolvedRequest } from './request.ts'
import { Tally, type ForbidErrors } from './tally.ts'

/** Published when a forbid failed and so did not forbid: message `{ decision, failures }`. */
export const forbidErrored: ReturnType<typeof channel> = channel('breakwater:authz:forbid-errored')

/** Compiled policies on an entity store. Decisions are synchronous; nothing that goes wrong in one becomes an allow. */
export class Authorizer {
  readonly store: EntityStore
  readonly #forbidErrors: ForbidErrors
  readonly #strict: boolean
  readonly #onForbidErrored: AuthorizerOptions['onForbidErrored']
  readonly #tally: Tally
  #set: CompiledPolicySet
  /** Set when the official engine has to decide although the policies compiled, with the reason. */
  #distrusted: string | undefined

  constructor(options: AuthorizerOptions) {
    requireOptions(options)
    const { store, schema, entities, policies, version, strict = false, forbidErrors = 'skip' } = options
    this.store = store ?? new EntityStore(schema === undefined ? undefined : readSchema(schema))
    if (entities !== undefined) this.store.apply({ upsert: entities })
    this.#forbidErrors = forbidErrors
    this.#strict = strict
    this.#onForbidErrored = options.onForbidErrored
    const nobody = new EntityUid('', '')
    this.#tally = new Tally(frameOf(nobody, nobody, nobody))
    this.#set = this.compile(policies, version === undefined ? {} : { version })
  }

  /** The policies in force. */
  get policySet(): CompiledPolicySet {
    return this.#set
  }

  /** Which engine decides, and why the official one does if it does. */
  get engine(): { readonly kind: 'compiled' } | { readonly kind: 'official'; readonly because: string } {
    const because = this.#set.fallback ?? this.#distrusted
    return because === undefined ? { kind: 'compiled' } : { kind: 'official', because }
  }

  /**
   * Compiles policies against this store without putting them into force: for a bundle under test or in shadow. As strict
   * as this authorizer unless told otherwise, so that policies that come later are held to what the first were.
   *
   * @throws `BW_AUTHZ_POLICY_INVALID`, `BW_AUTHZ_POLICY_REFUSED` (strict).
   */
  compile(
    policies: string | PolicySource,
    options: { readonly version?: string; readonly strict?: boolean } = {},
  ): CompiledPolicySet {
    const source = typeof policies === 'string' ? { text: policies } : policies
    return new CompiledPolicySet(source, this.store.uids, this.store.schema, {
      strict: this.#strict,
      ...options,
    })
  }

  /** Puts a compiled set into force; the next decision is made on it. */
  use(set: CompiledPolicySet): void {
    this.#set = set
    this.#distrusted = undefined
  }

  /** Leaves every further decision on the policies in force to the official engine. For the replayer's alarm. */
  distrust(because: string): void {
    this.#distrusted = because
  }

  /** Looks a request's names up once, for subjects that ask again and again. Deciding it then parses nothing. */
  prepare(request: AuthzRequest): PreparedRequest {
    return new PreparedRequest(request, this.store)
  }

  /**
   * Decides. Never throws: a request that cannot be read, that the schema forbids, or that the engine fails on is a deny
   * with `failure`. `set` (another compiled set) and `at` (a snapshot) replace the policies and the data in force.
   */
  decide(
    request: AuthzRequest | PreparedRequest,
    other?: { readonly set?: CompiledPolicySet; readonly at?: EntitySnapshot },
  ): Decision {
    const set = other?.set ?? this.#set
    const official = set.fallback !== undefined || (set === this.#set && this.#distrusted !== undefined)
    try {
      const resolved =
        request instanceof PreparedRequest ? request.resolve() : resolveRequest(request, this.store)
      const decision = official
        ? this.#decideOfficially(resolved, set)
        : this.#decideCompiled(resolved, set, other?.at)
      if (decision.errors.length > 0) this.#alarm(decision)
      return decision
    } catch (cause) {
      const failure =
        cause instanceof AuthzError
          ? cause
          : new AuthzError('BW_AUTHZ_ENGINE_FAILED', 'the engine failed', { cause })
      return refused(failure, set.version, official ? 'official' : 'compiled')
    }
  }

  /**
   * Says in words what every policy made of a request: which decided, which did not apply and why, which condition was
   * false or failed, with positions. Evaluates part by part: for people, not for the hot path.
   *
   * @throws `BW_AUTHZ_DATA_INVALID`, `BW_AUTHZ_ENTITY_CONFLICT`, `BW_AUTHZ_REQUEST_INVALID`.
   */
  explain(request: AuthzRequest): Explanation {
    const { principal, action, resource, context, overlay } = resolveRequest(request, this.store)
    const frame = { ...frameOf(principal, action, resource), context, overlay }
    const decision = this.decide(request)
    const uids = new RequestUids(this.store.uids)
    const policies = this.#set.policies.map((policy) => explainPolicy(policy, frame, uids))
    return { decision, policies, text: explanationText(decision, policies) }
  }

  /**
   * Which rows of a table the principal may act on: decided now as far as possible, the rest as a condition for SQL or for
   * memory. Policies that cannot become a condition are named instead; so is everything when the official engine decides.
   *
   * @throws `BW_AUTHZ_DATA_INVALID`, `BW_AUTHZ_ENTITY_CONFLICT`, `BW_AUTHZ_REQUEST_INVALID`.
   */
  plan(request: Omit<AuthzRequest, 'resource'>, table: ResourceTable): ListPlan {
    const { engine } = this
    if (engine.kind === 'official') {
      return {
        kind: 'unpushable',
        policies: [{ policyId: '*', reason: `the official engine decides: ${engine.because}` }],
      }
    }
    const any = { type: table.entityType, id: '' }
    const { principal, action, resource, context, overlay } = resolveRequest(
      { ...request, resource: any },
      this.store,
    )
    const frame = { ...frameOf(principal, action, resource), context, overlay }
    const uids = new RequestUids(this.store.uids)
    return planList(this.#set.policies, frame, table, uids, this.#forbidErrors === 'deny')
  }

  #decideCompiled(
    request: ResolvedRequest,
    set: CompiledPolicySet,
    at: EntitySnapshot | undefined,
  ): Decision {
    const { frame } = this.#tally
    frame.principal = request.principal
    frame.action = request.action
    frame.resource = request.resource
    frame.context = request.context
    frame.overlay = at === undefined ? request.overlay : overlayAt(request, at)
    return this.#tally.decide(set.index, this.#forbidErrors, set.version)
  }

  #decideOfficially(request: ResolvedRequest, set: CompiledPolicySet): Decision {
    // Without our own reading of the policies, any entity may be named by them.
    const named = set.parsed.unreadable === undefined ? set.named : this.store.entities()
    const verdict = set.official.decide(officialRequest(request, named, this.store.schema))
    const errors = verdict.errors.map(({ policyId, message }) => ({
      policyId,
      message,
      effect: set.effectOf(policyId),
    }))
    const failClosed = this.#forbidErrors === 'deny' && errors.some((error) => error.effect !== 'permit')
    return {
      decision: failClosed ? 'deny' : verdict.decision,
      reasons: failClosed && verdict.decision === 'allow' ? [] : verdict.reasons,
      errors,
      policyVersion: set.version,
      obligations: failClosed ? NO_OBLIGATIONS : set.obligationsOf(verdict.reasons),
      engine: 'official',
    }
  }

  #alarm(decision: Decision): void {
    const failures = decision.errors.filter((error) => error.effect !== 'permit')
    if (failures.length === 0) return
    if (forbidErrored.hasSubscribers) forbidErrored.publish({ decision, failures })
    this.#onForbidErrored?.(failures, decision)
  }
}
