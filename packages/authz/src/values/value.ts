import type { EntityUid } from '../entities/uid.ts'
import type { Datetime, Duration } from './datetime.ts'
import type { Decimal } from './decimal.ts'
import type { IpAddress } from './ip-address.ts'
import type { Long } from './long.ts'
import type { CedarRecord } from './record.ts'
import type { CedarSet } from './set.ts'

/** A Cedar value at run time. */
export type Value =
  | boolean
  | Long
  | string
  | EntityUid
  | CedarSet
  | CedarRecord
  | Decimal
  | IpAddress
  | Datetime
  | Duration

/** The class of values that are objects; `kind` tells them apart without `instanceof`. */
export type ObjectValue = Exclude<Value, boolean | Long | string>

/** What an expression yields when it fails. A value and not an exception: an error in one policy is ordinary. */
export const ERROR: unique symbol = Symbol('cedar error')

/** A value, or the mark of a failed evaluation. */
export type Outcome = Value | typeof ERROR

/** Cedar's name of a value's type, for messages. */
export function typeName(value: Value): string {
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  if (typeof value !== 'object') return 'long'
  return value.kind === 'entity' ? `entity of type ${value.type}` : value.kind
}
