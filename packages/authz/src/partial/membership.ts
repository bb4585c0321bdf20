import type { Expression } from '../engine/ast.ts'
import type { EntityUid } from '../entities/uid.ts'
import type { Value } from '../values/value.ts'
import { ALWAYS, NEVER, or, type Condition } from './condition.ts'
import { NotPushable, operandOf, type PartialScope } from './operand.ts'
import { idsAbove, idsWithin } from './related-ids.ts'
import type { AttributeColumn, SqlValue } from './resource-table.ts'

/** When an expression is true and when it is false, as conditions on a row. Where it fails it is neither. */
export interface Sides {
  readonly yes: Condition
  readonly no: Condition
}

/** An expression that always fails. */
export const FAILS: Sides = { yes: NEVER, no: NEVER }

export function present(column: AttributeColumn): Condition {
  return { op: 'present', column: column.column, wanted: true }
}

/** A column whose value is one of these. */
export function oneOf(column: AttributeColumn, values: readonly SqlValue[]): Sides {
  if (values.length === 0) return { yes: NEVER, no: present(column) }
  const base = { op: 'one-of', column: column.column, values } as const
  return { yes: { ...base, wanted: true }, no: { ...base, wanted: false } }
}

/** `left in right` with a column on one side. */
export function translateIn(
  leftNode: Expression,
  rightNode: Expression,
  at: number,
  scope: PartialScope,
): Sides {
  const [left, right] = [operandOf(leftNode, scope), operandOf(rightNode, scope)]
  if (left.kind === 'error' || right.kind === 'error') return FAILS
  if (right.kind === 'column') {
    if (left.kind === 'column') throw new NotPushable('`in` between two parts of the resource', at)
    if (right.column.type !== 'entity' || typeof left.value !== 'object' || left.value.kind !== 'entity')
      return FAILS
    return oneOf(right.column, idsAbove(scope.frame, left.value, right.column.entityType))
  }
  const groups = entitiesOf(right.value)
  if (left.kind !== 'column') throw new NotPushable('`in` on the resource', at)
  if (groups === undefined || left.column.type !== 'entity') return FAILS
  const { column } = left
  if (leftNode.kind === 'variable') return resourceIn(groups, at, scope)
  return oneOf(column, within(groups, column.entityType, at, scope))
}

/** The resource itself in one of the groups: it is one of them, or a parent column names something in one of them. */
export function resourceIn(groups: readonly EntityUid[], at: number, scope: PartialScope): Sides {
  const { table } = scope
  if (table.parents === undefined) throw new NotPushable('the parents of the resource are not in columns', at)
  const own = groups.filter((group) => group.type === table.entityType).map((group) => group.id)
  const yes = [
    own.length === 0 ? NEVER : ({ op: 'one-of', column: table.id, values: own, wanted: true } as const),
    ...table.parents.map(({ column, entityType }): Condition => {
      const values = within(groups, entityType, at, scope)
      return values.length === 0 ? NEVER : { op: 'one-of', column, values, wanted: true }
    }),
  ]
  const inside = or(...yes)
  // Being in a group never fails for the resource itself, so what is not inside is outside.
  return {
    yes: inside,
    no: inside.op === 'constant' ? (inside.value ? NEVER : ALWAYS) : { op: 'not', part: inside },
  }
}

function within(groups: readonly EntityUid[], entityType: string, at: number, scope: PartialScope): string[] {
  const ids = new Set<string>()
  for (const group of groups) {
    const found = idsWithin(scope.frame, group, entityType)
    if (found === undefined) throw new NotPushable(`too many entities are in ${group}`, at)
    for (const id of found) ids.add(id)
  }
  return [...ids]
}

function entitiesOf(value: Value): EntityUid[] | undefined {
  if (typeof value !== 'object') return undefined
  if (value.kind === 'entity') return [value]
  if (value.kind !== 'set') return undefined
  const entities = value.elements.filter(
    (element) => typeof element === 'object' && element.kind === 'entity',
  )
  return entities.length === value.elements.length ? entities : undefined
}
