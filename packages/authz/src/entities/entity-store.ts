import { AuthzError } from '../errors.ts'
import type { AuthzSchema } from '../schema/schema.ts'
import type { EntityRecord } from './entity-record.ts'
import { closeAncestors, placed } from './hierarchy.ts'
import {
  readEntities,
  readUidInput,
  type EntitiesInput,
  type EntityDraft,
  type UidInput,
} from './read-entities.ts'
import { EntitySnapshot } from './entity-snapshot.ts'
import { sweepUids } from './sweep.ts'
import type { EntityUid } from './uid.ts'
import { RequestUids, UidTable } from './uid-table.ts'

/** One transaction: all of it happens, or nothing. */
export interface EntityChanges {
  /** Added, or replaced as a whole. */
  readonly upsert?: EntitiesInput
  /** Taken out. Their children keep naming them as parents, as in Cedar. Unknown ones are ignored. */
  readonly remove?: readonly UidInput[]
}

const SWEEP_SLACK = 1024

/**
 * The entities decisions are made on: identities exist once, ancestors are kept as the hierarchy changes, and every
 * change is a transaction that the next decision sees whole. A change costs the entities it touches and everything below
 * them; reads cost nothing. With a schema, data must fit it and the action hierarchy comes from it.
 */
export class EntityStore {
  readonly schema: AuthzSchema | undefined
  /** Shared with the policies compiled against this store. */
  readonly uids: UidTable = new UidTable()
  /** Names of requests, which add nothing to the table. */
  readonly requestUids: RequestUids = new RequestUids(this.uids)
  readonly #present = new Set<EntityUid>()
  readonly #snapshots = new Set<EntitySnapshot>()
  #version = 0
  #sweepAt = SWEEP_SLACK

  constructor(schema?: AuthzSchema) {
    this.schema = schema
    if (schema !== undefined) this.#commit(actionDrafts(schema, this.uids))
  }

  /** Goes up by one with each transaction. */
  get version(): number {
    return this.#version
  }

  /** Entities stored, the schema's actions included. */
  get size(): number {
    return this.#present.size
  }

  /** Whether there is an entity of this type and id. */
  has(type: string, id: string): boolean {
    return this.uids.find(type, id)?.record !== undefined
  }

  /** Every stored identity. */
  entities(): Iterable<EntityUid> {
    return this.#present.values()
  }

  /**
   * Applies a transaction and returns the new version.
   *
   * @throws `BW_AUTHZ_DATA_INVALID`, `BW_AUTHZ_ENTITY_CONFLICT` (a cycle, one entity twice, an action that is not the
   * schema's), with nothing changed.
   */
  apply(changes: EntityChanges): number {
    const drafts: Map<EntityUid, EntityDraft | undefined> = readEntities(
      changes.upsert ?? [],
      this.uids,
      this.schema,
    )
    for (const input of changes.remove ?? []) {
      const uid = readUidInput(input, this.requestUids, 'remove')
      if (drafts.has(uid))
        throw new AuthzError('BW_AUTHZ_ENTITY_CONFLICT', `${uid} is both written and removed`)
      if (uid.record !== undefined) drafts.set(uid, undefined)
    }
    for (const uid of drafts.keys()) {
      if (this.schema?.actions.has(uid.key) !== true) continue
      if (!sameAction(uid, drafts.get(uid))) {
        throw new AuthzError('BW_AUTHZ_ENTITY_CONFLICT', `${uid} differs from the schema's action`)
      }
      drafts.delete(uid)
    }
    return this.#commit(drafts)
  }

  /** A view of the store as it is now, whatever happens next. Release it: later changes keep old data for it. */
  snapshot(): EntitySnapshot {
    const snapshot = new EntitySnapshot(this.#version, () => this.#snapshots.delete(snapshot))
    this.#snapshots.add(snapshot)
    return snapshot
  }

  #commit(drafts: ReadonlyMap<EntityUid, EntityDraft | undefined>): number {
    const affected = below(drafts.keys())
    const ancestors = closeAncestors(affected, (uid) => {
      if (!affected.has(uid)) return undefined
      // A removed entity passes on no ancestors, least of all the ones it had.
      return drafts.has(uid) ? (drafts.get(uid)?.parents ?? []) : uid.record?.parents
    })
    // Nothing can fail from here on.
    for (const uid of affected) {
      const draft = drafts.has(uid) ? drafts.get(uid) : uid.record
      const above = ancestors.get(uid)
      const record = draft === undefined || above === undefined ? undefined : placed(draft, above)
      this.#write(uid, record)
    }
    this.#version += 1
    this.#sweep()
    return this.#version
  }

  #write(uid: EntityUid, record: EntityRecord | undefined): void {
    for (const snapshot of this.#snapshots) snapshot.keep(uid)
    for (const parent of uid.record?.parents ?? []) parent.children?.delete(uid)
    for (const parent of record?.parents ?? []) (parent.children ??= new Set()).add(uid)
    uid.record = record
    if (record === undefined) this.#present.delete(uid)
    else this.#present.add(uid)
  }

  /** Forgets identities that nothing names any more, once their number has doubled: a constant cost per change. */
  #sweep(): void {
    if (this.uids.size < this.#sweepAt || this.#snapshots.size > 0) return
    sweepUids(this.uids, this.#present)
    this.#sweepAt = this.uids.size * 2 + SWEEP_SLACK
  }
}

/** The entities given and all below them. */
function below(start: Iterable<EntityUid>): Set<EntityUid> {
  const found = new Set(start)
  // A Set visits what is added to it on the way.
  for (const uid of found) for (const child of uid.children ?? []) found.add(child)
  return found
}

function actionDrafts(schema: AuthzSchema, uids: UidTable): Map<EntityUid, EntityDraft> {
  const drafts = new Map<EntityUid, EntityDraft>()
  for (const { type, id, parents } of schema.actions.values()) {
    drafts.set(uids.uid(type, id), {
      attributes: new Map(),
      tags: new Map(),
      parents: parents.map((parent) => uids.uid(parent.type, parent.id)),
    })
  }
  return drafts
}

/** Whether an action in the data is the one the schema declares: no attributes, the same ancestors. */
function sameAction(uid: EntityUid, draft: EntityDraft | undefined): boolean {
  if (draft === undefined || draft.attributes.size > 0 || draft.tags.size > 0) return false
  const mine = uid.record?.ancestors ?? new Set<EntityUid>()
  const given = new Set(draft.parents.flatMap((parent) => [parent, ...(parent.record?.ancestors ?? [])]))
  return given.size === mine.size && [...given].every((ancestor) => mine.has(ancestor))
}
