import type { Value } from './value.ts'

/**
 * A text that two values share exactly when they are equal in Cedar: sets without order and duplicates, extension
 * values by value. Cost is linear in the size of the value; composite values remember theirs.
 */
export function keyOf(value: Value): string {
  if (typeof value === 'object') return value.key
  return typeof value === 'string' ? JSON.stringify(value) : `${value}`
}

/** Cedar's `==`. Never fails: values of different types are unequal. */
export function equals(left: Value, right: Value): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left.kind !== right.kind) return false
  if (left.kind === 'entity' && right.kind === 'entity') {
    return left.id === right.id && left.type === right.type
  }
  return left.key === right.key
}
