import type { PatternElement } from '../values/like.ts'
import { compilePattern } from '../values/like.ts'
import type { Row, SqlValue } from './resource-table.ts'

export type Sign = '=' | '<>' | '<' | '<=' | '>' | '>='

/** What a row has to fulfil. A comparison with a missing column holds in neither sense, as an error in Cedar. */
export type Condition =
  | { readonly op: 'constant'; readonly value: boolean }
  | { readonly op: 'and' | 'or'; readonly parts: readonly Condition[] }
  /** True where the part is false or meets a missing column. */
  | { readonly op: 'not'; readonly part: Condition }
  | { readonly op: 'present'; readonly column: string; readonly wanted: boolean }
  | { readonly op: 'compare'; readonly column: string; readonly sign: Sign; readonly value: SqlValue }
  | { readonly op: 'columns'; readonly column: string; readonly sign: Sign; readonly other: string }
  | {
      readonly op: 'one-of'
      readonly column: string
      readonly values: readonly SqlValue[]
      readonly wanted: boolean
    }
  | {
      readonly op: 'like'
      readonly column: string
      readonly pattern: readonly PatternElement[]
      readonly wanted: boolean
    }

export const ALWAYS: Condition = { op: 'constant', value: true }
export const NEVER: Condition = { op: 'constant', value: false }

/** All of them; constants are taken out. */
export function and(...parts: readonly Condition[]): Condition {
  return join('and', parts, NEVER, ALWAYS)
}

/** At least one of them; constants are taken out. */
export function or(...parts: readonly Condition[]): Condition {
  return join('or', parts, ALWAYS, NEVER)
}

export function not(part: Condition): Condition {
  if (part.op === 'constant') return part.value ? NEVER : ALWAYS
  return { op: 'not', part }
}

function join(
  op: 'and' | 'or',
  parts: readonly Condition[],
  deciding: Condition,
  neutral: Condition,
): Condition {
  const flat = parts
    .flatMap((part) => (part.op === op ? part.parts : [part]))
    .filter((part) => part !== neutral)
  if (flat.includes(deciding)) return deciding
  const [only] = flat
  if (only === undefined) return neutral
  return flat.length === 1 ? only : { op, parts: flat }
}

/** Whether a row fulfils a condition. */
export function holds(condition: Condition, row: Row): boolean {
  switch (condition.op) {
    case 'constant':
      return condition.value
    case 'and':
      return condition.parts.every((part) => holds(part, row))
    case 'or':
      return condition.parts.some((part) => holds(part, row))
    case 'not':
      return !holds(condition.part, row)
    case 'present':
      return ((row[condition.column] ?? null) !== null) === condition.wanted
    case 'compare':
      return compared(row[condition.column], condition.sign, condition.value)
    case 'columns':
      return compared(row[condition.column], condition.sign, row[condition.other])
    case 'one-of': {
      const value = row[condition.column] ?? null
      return (
        value !== null && condition.values.some((other) => compared(value, '=', other)) === condition.wanted
      )
    }
    case 'like': {
      const text = row[condition.column]
      return typeof text === 'string' && compilePattern(condition.pattern)(text) === condition.wanted
    }
  }
}

function compared(
  left: SqlValue | null | undefined,
  sign: Sign,
  right: SqlValue | null | undefined,
): boolean {
  const [a, b] = [plain(left), plain(right)]
  if (a === undefined || b === undefined) return false
  switch (sign) {
    case '=':
      return a === b
    case '<>':
      return a !== b
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

/** One spelling for what a driver may give as number, bigint or boolean. */
function plain(value: SqlValue | null | undefined): string | bigint | undefined {
  if (value === null || value === undefined) return undefined
  return typeof value === 'string' ? value : BigInt(value)
}
