import type { AuthzSchema } from '../schema/schema.ts'
import { AuthzError } from '../errors.ts'
import type { EntityRecord } from './entity-record.ts'
import { closeAncestors, placed } from './hierarchy.ts'
import type { EntityDraft } from './read-entities.ts'
import type { EntityUid } from './uid.ts'

/**
 * Entities a request brings along, on top of the store. They may name stored entities as parents; they may not replace
 * one, nor slip in between stored entities, because the store's ancestors would then be wrong for this request.
 *
 * @throws `BW_AUTHZ_ENTITY_CONFLICT`.
 */
export function overlayFor(
  drafts: ReadonlyMap<EntityUid, EntityDraft>,
  schema: AuthzSchema | undefined,
): Map<EntityUid, EntityRecord> {
  for (const uid of drafts.keys()) {
    if (schema?.actions.has(uid.key) === true) throw conflict(uid, 'is an action of the schema')
    if (uid.record !== undefined) throw conflict(uid, 'is already in the store')
    if ((uid.children?.size ?? 0) > 0) throw conflict(uid, 'has members in the store')
  }
  const overlay = new Map<EntityUid, EntityRecord>()
  for (const [uid, ancestors] of closeAncestors(drafts.keys(), (uid) => drafts.get(uid)?.parents)) {
    const draft = drafts.get(uid)
    if (draft !== undefined) overlay.set(uid, placed(draft, ancestors))
  }
  return overlay
}

function conflict(uid: EntityUid, why: string): AuthzError {
  return new AuthzError('BW_AUTHZ_ENTITY_CONFLICT', `${uid} comes with the request but ${why}`)
}
