import {
  badData,
  isObject,
  readCall,
  readEscape,
  readText,
  readTypeAndId,
  readValue,
} from '../entities/read-value.ts'
import type { UidSource } from '../entities/uid-table.ts'
import type { Json, JsonObject } from '../literals/json-reader.ts'
import { constructors } from '../values/extension.ts'
import { CedarRecord } from '../values/record.ts'
import { CedarSet } from '../values/set.ts'
import { typeName, type Value } from '../values/value.ts'
import type { AuthzSchema, RecordType, SchemaType } from './schema.ts'

/**
 * Reads a value the schema has a type for: entities may come as plain `{type, id}`, extension values as plain strings
 * (implicit `__entity` and `__extn`), and the value must fit the type.
 */
export function readTyped(
  json: Json | undefined,
  type: SchemaType,
  schema: AuthzSchema,
  uids: UidSource,
  where: string,
): Value {
  const value = readImplicit(json, type, schema, uids, where) ?? readValue(json, uids, where)
  if (!fits(value, type, schema)) throw badData(where, `expected ${nameOf(type)}, got ${typeName(value)}`)
  return value
}

function readImplicit(
  json: Json | undefined,
  type: SchemaType,
  schema: AuthzSchema,
  uids: UidSource,
  where: string,
): Value | undefined {
  switch (type.kind) {
    case 'entity':
      return isObject(json) ? readTypeAndId(json, uids, where) : undefined
    case 'extension':
      if (isObject(json)) return readCall(json, uids, where)
      return typeof json === 'string' ? constructed(json, type.name, where) : undefined
    case 'set':
      if (!Array.isArray(json)) return undefined
      return new CedarSet(json.map((element: Json) => readTyped(element, type.element, schema, uids, where)))
    case 'record':
      return isObject(json) && readEscape(json, uids, where) === undefined
        ? readTypedRecord(json, type, schema, uids, where)
        : undefined
    case 'boolean':
    case 'long':
    case 'string':
      return undefined
  }
}

function constructed(text: string, name: string, where: string): Value {
  const value = constructors.get(name === 'ipaddr' ? 'ip' : name)?.(text)
  if (value === undefined) throw badData(where, `${JSON.stringify(text)} is not a ${name}`)
  return value
}

/** A record with exactly the attributes its type declares, optional ones apart. */
export function readTypedRecord(
  json: JsonObject,
  type: RecordType,
  schema: AuthzSchema,
  uids: UidSource,
  where: string,
): CedarRecord {
  const fields = new Map<string, Value>()
  for (const name of Object.keys(json)) {
    const attribute = type.attributes.get(readText(name, where))
    if (attribute === undefined)
      throw badData(where, `the schema knows no attribute ${JSON.stringify(name)} here`)
    fields.set(name, readTyped(json[name], attribute.type, schema, uids, `${where}.${name}`))
  }
  for (const [name, { required }] of type.attributes) {
    if (required && !fields.has(name)) throw badData(where, `attribute ${JSON.stringify(name)} is missing`)
  }
  return new CedarRecord(fields)
}

/** Whether a value belongs to a type of the schema. */
export function fits(value: Value, type: SchemaType, schema: AuthzSchema): boolean {
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'long':
      return typeof value === 'number' || typeof value === 'bigint'
    case 'string':
      return typeof value === 'string'
    case 'set':
      return (
        typeof value === 'object' &&
        value.kind === 'set' &&
        value.elements.every((e) => fits(e, type.element, schema))
      )
    case 'record':
      return typeof value === 'object' && value.kind === 'record' && fitsRecord(value, type, schema)
    case 'entity':
      return (
        typeof value === 'object' &&
        value.kind === 'entity' &&
        value.type === type.name &&
        exists(value, schema)
      )
    case 'extension':
      return typeof value === 'object' && value.kind === type.name
  }
}

/** Whether an enumerated type or the action list has this id; true for every other type. */
export function exists(
  uid: { readonly type: string; readonly id: string; readonly key: string },
  schema: AuthzSchema,
): boolean {
  const entityType = schema.entityTypes.get(uid.type)
  if (entityType !== undefined) return entityType.ids?.has(uid.id) ?? true
  return schema.actions.has(uid.key)
}

export function fitsRecord(value: CedarRecord, type: RecordType, schema: AuthzSchema): boolean {
  for (const [name, field] of value.fields) {
    const attribute = type.attributes.get(name)
    if (attribute === undefined || !fits(field, attribute.type, schema)) return false
  }
  for (const [name, { required }] of type.attributes) {
    if (required && !value.fields.has(name)) return false
  }
  return true
}

function nameOf(type: SchemaType): string {
  if (type.kind === 'entity') return `entity of type ${type.name}`
  return type.kind === 'extension' ? type.name : type.kind
}
