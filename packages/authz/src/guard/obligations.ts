import type { Obligation } from '../engine/policy.ts'
import { refusedWith, type Refused } from './refused.ts'

/**
 * Carries out what a decision obliges to: `mask("owner, card")` takes fields away from a copy of the object, `alarm` is for the
 * log. One that is not known is not passed over: the request is refused.
 */
export function obey<Loaded extends object>(
  loaded: Loaded,
  obligations: readonly Obligation[],
): Loaded | Refused {
  let result: Loaded = loaded
  for (const { name, value } of obligations) {
    if (name === 'mask') result = without(result, namesIn(value))
    else if (name !== 'alarm') return refusedWith('BW_AUTHZ_OBLIGATION_UNKNOWN')
  }
  return result
}

function namesIn(value: string): ReadonlySet<string> {
  return new Set(value.split(',').map((name) => name.trim()))
}

/** Fields of any depth, in lists too: a masked field has no way round. */
function without<Value>(value: Value, names: ReadonlySet<string>): Value {
  if (Array.isArray(value)) return value.map((item: unknown) => without(item, names)) as Value
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  const entries = Object.entries(value).filter(([name]) => !names.has(name))
  return Object.fromEntries(entries.map(([name, inner]) => [name, without(inner as unknown, names)])) as Value
}
