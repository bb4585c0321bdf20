import type { EntityUid } from '../entities/uid.ts'
import type { EntityRecord } from '../entities/entity-record.ts'
import { isWithin, recordOf, type Frame } from './frame.ts'
import { Leaf } from './leaf.ts'
import type { CompiledPolicy } from './policy.ts'
import { ScopeIndex } from './scope-index.ts'

type ByResource = ScopeIndex<Leaf>
type ByPrincipal = ScopeIndex<ByResource>

/** Called with each policy whose scope takes in the request. */
export type PolicyVisitor = (policy: CompiledPolicy, walk: Walk) => void

/** One walk through an index: the request and who is told. Reused, so that a decision allocates none. */
export interface Walk {
  frame: Frame
  each: PolicyVisitor
}

interface ActionSlice {
  readonly record: EntityRecord | undefined
  readonly index: ByPrincipal | undefined
}

/**
 * Policies by action, then principal, then resource, then the constant they begin by comparing with. Only scopes and what
 * is evaluated first leave policies out: neither can hide an error.
 */
export class PolicyIndex {
  readonly #anyAction: ByPrincipal | undefined
  readonly #bound: readonly CompiledPolicy[]
  /** Per action, made when it is first asked for; remade when the action's place in the hierarchy changes. */
  readonly #slices = new Map<EntityUid, ActionSlice>()

  constructor(policies: readonly CompiledPolicy[]) {
    this.#anyAction = indexOf(policies.filter((policy) => policy.actions === undefined))
    this.#bound = policies.filter((policy) => policy.actions !== undefined)
  }

  walk(walk: Walk): void {
    const { frame } = walk
    if (this.#anyAction !== undefined) this.#anyAction.visit(frame, frame.principal, walk, visitResources)
    if (this.#bound.length === 0) return
    this.#sliceFor(frame)?.visit(frame, frame.principal, walk, visitResources)
  }

  #sliceFor(frame: Frame): ByPrincipal | undefined {
    const { action } = frame
    const record = recordOf(frame, action)
    // Neither named by a policy nor in any group. Such names come from callers, who must not be able to fill memory.
    if (record === undefined && !action.pinned) return undefined
    const known = this.#slices.get(action)
    if (known !== undefined && known.record === record) return known.index
    const index = indexOf(this.#bound.filter((policy) => concerns(policy, frame)))
    // Data of one request or one snapshot must not displace what holds for all others.
    if (frame.overlay?.has(action) !== true) this.#slices.set(action, { record, index })
    return index
  }
}

function concerns(policy: CompiledPolicy, frame: Frame): boolean {
  const { actions, actionsWithin } = policy
  if (actions === undefined) return true
  return actions.some((action) =>
    actionsWithin ? isWithin(frame, frame.action, action) : action === frame.action,
  )
}

function indexOf(policies: readonly CompiledPolicy[]): ByPrincipal | undefined {
  if (policies.length === 0) return undefined
  const index: ByPrincipal = new ScopeIndex(() => new ScopeIndex<Leaf>(() => new Leaf()))
  for (const policy of policies) index.entryFor(policy.principal).entryFor(policy.resource).add(policy)
  return index
}

function visitResources(entry: ByResource, walk: Walk): void {
  entry.visit(walk.frame, walk.frame.resource, walk, visitLeaf)
}

function visitLeaf(leaf: Leaf, walk: Walk): void {
  leaf.visit(walk.frame, walk, visitPolicies)
}

function visitPolicies(policies: readonly CompiledPolicy[], walk: Walk): void {
  const { frame } = walk
  for (const policy of policies) {
    const principalType = policy.principal.type
    const resourceType = policy.resource.type
    if (principalType !== undefined && principalType !== frame.principal.type) continue
    if (resourceType !== undefined && resourceType !== frame.resource.type) continue
    walk.each(policy, walk)
  }
}
