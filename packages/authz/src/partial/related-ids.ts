import { isWithin, recordOf, type Frame } from '../engine/frame.ts'
import type { EntityUid } from '../entities/uid.ts'

/** More ids than this in one list are not pushed down. */
export const MAX_IDS = 1000

/** Ids of the entities of a type that are in a group, itself included. Undefined when there are too many. */
export function idsWithin(frame: Frame, group: EntityUid, entityType: string): string[] | undefined {
  const ids = new Set<string>(group.type === entityType ? [group.id] : [])
  const found = new Set([group])
  for (const uid of found) {
    for (const child of uid.children ?? []) found.add(child)
    if (uid.type === entityType && isWithin(frame, uid, group)) ids.add(uid.id)
    if (ids.size > MAX_IDS) return undefined
  }
  for (const uid of frame.overlay?.keys() ?? []) {
    if (uid.type === entityType && isWithin(frame, uid, group)) ids.add(uid.id)
  }
  return ids.size > MAX_IDS ? undefined : [...ids]
}

/** Ids of the entities of a type that an entity is in, itself included. */
export function idsAbove(frame: Frame, entity: EntityUid, entityType: string): string[] {
  return [entity, ...(recordOf(frame, entity)?.ancestors ?? [])]
    .filter((uid) => uid.type === entityType)
    .map((uid) => uid.id)
}
