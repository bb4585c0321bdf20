import type { EntityChanges, EntityStore } from '../entities/entity-store.ts'
import { entitiesIn } from '../entities/read-entities.ts'
import type { EntityInput, UidInput } from '../entities/read-entities.ts'

/**
 * The last state of every entity that was changed beside the bundles, so that the next bundle does not bring back an older one:
 * what was removed stays removed. A removal is remembered until policies come whose own entities no longer hold what was removed:
 * it grows with what is removed between two of them.
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

  /** What of it still matters over the entities that a store begins with. */
  over(base: EntityStore): LiveEntities {
    const { upsert = [], remove = [] } = this.changes()
    const live = new LiveEntities()
    const isHeld = (uid: UidInput): boolean => {
      const { type, id } = insideOf(uid)
      return base.has(type, id)
    }
    live.add({ upsert, remove: remove.filter(isHeld) })
    return live
  }

  /** All of it as one transaction. */
  changes(): EntityChanges {
    return { upsert: [...this.#upserts.values()], remove: [...this.#removals.values()] }
  }
}

function insideOf(uid: UidInput): { readonly type: string; readonly id: string } {
  return '__entity' in uid ? uid.__entity : uid
}

function keyOf(uid: UidInput): string {
  const { type, id } = insideOf(uid)
  return `${type}::${JSON.stringify(id)}`
}
