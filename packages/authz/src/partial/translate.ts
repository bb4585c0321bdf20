import type { Expression } from '../engine/ast.ts'
import type { Value } from '../values/value.ts'
import { ALWAYS, NEVER, and, or, type Sign } from './condition.ts'
import {
  NotPushable,
  columnOf,
  operandOf,
  sameKind,
  storedIn,
  usesResource,
  type Operand,
  type PartialScope,
} from './operand.ts'
import { FAILS, oneOf, present, translateIn, type Sides } from './membership.ts'
import type { AttributeColumn } from './resource-table.ts'

const sure = (value: boolean): Sides => (value ? { yes: ALWAYS, no: NEVER } : { yes: NEVER, no: ALWAYS })
type Of<Kind extends Expression['kind']> = Extract<Expression, { readonly kind: Kind }>

/** Translates a boolean expression. @throws NotPushable. */
export function translate(node: Expression, scope: PartialScope): Sides {
  if (!usesResource(node)) {
    const known = operandOf(node, scope)
    return known.kind === 'value' && typeof known.value === 'boolean' ? sure(known.value) : FAILS
  }
  switch (node.kind) {
    case 'logic': {
      const left = translate(node.left, scope)
      // `false && x` never looks at x, so x need not have a translation.
      if (node.operator === '&&' && left.yes === NEVER) return left
      if (node.operator === '||' && left.no === NEVER) return left
      const right = translate(node.right, scope)
      return node.operator === '&&'
        ? { yes: and(left.yes, right.yes), no: or(left.no, and(left.yes, right.no)) }
        : { yes: or(left.yes, and(left.no, right.yes)), no: and(left.no, right.no) }
    }
    case 'if': {
      const test = translate(node.test, scope)
      if (test.yes === NEVER && test.no === ALWAYS) return translate(node.no, scope)
      if (test.yes === ALWAYS && test.no === NEVER) return translate(node.yes, scope)
      const [yes, no] = [translate(node.yes, scope), translate(node.no, scope)]
      return {
        yes: or(and(test.yes, yes.yes), and(test.no, no.yes)),
        no: or(and(test.yes, yes.no), and(test.no, no.no)),
      }
    }
    case 'unary':
      if (node.operator !== '!') throw new NotPushable(`\`${node.operator}\` on the resource`, node.at)
      return swapped(translate(node.argument, scope))
    case 'binary':
      return translateBinary(node, scope)
    case 'has':
      return translateHas(node, scope)
    case 'like': {
      const operand = operandOf(node.target, scope)
      if (operand.kind !== 'column') return FAILS
      const { column, type } = operand.column
      if (type !== 'string') return FAILS
      const { pattern } = node
      // Neither database keeps NUL in a text reliably.
      if (pattern.some((part) => part !== 'wildcard' && part.literal === '\0'))
        throw new NotPushable('NUL in a pattern', node.at)
      return {
        yes: { op: 'like', column, pattern, wanted: true },
        no: { op: 'like', column, pattern, wanted: false },
      }
    }
    case 'is':
      return translateIs(node, scope)
    case 'attribute':
    case 'variable': {
      const operand = operandOf(node, scope)
      if (operand.kind !== 'column' || operand.column.type !== 'boolean') return FAILS
      return compared(operand.column, '=', '<>', true)
    }
    case 'call':
      throw new NotPushable(`\`${node.name}\` on the resource`, node.at)
    case 'literal':
    case 'entity':
    case 'set':
    case 'record':
      return FAILS
  }
}

function swapped({ yes, no }: Sides): Sides {
  return { yes: no, no: yes }
}

function compared(column: AttributeColumn, sign: Sign, opposite: Sign, value: Value): Sides {
  const stored = storedIn(column, value)
  if (stored === undefined) return FAILS
  const base = { op: 'compare', column: column.column, value: stored } as const
  return { yes: { ...base, sign }, no: { ...base, sign: opposite } }
}

