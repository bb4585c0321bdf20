import type { CompiledPolicy, Scope } from '../engine/policy.ts'
import { isWithin, type Frame } from '../engine/frame.ts'
import { positionOf } from '../engine/position.ts'
import type { UidSource } from '../entities/uid-table.ts'
import { ALWAYS, NEVER, and, holds, not, or, type Condition } from './condition.ts'
import { NotPushable, type PartialScope } from './operand.ts'
import type { ResourceTable, Row } from './resource-table.ts'
import { sqlOf, type SqlDialect, type SqlFilter } from './sql.ts'
import { resourceIn } from './membership.ts'
import { translate } from './translate.ts'

/** A policy that has no counterpart in the table, with the reason and the place in its text. */
export interface UnpushablePolicy {
  readonly policyId: string
  readonly reason: string
}

/** Which rows of a table a principal may act on. */
export type ListPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  | { readonly kind: 'filter'; readonly filter: RowFilter }
  /** Nothing may be listed by this plan: these policies need the objects themselves. */
  | { readonly kind: 'unpushable'; readonly policies: readonly UnpushablePolicy[] }

/** The rows that `decide` would allow, one by one, as one condition. */
export class RowFilter {
  readonly #condition: Condition

  constructor(condition: Condition) {
    this.#condition = condition
  }

  /** For `WHERE`; counts use the same text. `firstParameter` numbers PostgreSQL's parameters. */
  sql(dialect: SqlDialect, firstParameter = 1): SqlFilter {
    return sqlOf(this.#condition, dialect, firstParameter)
  }

  /** The same filter for a row in memory, by column. */
  matches(row: Row): boolean {
    return holds(this.#condition, row)
  }
}

/**
 * Evaluates the policies for an unknown resource of the table's type: what is known now is decided now, the rest becomes a
 * condition on the row. A row passes exactly when `decide` would allow it with the row's entity in the request.
 */
export function planList(
  policies: readonly CompiledPolicy[],
  frame: Frame,
  table: ResourceTable,
  uids: UidSource,
  failClosed: boolean,
): ListPlan {
  const scope: PartialScope = { frame, table, uids }
  const permits: Condition[] = []
  const forbids: Condition[] = []
  const unpushable: UnpushablePolicy[] = []
  for (const policy of policies) {
    if (!mayConcern(policy, frame, table)) continue
    try {
      if (policy.effect === 'permit') permits.push(satisfied(policy, scope))
      else forbids.push(failClosed ? not(released(policy, scope)) : satisfied(policy, scope))
    } catch (error) {
      if (!(error instanceof NotPushable)) throw error
      unpushable.push({
        policyId: policy.id,
        reason: `${error.message}, at ${positionOf(policy.source.text, error.at)}`,
      })
    }
  }
  const condition = and(or(...permits), ...forbids.map(not))
  // A forbid for every row settles the matter whatever else there is.
  if (forbids.includes(ALWAYS)) return { kind: 'none' }
  if (unpushable.length > 0) return { kind: 'unpushable', policies: unpushable }
  if (condition.op === 'constant') return { kind: condition.value ? 'all' : 'none' }
  return { kind: 'filter', filter: new RowFilter(condition) }
}

function mayConcern(
  { principal, actions, actionsWithin, resource }: CompiledPolicy,
  frame: Frame,
  table: ResourceTable,
): boolean {
  if (
    actions?.some((action) =>
      actionsWithin ? isWithin(frame, frame.action, action) : action === frame.action,
    ) === false
  ) {
    return false
  }
  return inScope(principal, frame) && (resource.type === undefined || resource.type === table.entityType)
}

function inScope({ equal, within, type }: Scope, frame: Frame): boolean {
  const { principal } = frame
  if (type !== undefined && principal.type !== type) return false
  if (equal !== undefined && (equal.type !== principal.type || equal.id !== principal.id)) return false
  return within === undefined || isWithin(frame, principal, within)
}

function resourceScope({ equal, within }: Scope, scope: PartialScope): Condition {
  const { entityType, id } = scope.table
  if (equal !== undefined) {
    return equal.type === entityType ? { op: 'compare', column: id, sign: '=', value: equal.id } : NEVER
  }
  return within === undefined ? ALWAYS : resourceIn([within], 0, scope).yes
}

/** The rows for which a policy is satisfied. */
function satisfied({ resource, source }: CompiledPolicy, scope: PartialScope): Condition {
  let rows = resourceScope(resource, scope)
  for (const { kind, body } of source.node.conditions) {
    if (rows === NEVER) return NEVER
    const sides = translate(body, scope)
    rows = and(rows, kind === 'when' ? sides.yes : sides.no)
  }
  return rows
}

/** The rows that a policy surely does not concern: out of scope, or a condition false before any fails. */
function released({ resource, source }: CompiledPolicy, scope: PartialScope): Condition {
  let passed = resourceScope(resource, scope)
  let out = not(passed)
  for (const { kind, body } of source.node.conditions) {
    const sides = translate(body, scope)
    out = or(out, and(passed, kind === 'when' ? sides.no : sides.yes))
    passed = and(passed, kind === 'when' ? sides.yes : sides.no)
  }
  return out
}
