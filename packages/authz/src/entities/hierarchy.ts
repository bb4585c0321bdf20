import { AuthzError } from '../errors.ts'
import type { EntityRecord } from './entity-record.ts'
import type { EntityDraft } from './read-entities.ts'
import type { EntityUid } from './uid.ts'

/** The parents an entity will have; undefined when nothing about it (or above it) changes. */
export type ParentsOf = (uid: EntityUid) => readonly EntityUid[] | undefined

/**
 * The ancestors of every entity in `affected`, by depth-first walk without recursion; whatever `parentsOf` does not answer
 * keeps the ancestors it has. Cost: the sum of the ancestor sets built.
 *
 * @throws `BW_AUTHZ_ENTITY_CONFLICT` when the hierarchy would get a cycle.
 */
export function closeAncestors(
  affected: Iterable<EntityUid>,
  parentsOf: ParentsOf,
): Map<EntityUid, ReadonlySet<EntityUid>> {
  const done = new Map<EntityUid, ReadonlySet<EntityUid>>()
  const open = new Set<EntityUid>()
  for (const start of affected) {
    const stack = [start]
    for (let uid = stack.at(-1); uid !== undefined; uid = stack.at(-1)) {
      const parents = done.has(uid) ? undefined : parentsOf(uid)
      if (parents === undefined) {
        stack.pop()
        continue
      }
      open.add(uid)
      const waiting = parents.filter((parent) => !done.has(parent) && parentsOf(parent) !== undefined)
      for (const parent of waiting) {
        if (open.has(parent)) {
          throw new AuthzError('BW_AUTHZ_ENTITY_CONFLICT', `the hierarchy has a cycle through ${parent}`)
        }
      }
      if (waiting.length > 0) {
        stack.push(...waiting)
        continue
      }
      const ancestors = new Set<EntityUid>()
      for (const parent of parents) {
        ancestors.add(parent)
        for (const above of done.get(parent) ?? parent.record?.ancestors ?? []) ancestors.add(above)
      }
      done.set(uid, ancestors)
      open.delete(uid)
      stack.pop()
    }
  }
  return done
}

/** An entity's data with its place in the hierarchy; a fresh object of one shape. */
export function placed(draft: EntityDraft, ancestors: ReadonlySet<EntityUid>): EntityRecord {
  const { attributes, tags, parents } = draft
  return { attributes, tags, parents, ancestors, ancestorList: [...ancestors] }
}
