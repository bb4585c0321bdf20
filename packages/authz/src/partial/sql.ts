import type { PatternElement } from '../values/like.ts'
import type { Condition } from './condition.ts'
import type { SqlValue } from './resource-table.ts'

export type SqlDialect = 'sqlite' | 'postgresql'

/** A condition for `WHERE`, with its values kept apart from the text. */
export interface SqlFilter {
  readonly text: string
  readonly parameters: readonly SqlValue[]
}

/** Writes a condition as parameterised SQL. No value of a policy or a request ever becomes part of the text. */
export function sqlOf(condition: Condition, dialect: SqlDialect, firstParameter = 1): SqlFilter {
  const parameters: SqlValue[] = []
  const parameter = (value: SqlValue): string => {
    // SQLite has no booleans and its drivers refuse to bind them.
    parameters.push(dialect === 'sqlite' && typeof value === 'boolean' ? Number(value) : value)
    return dialect === 'sqlite' ? '?' : `$${firstParameter + parameters.length - 1}`
  }
  const text = write(condition, dialect, parameter)
  return { text, parameters }
}

function write(condition: Condition, dialect: SqlDialect, parameter: (value: SqlValue) => string): string {
  switch (condition.op) {
    case 'constant':
      return condition.value ? '1 = 1' : '1 = 0'
    case 'and':
    case 'or':
      return `(${condition.parts.map((part) => write(part, dialect, parameter)).join(condition.op === 'and' ? ' AND ' : ' OR ')})`
    case 'not':
      return `((${write(condition.part, dialect, parameter)}) IS NOT TRUE)`
    case 'present':
      return `${name(condition.column)} IS ${condition.wanted ? 'NOT ' : ''}NULL`
    case 'compare':
      return `${name(condition.column)} ${condition.sign} ${parameter(condition.value)}`
    case 'columns':
      return `${name(condition.column)} ${condition.sign} ${name(condition.other)}`
    case 'one-of':
      return `${name(condition.column)} ${condition.wanted ? '' : 'NOT '}IN (${condition.values.map(parameter).join(', ')})`
    case 'like': {
      const [operator, pattern, escape] = likeOf(condition.pattern, dialect)
      return `${name(condition.column)} ${condition.wanted ? '' : 'NOT '}${operator} ${parameter(pattern)}${escape}`
    }
  }
}

function name(column: string): string {
  return `"${column.replaceAll('"', '""')}"`
}

/** SQLite's LIKE ignores case, its GLOB does not; PostgreSQL's LIKE does not. */
function likeOf(pattern: readonly PatternElement[], dialect: SqlDialect): readonly [string, string, string] {
  if (dialect === 'sqlite') {
    const glob = pattern.map((part) => (part === 'wildcard' ? '*' : part.literal.replace(/[*?[]/, '[$&]')))
    return ['GLOB', glob.join(''), '']
  }
  const like = pattern.map((part) => (part === 'wildcard' ? '%' : part.literal.replace(/[%_\\]/, '\\$&')))
  return ['LIKE', like.join(''), String.raw` ESCAPE '\'`]
}
