import type { EntityRecord } from './entity-record.ts'

/**
 * The identity of an entity. Those named by policies or by the entity store exist once (`interned`), and their data
 * hangs on them: `record` is the current data in the store, undefined for an entity that is not there.
 */
export class EntityUid {
  readonly kind = 'entity' as const
  readonly type: string
  readonly id: string
  record: EntityRecord | undefined = undefined
  /** Entities that name this one as a direct parent, present in the store. Undefined when there is none. */
  children: Set<EntityUid> | undefined = undefined
  /** Whether a policy names it, so that it must never be dropped from the table. */
  pinned = false
  #key: string | undefined = undefined

  constructor(type: string, id: string) {
    this.type = type
    this.id = id
  }

  /** Equal exactly for equal identities, and different from the key of any other kind of value. */
  get key(): string {
    this.#key ??= `${this.type}::${JSON.stringify(this.id)}`
    return this.#key
  }

  /** The Cedar text, `Type::"id"`. */
  toString(): string {
    return this.key
  }
}
