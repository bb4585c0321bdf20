import type { EntityUid } from '../entities/uid.ts'
import type { UidSource } from '../entities/uid-table.ts'
import { AuthzError } from '../errors.ts'
import { ERROR } from '../values/value.ts'
import type { ActionConstraint, Condition, EntityName, ScopeConstraint, ScopeTarget } from './ast.ts'
import { compileExpression } from './compile-expression.ts'
import { fail } from './code.ts'
import type { Run } from './frame.ts'
import type { ParsedSource, SourcePolicy, TemplateLink } from './policy-source.ts'

/** What principal or resource must be. At most one of `equal` and `within`; `type` may stand beside `within`. */
export interface Scope {
  readonly equal: EntityUid | undefined
  readonly within: EntityUid | undefined
  readonly type: string | undefined
}

/** What the enforcement point has to do beside the decision: from `@obligation_<name>("<value>")`. */
export interface Obligation {
  readonly name: string
  readonly value: string
  readonly policyId: string
}

/** A policy ready to run: a static one, or a link of a template. */
export interface CompiledPolicy {
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  readonly principal: Scope
  /** Undefined for any action. */
  readonly actions: readonly EntityUid[] | undefined
  /** Whether descendants of `actions` count too. */
  readonly actionsWithin: boolean
  readonly resource: Scope
  /** All conditions as one; undefined when there is none. */
  readonly body: Run | undefined
  readonly source: SourcePolicy
  readonly obligations: readonly Obligation[]
  /** `[id]`, shared by all decisions that this policy alone determines. */
  readonly reasons: readonly string[]
}

/**
 * Compiles every policy and link of a set. `uids` must keep what it hands out for as long as the set lives.
 *
 * @throws UnreadablePolicy when there is anything the compiler does not know.
 */
export function compilePolicies(parsed: ParsedSource, uids: UidSource): CompiledPolicy[] {
  const bodies = new Map<string, Run | undefined>()
  const compile = (source: SourcePolicy, id: string, link?: TemplateLink): CompiledPolicy => {
    const { node } = source
    if (!bodies.has(source.id)) bodies.set(source.id, compileBody(node.conditions, uids))
    const name = (entity: EntityName): EntityUid => uids.uid(entity.type, entity.id)
    const actions = actionsOf(node.action)
    return {
      id,
      effect: node.effect,
      principal: scopeOf(node.principal, link?.values['?principal'], name),
      actions: actions?.map(name),
      actionsWithin: node.action.op === 'in',
      resource: scopeOf(node.resource, link?.values['?resource'], name),
      body: bodies.get(source.id),
      source,
      obligations: Object.freeze(obligationsOf(node.annotations, id)),
      reasons: Object.freeze([id]),
    }
  }
  const templates = new Map(
    parsed.policies.filter((policy) => policy.template).map((policy) => [policy.id, policy]),
  )
  return [
    ...parsed.policies.filter((policy) => !policy.template).map((policy) => compile(policy, policy.id)),
    ...parsed.links.map((link) => {
      const template = templates.get(link.templateId)
      if (template === undefined) {
        throw new AuthzError('BW_AUTHZ_POLICY_INVALID', `link ${link.newId}: no template ${link.templateId}`)
      }
      return compile(template, link.newId, link)
    }),
  ]
}

function actionsOf(action: ActionConstraint): readonly EntityName[] | undefined {
  if (action.op === 'all') return undefined
  return action.op === '==' ? [action.entity] : action.entities
}

function scopeOf(
  scope: ScopeConstraint,
  slot: EntityName | undefined,
  name: (e: EntityName) => EntityUid,
): Scope {
  const target = (to: ScopeTarget): EntityUid => {
    const entity = to === 'slot' ? slot : to
    if (entity === undefined)
      throw new AuthzError('BW_AUTHZ_POLICY_INVALID', 'a link leaves a slot of its template open')
    return name(entity)
  }
  const any: Scope = { equal: undefined, within: undefined, type: undefined }
  switch (scope.op) {
    case 'all':
      return any
    case '==':
      return { ...any, equal: target(scope.target) }
    case 'in':
      return { ...any, within: target(scope.target) }
    case 'is':
      return {
        ...any,
        type: scope.entityType,
        within: scope.within === undefined ? undefined : target(scope.within),
      }
  }
}

const PREFIX = 'obligation_'

function obligationsOf(
  annotations: readonly (readonly [string, string | undefined])[],
  policyId: string,
): Obligation[] {
  return annotations
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, value]) => ({ name: name.slice(PREFIX.length), value: value ?? '', policyId }))
}

/** `when` must be true and `unless` false, in the order written; the first that is not decides. */
function compileBody(conditions: readonly Condition[], uids: UidSource): Run | undefined {
  if (conditions.length === 0) return undefined
  const steps = conditions.map(({ kind, body, at }) => ({
    run: compileExpression(body, uids).run,
    wanted: kind === 'when',
    fault: { what: `\`${kind}\` needs a boolean`, at },
  }))
  const [only] = steps
  if (steps.length === 1 && only?.wanted === true) {
    const { run, fault } = only
    return (frame) => {
      const value = run(frame)
      return typeof value === 'boolean' || value === ERROR ? value : fail(frame, fault)
    }
  }
  return (frame) => {
    for (const { run, wanted, fault } of steps) {
      const value = run(frame)
      if (value === ERROR) return ERROR
      if (typeof value !== 'boolean') return fail(frame, fault)
      if (value !== wanted) return false
    }
    return true
  }
}
