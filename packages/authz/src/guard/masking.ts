import { isExactNumber } from '../literals/json-document.ts'

/** The fields that `mask("owner, card")` names. */
export function fieldsOfMask(value: string): readonly string[] {
  return value.split(',').map((name) => name.trim())
}

/**
 * A copy without these fields, at any depth and in lists too: a masked field has no way round. What is no plain data, such as a
 * `Date`, stays as it is.
 */
export function withoutFields<Value>(value: Value, names: ReadonlySet<string>): Value {
  if (Array.isArray(value)) return value.map((item: unknown) => withoutFields(item, names)) as Value
  if (typeof value !== 'object' || value === null || value instanceof Date || isExactNumber(value))
    return value
  const entries = Object.entries(value).filter(([name]) => !names.has(name))
  return Object.fromEntries(
    entries.map(([name, inner]) => [name, withoutFields(inner as unknown, names)]),
  ) as Value
}
