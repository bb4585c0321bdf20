import { addLongs, isLong, multiplyLongs, subtractLongs, type Long } from '../values/long.ts'
import { ERROR, type Value } from '../values/value.ts'
import type { Expression } from './ast.ts'
import { fail, pure, type Code, type Compiler } from './code.ts'

type Binary = Extract<Expression, { readonly kind: 'binary' }>

const OPERATIONS = { '+': addLongs, '-': subtractLongs, '*': multiplyLongs } as const

/** Checked 64-bit arithmetic: an overflow is an error, never a wrapped or rounded number. */
export function compileArithmetic(
  node: Binary & { readonly operator: '+' | '-' | '*' },
  compiler: Compiler,
): Code {
  const left = compiler.compile(node.left)
  const right = compiler.compile(node.right)
  const [first, second] = [left.run, right.run]
  const operation = OPERATIONS[node.operator]
  const types = { what: `\`${node.operator}\` needs two longs`, at: node.at }
  const overflow = { what: `\`${node.operator}\` leaves 64 bits`, at: node.at }
  return pure([left, right], (frame) => {
    const a = first(frame)
    if (a === ERROR) return ERROR
    const b = second(frame)
    if (b === ERROR) return ERROR
    if (!isLong(a) || !isLong(b)) return fail(frame, types)
    return operation(a, b) ?? fail(frame, overflow)
  })
}

/** `<`, `<=`, `>`, `>=` on two longs, two datetimes or two durations. */
export function compileComparison(
  node: Binary & { readonly operator: '<' | '<=' | '>' | '>=' },
  compiler: Compiler,
): Code {
  const left = compiler.compile(node.left)
  const right = compiler.compile(node.right)
  const [first, second] = [left.run, right.run]
  const { operator, at } = node
  const fault = { what: `\`${operator}\` needs two longs, two datetimes or two durations`, at }
  return pure([left, right], (frame) => {
    const a = first(frame)
    if (a === ERROR) return ERROR
    const b = second(frame)
    if (b === ERROR) return ERROR
    if (typeof a === 'number' && typeof b === 'number') return compare(operator, a, b)
    const x = magnitude(a)
    const y = magnitude(b)
    if (x === undefined || y === undefined || kindOf(a) !== kindOf(b)) return fail(frame, fault)
    return compare(operator, x, y)
  })
}

function compare(operator: '<' | '<=' | '>' | '>=', a: Long, b: Long): boolean {
  switch (operator) {
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    case '>=':
      return a >= b
  }
}

function magnitude(value: Value): Long | undefined {
  if (isLong(value)) return value
  if (typeof value !== 'object') return undefined
  if (value.kind === 'datetime') return value.epochMs
  return value.kind === 'duration' ? value.ms : undefined
}

function kindOf(value: Value): string {
  return typeof value === 'object' ? value.kind : 'long'
}
