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
import { KnownUid } from '../entities/known-uid.ts'
import { OverlayUids, type RequestUids, type UidSource, type UidTable } from '../entities/uid-table.ts'
import type { EntityUid } from '../entities/uid.ts'
import { exists, readTypedRecord } from '../schema/read-typed-value.ts'
import type { ActionSchema, AuthzSchema } from '../schema/schema.ts'
import { AuthzError } from '../errors.ts'
import { EMPTY_RECORD, type CedarRecord } from '../values/record.ts'
import type { EntityOverlay } from './frame.ts'
import { KnownContext } from './known-context.ts'
import { KnownQuestions } from './known-question.ts'

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
  const { entities } = request
  const known = entities === undefined ? KnownQuestions.resolve(request, store) : undefined
  return known ?? readRequest(request, store)
}

function readRequest(request: AuthzRequest, store: EntityStore): ResolvedRequest {
  const { schema } = store
  const { entities } = request
  // Entities of the request change what a name stands for: then nothing that is known beforehand counts.
  const names = entities === undefined ? store.requestUids : undefined
  const uids: UidSource = names ?? new OverlayUids(store.uids)
  const principal = readName(request.principal, names, uids, 'principal')
  const action = readName(request.action, names, uids, 'action')
  const resource = readName(request.resource, names, uids, 'resource')
  const overlay =
    entities === undefined ? undefined : overlayFor(readEntities(entities, uids, schema), schema)
  const declared = schema?.actions.get(action.key)
  if (schema !== undefined && declared === undefined)
    throw invalid(`the schema does not know the action ${action}`)
  const context = contextOf(request.context, names?.table, uids, declared, schema)
  if (schema !== undefined && declared !== undefined) requireAllowed(principal, declared, resource, schema)
  const resolved = { principal, action, resource, context, overlay }
  if (entities === undefined) KnownQuestions.keep(request, resolved, store)
  return resolved
}

/** What the request brings, on top of the store as it was at a snapshot. */
export function overlayAt(request: ResolvedRequest, at: EntitySnapshot): EntityOverlay {
  return request.overlay === undefined ? at.overlay : new Map([...at.overlay, ...request.overlay])
}

function readName(
  input: UidInput,
  names: RequestUids | undefined,
  uids: UidSource,
  where: string,
): EntityUid {
  const known = names === undefined ? undefined : KnownUid.in(names, input, where)
  return known ?? readUidInput(input, uids, where)
}

function contextOf(
  input: AuthzRequest['context'],
  table: UidTable | undefined,
  uids: UidSource,
  declared: ActionSchema | undefined,
  schema: AuthzSchema | undefined,
): CedarRecord {
  if (table === undefined || !(input instanceof KnownContext))
    return readContext(input, uids, declared, schema)
  const known = KnownContext.recordOf(input, table, declared?.context)
  if (known !== undefined) return known
  const record = readContext(input, uids, declared, schema)
  KnownContext.keep(input, record, table, declared?.context)
  return record
}

function readContext(
  input: AuthzRequest['context'],
  uids: UidSource,
  declared: ActionSchema | undefined,
  schema: AuthzSchema | undefined,
): CedarRecord {
  if (input === undefined && schema === undefined) return EMPTY_RECORD
  const json: Json | undefined = typeof input === 'string' ? readJson(input) : (input ?? {})
  if (!isObject(json) || readEscape(json, uids, 'context') !== undefined) {
    throw badData('context', 'expected a record')
  }
  if (schema === undefined || declared === undefined) return readRecord(json, uids, 'context')
  return readTypedRecord(json, declared.context, schema, uids, 'context')
}

function requireAllowed(
  principal: EntityUid,
  action: ActionSchema,
  resource: EntityUid,
  schema: AuthzSchema,
): void {
  if (!action.principalTypes.has(principal.type))
    throw invalid(`${nameOf(action)} allows no principal of type ${principal.type}`)
  if (!action.resourceTypes.has(resource.type))
    throw invalid(`${nameOf(action)} allows no resource of type ${resource.type}`)
  if (!exists(principal, schema)) throw invalid(`the schema does not list ${principal}`)
  if (!exists(resource, schema)) throw invalid(`the schema does not list ${resource}`)
}

function nameOf({ type, id }: ActionSchema): string {
  return `${type}::${JSON.stringify(id)}`
}

function invalid(what: string): AuthzError {
  return new AuthzError('BW_AUTHZ_REQUEST_INVALID', what)
}
