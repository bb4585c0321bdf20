import { AuthzError } from '../errors.ts'
import type { Json, JsonObject } from '../literals/json-reader.ts'
import { callExtension, isKnownFunction } from '../values/extension.ts'
import { LONG_MAX, LONG_MIN, longOf } from '../values/long.ts'
import { CedarRecord, EMPTY_RECORD } from '../values/record.ts'
import { CedarSet } from '../values/set.ts'
import type { Value } from '../values/value.ts'
import type { EntityUid } from './uid.ts'
import type { UidSource } from './uid-table.ts'

/** `BW_AUTHZ_DATA_INVALID` with the place of the fault. */
export function badData(where: string, what: string): AuthzError {
  return new AuthzError('BW_AUTHZ_DATA_INVALID', `${where}: ${what}`)
}

export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

/** Reads a value in Cedar's JSON format, by its own marks alone (`__entity`, `__extn`). */
export function readValue(json: Json | undefined, uids: UidSource, where: string): Value {
  if (typeof json === 'boolean') return json
  if (typeof json === 'string') return readText(json, where)
  if (typeof json === 'number') {
    if (!Number.isSafeInteger(json))
      throw badData(where, `${json} is not a whole number that a double holds exactly`)
    return json + 0
  }
  if (typeof json === 'bigint') return longOf(json) ?? tooLong(json, where)
  if (json === null) throw badData(where, 'null has no meaning in Cedar')
  if (isObject(json)) return readEscape(json, uids, where) ?? readRecord(json, uids, where)
  if (!Array.isArray(json)) throw badData(where, `a value cannot be ${typeof json}`)
  return new CedarSet(json.map((element: Json) => readValue(element, uids, where)))
}

function tooLong(json: bigint, where: string): never {
  throw badData(where, `${json} is outside ${LONG_MIN} to ${LONG_MAX}`)
}

/** Rust strings hold no half surrogates; a string that does is not a Cedar string. */
export function readText(text: string, where: string): string {
  if (!text.isWellFormed()) throw badData(where, 'a string holds half of a surrogate pair')
  return text
}

export function readRecord(json: JsonObject, uids: UidSource, where: string): CedarRecord {
  const names = Object.keys(json)
  if (names.length === 0) return EMPTY_RECORD
  const fields = new Map<string, Value>()
  for (const name of names) {
    fields.set(readText(name, where), readValue(json[name], uids, `${where}.${name}`))
  }
  return new CedarRecord(fields)
}

/** `{"__entity":{…}}` or `{"__extn":{…}}`; undefined for an ordinary record. */
export function readEscape(json: JsonObject, uids: UidSource, where: string): Value | undefined {
  const [key, more] = Object.keys(json)
  if (key === undefined || more !== undefined || !key.startsWith('__')) return undefined
  if (key === '__expr') throw badData(where, 'the `__expr` escape is no longer supported')
  const inside = json[key]
  if (!isObject(inside)) return undefined
  if (key === '__entity') return readTypeAndId(inside, uids, where)
  return key === '__extn' ? readCall(inside, uids, where) : undefined
}

const TYPE_NAME = /^[_a-zA-Z][_a-zA-Z0-9]*(?:::[_a-zA-Z][_a-zA-Z0-9]*)*$/

/** `{type, id}`, both strings and nothing else. Undefined for another shape. */
export function readTypeAndId(json: JsonObject, uids: UidSource, where: string): EntityUid | undefined {
  const { type, id } = json as { readonly type?: Json; readonly id?: Json }
  if (typeof type !== 'string' || typeof id !== 'string' || Object.keys(json).length !== 2) return undefined
  return readUid(type, id, uids, where)
}

export function readUid(type: string, id: string, uids: UidSource, where: string): EntityUid {
  const uid = uids.uid(type, readText(id, where))
  // A name that the store knows was checked when it came in.
  if (uid.record === undefined && !TYPE_NAME.test(type))
    throw badData(where, `${JSON.stringify(type)} is not an entity type`)
  return uid
}

/** `{fn, arg}` or `{fn, args}`. Undefined for another shape. */
export function readCall(json: JsonObject, uids: UidSource, where: string): Value | undefined {
  const { fn, arg, args } = json as { readonly fn?: Json; readonly arg?: Json; readonly args?: Json }
  if (typeof fn !== 'string' || Object.keys(json).length !== 2) return undefined
  const list = arg === undefined ? args : [arg]
  if (!Array.isArray(list)) return undefined
  if (!isKnownFunction(fn)) throw badData(where, `unknown function ${JSON.stringify(fn)}`)
  const values = list.map((element: Json) => readValue(element, uids, where))
  const value = callExtension(fn, values)
  if (value === undefined)
    throw badData(where, `${fn}(${list.map((x: Json) => JSON.stringify(x)).join()}) fails`)
  return value
}
