import { isExactNumber } from '../literals/json-document.ts'

/** The fields that `mask("owner, card")` names. */
export function fieldsOfMask(value: string): ReadonlySet<string> {
  return new Set(value.split(',').map((name) => name.trim()))
}

const ORDINARY = { configurable: true, enumerable: true, writable: true }

/**
 * A copy without these fields, at any depth and in lists too: a masked field has no way round. What is no plain data, such as a
 * `Date`, stays as it is.
 */
export function withoutFields<Value>(value: Value, names: ReadonlySet<string>): Value {
  if (Array.isArray(value)) return value.map((item: unknown) => withoutFields(item, names)) as Value
  if (typeof value !== 'object' || value === null || value instanceof Date || isExactNumber(value))
    return value
  const rest: Record<string, unknown> = {}
  const fields = value as Readonly<Record<string, unknown>>
  for (const name of Object.keys(fields)) {
    if (names.has(name)) continue
    const left = withoutFields(fields[name], names)
    // Assigned like any other, this one would become the prototype.
    if (name === '__proto__') Object.defineProperty(rest, name, { ...ORDINARY, value: left })
    else rest[name] = left
  }
  return rest as Value
}
