import type { EntityRecord } from '../entities/entity-record.ts'
import type { EntityUid } from '../entities/uid.ts'
import type { Outcome } from '../values/value.ts'
import { EMPTY_RECORD, type CedarRecord } from '../values/record.ts'

/** Entity data that hides the store's for one request or one snapshot; `undefined` means "not there". */
export type EntityOverlay = ReadonlyMap<EntityUid, EntityRecord | undefined>

/** Why an evaluation failed, fixed at compile time. */
export interface Fault {
  readonly what: string
  /** Offset in the policy text. */
  readonly at: number
}

/** What a policy is evaluated against. One object is reused for every decision of an engine. */
export interface Frame {
  principal: EntityUid
  action: EntityUid
  resource: EntityUid
  context: CedarRecord
  overlay: EntityOverlay | undefined
  /** The fault behind the last ERROR. */
  fault: Fault | undefined
}

/** A compiled expression. */
export type Run = (frame: Frame) => Outcome

export function frameOf(principal: EntityUid, action: EntityUid, resource: EntityUid): Frame {
  return { principal, action, resource, context: EMPTY_RECORD, overlay: undefined, fault: undefined }
}

/** The data of an entity as this evaluation sees it. */
export function recordOf(frame: Frame, uid: EntityUid): EntityRecord | undefined {
  const { overlay } = frame
  if (overlay === undefined) return uid.record
  const hidden = overlay.get(uid)
  return hidden !== undefined || overlay.has(uid) ? hidden : uid.record
}

/** Cedar's `in` between two entities: reflexive, transitive, true of itself even for entities nobody stored. */
export function isWithin(frame: Frame, entity: EntityUid, group: EntityUid): boolean {
  if (entity === group) return true
  if (recordOf(frame, entity)?.ancestors.has(group) === true) return true
  return entity.id === group.id && entity.type === group.type
}
