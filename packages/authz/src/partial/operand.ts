import type { Expression } from '../engine/ast.ts'
import { compileExpression } from '../engine/compile-expression.ts'
import type { Frame } from '../engine/frame.ts'
import { parts } from '../engine/expression-parts.ts'
import type { UidSource } from '../entities/uid-table.ts'
import { ERROR, type Value } from '../values/value.ts'
import type { AttributeColumn, ResourceTable, SqlValue } from './resource-table.ts'

/** Thrown for what has no counterpart in the table or in SQL. */
export class NotPushable extends Error {
  readonly at: number

  constructor(what: string, at: number) {
    super(what)
    this.at = at
  }
}

/** Everything about a list request that is known. */
export interface PartialScope {
  readonly frame: Frame
  readonly table: ResourceTable
  readonly uids: UidSource
}

/** One side of a comparison: known now, failing now, or a column. */
export type Operand =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'error' }
  | { readonly kind: 'column'; readonly column: AttributeColumn }

export function usesResource(node: Expression): boolean {
  return parts(node).some((part) => part.kind === 'variable' && part.name === 'resource')
}

/** What an expression is before the resource is known. @throws NotPushable when it is neither known nor a column. */
export function operandOf(node: Expression, scope: PartialScope): Operand {
  if (!usesResource(node)) {
    const value = compileExpression(node, scope.uids).run(scope.frame)
    return value === ERROR ? { kind: 'error' } : { kind: 'value', value }
  }
  if (node.kind === 'variable') {
    const { id, entityType } = scope.table
    return { kind: 'column', column: { column: id, type: 'entity', entityType } }
  }
  if (node.kind === 'attribute' && node.target.kind === 'variable') {
    return { kind: 'column', column: columnOf(node.name, node.at, scope) }
  }
  throw new NotPushable('this part of the resource has no column', node.at)
}

export function columnOf(attribute: string, at: number, scope: PartialScope): AttributeColumn {
  const { attributes } = scope.table
  const column = Object.hasOwn(attributes, attribute) ? attributes[attribute] : undefined
  if (column === undefined) throw new NotPushable(`no column holds the attribute \`${attribute}\``, at)
  return column
}

/** How a value is stored in a column; undefined when it is of another type and so never equal. */
export function storedIn(column: AttributeColumn, value: Value): SqlValue | undefined {
  switch (column.type) {
    case 'long':
      return typeof value === 'number' || typeof value === 'bigint' ? value : undefined
    case 'string':
      return typeof value === 'string' ? value : undefined
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'datetime':
      return typeof value === 'object' && value.kind === 'datetime' ? value.epochMs : undefined
    case 'entity':
      return typeof value === 'object' && value.kind === 'entity' && value.type === column.entityType
        ? value.id
        : undefined
  }
}

/** Whether two columns hold values that can be equal. */
export function sameKind(a: AttributeColumn, b: AttributeColumn): boolean {
  return a.type === b.type && (a.type !== 'entity' || (b.type === 'entity' && a.entityType === b.entityType))
}
