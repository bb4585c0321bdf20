import type { EntityUid } from '../entities/uid.ts'
import { recordOf, type Frame } from './frame.ts'
import type { Scope } from './policy.ts'

/**
 * Finds what concerns one entity by hash look-ups: entries bound to that very entity, to a group it is in, to its type,
 * and those bound to nothing. Look-ups number at most its ancestors, whatever the number of entries; entities that no
 * policy names (`pinned` says so) cost none, so a great number of policies about others is not even looked into.
 */
export class ScopeIndex<Entry> {
  readonly #make: () => Entry
  #any: Entry | undefined
  readonly #equal = new Map<EntityUid, Entry>()
  readonly #within = new Map<EntityUid, Entry>()
  readonly #type = new Map<string, Entry>()

  constructor(make: () => Entry) {
    this.#make = make
  }

  /** The entry in which something with this scope is kept. A type beside a group is left for the visitor to check. */
  entryFor(scope: Scope): Entry {
    if (scope.equal !== undefined) return entry(this.#equal, scope.equal, this.#make)
    if (scope.within !== undefined) return entry(this.#within, scope.within, this.#make)
    if (scope.type !== undefined) return entry(this.#type, scope.type, this.#make)
    this.#any ??= this.#make()
    return this.#any
  }

  /** Calls `visit` with every entry whose scope takes in `uid`, each once. */
  visit<Visitor>(
    frame: Frame,
    uid: EntityUid,
    visitor: Visitor,
    visit: (entry: Entry, visitor: Visitor) => void,
  ): void {
    if (this.#any !== undefined) visit(this.#any, visitor)
    if (this.#equal.size > 0 && uid.pinned) {
      const found = this.#equal.get(uid)
      if (found !== undefined) visit(found, visitor)
    }
    if (this.#type.size > 0) {
      const found = this.#type.get(uid.type)
      if (found !== undefined) visit(found, visitor)
    }
    if (this.#within.size > 0) this.#visitGroups(frame, uid, visitor, visit)
  }

  #visitGroups<Visitor>(
    frame: Frame,
    uid: EntityUid,
    visitor: Visitor,
    visit: (entry: Entry, visitor: Visitor) => void,
  ): void {
    const itself = uid.pinned ? this.#within.get(uid) : undefined
    if (itself !== undefined) visit(itself, visitor)
    const record = recordOf(frame, uid)
    if (record === undefined) return
    const { ancestorList, ancestors } = record
    if (ancestorList.length > this.#within.size) {
      for (const [group, found] of this.#within) if (ancestors.has(group)) visit(found, visitor)
      return
    }
    for (let index = 0; index < ancestorList.length; index += 1) {
      const group = ancestorList[index] as EntityUid
      const found = group.pinned ? this.#within.get(group) : undefined
      if (found !== undefined) visit(found, visitor)
    }
  }
}

function entry<Key, Entry>(map: Map<Key, Entry>, key: Key, make: () => Entry): Entry {
  let found = map.get(key)
  if (found === undefined) map.set(key, (found = make()))
  return found
}
