import { readTyped, readTypedRecord } from '../schema/read-typed-value.ts'
import type { AuthzSchema } from '../schema/schema.ts'
import { AuthzError } from '../errors.ts'
import { readJson, type Json, type JsonObject } from '../literals/json-reader.ts'
import { CedarRecord } from '../values/record.ts'
import type { Value } from '../values/value.ts'
import { badData, isObject, readRecord, readTypeAndId, readText } from './read-value.ts'
import type { EntityUid } from './uid.ts'
import type { UidSource } from './uid-table.ts'

/** Entities in Cedar's JSON format: text (read without losing a digit) or objects (bigint for integers beyond 2^53). */
export type EntitiesInput = string | readonly EntityInput[]

/** An identity: `{type, id}` or `{__entity: {type, id}}`. */
export type UidInput =
  | { readonly type: string; readonly id: string }
  | { readonly __entity: { readonly type: string; readonly id: string } }

/** Whatever Cedar's JSON format holds. */
export type ValueInput =
  | boolean
  | number
  | bigint
  | string
  | readonly ValueInput[]
  | { readonly [name: string]: ValueInput }

export interface EntityInput {
  readonly uid: UidInput
  readonly attrs?: { readonly [name: string]: ValueInput }
  readonly parents?: readonly UidInput[]
  readonly tags?: { readonly [name: string]: ValueInput }
}

/** An entity read and checked, its ancestors not yet known. */
export interface EntityDraft {
  readonly attributes: ReadonlyMap<string, Value>
  readonly tags: ReadonlyMap<string, Value>
  readonly parents: readonly EntityUid[]
}

/**
 * Reads a batch. With a schema every entity must fit its type.
 *
 * @throws `BW_AUTHZ_DATA_INVALID`, `BW_AUTHZ_ENTITY_CONFLICT` for one entity given twice with different data.
 */
export function readEntities(
  input: EntitiesInput,
  uids: UidSource,
  schema: AuthzSchema | undefined,
): Map<EntityUid, EntityDraft> {
  const json: unknown = typeof input === 'string' ? readJson(input) : input
  if (!Array.isArray(json)) throw badData('entities', 'expected a list')
  const drafts = new Map<EntityUid, EntityDraft>()
  for (const item of json as readonly Json[]) {
    if (!isObject(item)) throw badData('entities', 'expected an object')
    const uid = readUidInput(item['uid'], uids, 'uid')
    const draft = readEntity(uid, item, uids, schema)
    const earlier = drafts.get(uid)
    if (earlier !== undefined && draftKey(earlier) !== draftKey(draft)) {
      throw new AuthzError('BW_AUTHZ_ENTITY_CONFLICT', `${uid} is given twice with different data`)
    }
    drafts.set(uid, draft)
  }
  return drafts
}

/**
 * The entities of a text, each with an identity; what is inside them is for the store to check.
 *
 * @throws `BW_AUTHZ_DATA_INVALID`
 */
export function entitiesIn(text: string): readonly EntityInput[] {
  const json: unknown = readJson(text)
  const items: readonly unknown[] = Array.isArray(json) ? json : []
  if (!Array.isArray(json) || !items.every(isEntityInput))
    throw badData('entities', 'expected a list of entities')
  return items
}

function isEntityInput(json: unknown): json is EntityInput {
  if (!hasKey(json, 'uid')) return false
  const { uid } = json
  const inside = hasKey(uid, '__entity') ? uid.__entity : uid
  return (
    hasKey(inside, 'type') &&
    hasKey(inside, 'id') &&
    [inside.type, inside.id].every((part) => typeof part === 'string')
  )
}

function hasKey<Key extends string>(json: unknown, key: Key): json is Record<Key, unknown> {
  return typeof json === 'object' && json !== null && Object.hasOwn(json, key)
}

/** Reads `{type, id}` or `{__entity: {type, id}}`. */
export function readUidInput(json: Json | undefined, uids: UidSource, where: string): EntityUid {
  const inside = isObject(json) && '__entity' in json ? json['__entity'] : json
  const uid = isObject(inside) ? readTypeAndId(inside, uids, where) : undefined
  if (uid === undefined) throw badData(where, 'expected {"type": …, "id": …}')
  return uid
}

function readEntity(
  uid: EntityUid,
  json: JsonObject,
  uids: UidSource,
  schema: AuthzSchema | undefined,
): EntityDraft {
  const {
    attrs = {},
    parents = [],
    tags = {},
  } = json as { readonly attrs?: Json; readonly parents?: Json; readonly tags?: Json }
  if (!isObject(attrs)) throw badData(`${uid}`, 'attrs must be an object')
  if (!isObject(tags)) throw badData(`${uid}`, 'tags must be an object')
  if (!Array.isArray(parents)) throw badData(`${uid}`, 'parents must be a list')
  const above = (parents as readonly Json[]).map((parent) => readUidInput(parent, uids, `${uid} parents`))
  if (schema === undefined || schema.actions.has(uid.key)) {
    return {
      attributes: readRecord(attrs, uids, `${uid}`).fields,
      tags: readRecord(tags, uids, `${uid} tags`).fields,
      parents: [...new Set(above)],
    }
  }
  return readTypedEntity(uid, attrs, tags, [...new Set(above)], uids, schema)
}

function readTypedEntity(
  uid: EntityUid,
  attrs: JsonObject,
  tags: JsonObject,
  parents: readonly EntityUid[],
  uids: UidSource,
  schema: AuthzSchema,
): EntityDraft {
  const type = schema.entityTypes.get(uid.type)
  if (type === undefined) throw badData(`${uid}`, 'the schema does not know this entity type')
  if (type.ids?.has(uid.id) === false) throw badData(`${uid}`, 'the schema does not list this id')
  for (const parent of parents) {
    if (!type.memberOf.has(parent.type))
      throw badData(`${uid}`, `the schema allows no parent of type ${parent.type}`)
    if (schema.entityTypes.get(parent.type)?.ids?.has(parent.id) === false) {
      throw badData(`${uid}`, `the schema does not list the parent ${parent}`)
    }
  }
  const tagValues = new Map<string, Value>()
  for (const name of Object.keys(tags)) {
    if (type.tags === undefined) throw badData(`${uid}`, 'the schema allows no tags')
    tagValues.set(
      readText(name, `${uid}`),
      readTyped(tags[name], type.tags, schema, uids, `${uid} tag ${name}`),
    )
  }
  return {
    attributes: readTypedRecord(attrs, type.shape, schema, uids, `${uid}`).fields,
    tags: tagValues,
    parents,
  }
}

function draftKey(draft: EntityDraft): string {
  const { attributes, tags, parents } = draft
  const keys = parents.map((parent) => parent.key).sort()
  return [new CedarRecord(attributes).key, new CedarRecord(tags).key, ...keys].join(' ')
}
