import type { EntityChanges } from '../entities/entity-store.ts'
import { entitiesIn } from '../entities/read-entities.ts'
import type { EntityInput, UidInput } from '../entities/read-entities.ts'

/**
 * The last state of every entity that was changed beside the bundles, so that the next bundle does not bring back an older one:
 * what was removed stays removed.
 */
export class LiveEntities {
  readonly #upserts = new Map<string, EntityInput>()
  readonly #removals = new Map<string, UidInput>()

  /** Remembers changes that a store has accepted. */
  add({ upsert = [], remove = [] }: EntityChanges): void {
    for (const entity of typeof upsert === 'string' ? entitiesIn(upsert) : upsert) {
      const key = keyOf(entity.uid)
      this.#removals.delete(key)
      this.#upserts.set(key, entity)
    }
    for (const uid of remove) {
      const key = keyOf(uid)
      this.#upserts.delete(key)
      this.#removals.set(key, uid)
    }
  }

  /** All of it as one transaction. */
  changes(): EntityChanges {
    return { upsert: [...this.#upserts.values()], remove: [...this.#removals.values()] }
  }
}

function keyOf(uid: UidInput): string {
  const { type, id } = '__entity' in uid ? uid.__entity : uid
  return `${type}::${JSON.stringify(id)}`
}