function translateHas(node: Of<'has'>, scope: PartialScope): Sides {
  const [name, more] = node.path
  if (node.target.kind !== 'variable' || name === undefined || more !== undefined) {
    throw new NotPushable('`has` on something below the resource', node.at)
  }
  const { column } = columnOf(name, node.at, scope)
  return { yes: { op: 'present', column, wanted: true }, no: { op: 'present', column, wanted: false } }
}

function translateIs(node: Of<'is'>, scope: PartialScope): Sides {
  const operand = operandOf(node.target, scope)
  if (operand.kind === 'error') return FAILS
  if (operand.kind === 'value') throw new NotPushable('`is … in` on the resource', node.at)
  const { column } = operand
  if (column.type !== 'entity') return FAILS
  if (column.entityType !== node.entityType) return { yes: NEVER, no: present(column) }
  if (node.within === undefined) return { yes: present(column), no: NEVER }
  return translateIn(node.target, node.within, node.at, scope)
}

const OPPOSITE = { '<': '>=', '<=': '>', '>': '<=', '>=': '<' } as const
const MIRRORED = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const

function translateBinary(node: Of<'binary'>, scope: PartialScope): Sides {
  const { operator, at } = node
  if (operator === '==') return translateEquality(node, scope)
  if (operator === '!=') return swapped(translateEquality(node, scope))
  if (operator === 'in') return translateIn(node.left, node.right, at, scope)
  if (operator === 'contains') return translateContains(node, scope)
  if (operator === '<' || operator === '<=' || operator === '>' || operator === '>=') {
    return translateOrder(operator, operandOf(node.left, scope), operandOf(node.right, scope))
  }
  throw new NotPushable(`\`${operator}\` on the resource`, at)
}

function translateOrder(sign: keyof typeof OPPOSITE, left: Operand, right: Operand): Sides {
  const ordered = (operand: Operand): AttributeColumn | undefined =>
    operand.kind === 'column' && (operand.column.type === 'long' || operand.column.type === 'datetime')
      ? operand.column
      : undefined
  const [first, second] = [ordered(left), ordered(right)]
  if (first !== undefined && second !== undefined) return columns(first, sign, OPPOSITE[sign], second)
  if (first !== undefined && right.kind === 'value') return compared(first, sign, OPPOSITE[sign], right.value)
  const mirrored = MIRRORED[sign]
  if (second !== undefined && left.kind === 'value')
    return compared(second, mirrored, OPPOSITE[mirrored], left.value)
  return FAILS
}

function translateContains(node: Of<'binary'>, scope: PartialScope): Sides {
  const [set, element] = [operandOf(node.left, scope), operandOf(node.right, scope)]
  if (set.kind === 'error' || element.kind === 'error') return FAILS
  if (set.kind !== 'value' || element.kind !== 'column')
    throw new NotPushable('a set of the resource', node.at)
  if (typeof set.value !== 'object' || set.value.kind !== 'set') return FAILS
  return oneOf(
    element.column,
    set.value.elements.flatMap((value) => storedIn(element.column, value) ?? []),
  )
}

function columns(left: AttributeColumn, sign: Sign, opposite: Sign, right: AttributeColumn): Sides {
  if (!sameKind(left, right)) return FAILS
  const base = { op: 'columns', column: left.column, other: right.column } as const
  return { yes: { ...base, sign }, no: { ...base, sign: opposite } }
}

function translateEquality(node: Of<'binary'>, scope: PartialScope): Sides {
  const [left, right] = [operandOf(node.left, scope), operandOf(node.right, scope)]
  if (left.kind === 'error' || right.kind === 'error') return FAILS
  if (left.kind === 'column' && right.kind === 'column') {
    if (sameKind(left.column, right.column)) return columns(left.column, '=', '<>', right.column)
    return { yes: NEVER, no: and(present(left.column), present(right.column)) }
  }
  const column = left.kind === 'column' ? left.column : right.kind === 'column' ? right.column : undefined
  const value = left.kind === 'value' ? left.value : right.kind === 'value' ? right.value : undefined
  if (column === undefined || value === undefined) throw new NotPushable('`==` on the resource', node.at)
  if (storedIn(column, value) === undefined) return { yes: NEVER, no: present(column) }
  return compared(column, '=', '<>', value)
}
