import { readJson, type Json } from '../literals/json-reader.ts'
import type { EntitySnapshot } from '../entities/entity-snapshot.ts'
import type { EntityStore } from '../entities/entity-store.ts'
import {
  readEntities,
  readUidInput,
  type EntitiesInput,
  type UidInput,
  type ValueInput,
} from '../entities/read-entities.ts'
import { badData, isObject, readEscape, readRecord } from '../entities/read-value.ts'
import { overlayFor } from '../entities/request-overlay.ts'
import { OverlayUids, RequestUids, type UidSource } from '../entities/uid-table.ts'
import type { EntityUid } from '../entities/uid.ts'
import { exists, readTypedRecord } from '../schema/read-typed-value.ts'
import type { AuthzSchema } from '../schema/schema.ts'
import { AuthzError } from '../errors.ts'
import { EMPTY_RECORD, type CedarRecord } from '../values/record.ts'
import type { EntityOverlay } from './frame.ts'

/** A question: may this principal do this action to this resource? */
export interface AuthzRequest {
  readonly principal: UidInput
  readonly action: UidInput
  readonly resource: UidInput
  /** Cedar's JSON format: text (read without losing a digit) or an object. Default empty. */
  readonly context?: string | { readonly [name: string]: ValueInput }
  /** Entities known for this request only, such as the object just loaded. They must not be in the store. */
  readonly entities?: EntitiesInput
}

/** A request whose names are looked up and whose context is read. */
export interface ResolvedRequest {
  readonly principal: EntityUid
  readonly action: EntityUid
  readonly resource: EntityUid
  readonly context: CedarRecord
  readonly overlay: EntityOverlay | undefined
}

/**
 * Reads a request and, with a schema, checks it: the action must exist and allow these types and this context.
 *
 * @throws `BW_AUTHZ_DATA_INVALID`, `BW_AUTHZ_ENTITY_CONFLICT`, `BW_AUTHZ_REQUEST_INVALID`.
 */
export function resolveRequest(request: AuthzRequest, store: EntityStore): ResolvedRequest {
  const { schema } = store
  const { entities } = request
  const uids: UidSource = entities === undefined ? new RequestUids(store.uids) : new OverlayUids(store.uids)
  const principal = readUidInput(request.principal, uids, 'principal')
  const action = readUidInput(request.action, uids, 'action')
  const resource = readUidInput(request.resource, uids, 'resource')
  const overlay =
    entities === undefined ? undefined : overlayFor(readEntities(entities, uids, schema), schema)
  const context = readContext(request.context, uids, action, schema)
  if (schema !== undefined) requireAllowed(principal, action, resource, schema)
  return { principal, action, resource, context, overlay }
}

/** What the request brings, on top of the store as it was at a snapshot. */
export function overlayAt(request: ResolvedRequest, at: EntitySnapshot): EntityOverlay {
  return request.overlay === undefined ? at.overlay : new Map([...at.overlay, ...request.overlay])
}

function readContext(
  input: AuthzRequest['context'],
  uids: UidSource,
  action: EntityUid,
  schema: AuthzSchema | undefined,
): CedarRecord {
  if (input === undefined && schema === undefined) return EMPTY_RECORD
  const json: Json | undefined = typeof input === 'string' ? readJson(input) : (input ?? {})
  if (!isObject(json) || readEscape(json, uids, 'context') !== undefined) {
    throw badData('context', 'expected a record')
  }
  if (schema === undefined) return readRecord(json, uids, 'context')
  const declared = schema.actions.get(action.key)
  if (declared === undefined) throw invalid(`the schema does not know the action ${action}`)
  return readTypedRecord(json, declared.context, schema, uids, 'context')
}

function requireAllowed(
  principal: EntityUid,
  action: EntityUid,
  resource: EntityUid,
  schema: AuthzSchema,
): void {
  const declared = schema.actions.get(action.key)
  if (declared === undefined) throw invalid(`the schema does not know the action ${action}`)
  if (!declared.principalTypes.has(principal.type))
    throw invalid(`${action} allows no principal of type ${principal.type}`)
  if (!declared.resourceTypes.has(resource.type))
    throw invalid(`${action} allows no resource of type ${resource.type}`)
  for (const uid of [principal, resource]) {
    if (!exists(uid, schema)) throw invalid(`the schema does not list ${uid}`)
  }
}

function invalid(what: string): AuthzError {
  return new AuthzError('BW_AUTHZ_REQUEST_INVALID', what)
}
