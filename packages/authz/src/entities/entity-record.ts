import type { Value } from '../values/value.ts'
import type { EntityUid } from './uid.ts'

/** The data of one entity. Never changed in place: an update makes a new one. */
export interface EntityRecord {
  readonly attributes: ReadonlyMap<string, Value>
  readonly tags: ReadonlyMap<string, Value>
  readonly parents: readonly EntityUid[]
  /** Every entity above this one, itself not included. */
  readonly ancestors: ReadonlySet<EntityUid>
  /** The same as a list: walking an array is several times faster than walking a Set. */
  readonly ancestorList: readonly EntityUid[]
}
