import type { AuthzRequest } from '../engine/request.ts'
import type { EntityInput } from '../entities/read-entities.ts'
import type { AuthZenEntity, AuthZenEvaluation, Properties } from './model.ts'

/** Names of properties by AuthZEN type. */
export type PropertyNames = Readonly<Record<string, readonly string[]>>

/** How AuthZEN's names become Cedar's. */
export interface AuthZenMapping {
  /** Cedar type by AuthZEN type: `{ user: 'User' }`. Default: the same name. */
  readonly types?: Readonly<Record<string, string>>
  /**
   * Properties that are believed. Those of a subject or resource become its attributes, those of an action the record
   * `action` in the context. Everything else that a request says about them is ignored: whoever calls this endpoint must
   * not decide who somebody is. Trust a subject's properties only where every caller may say them.
   */
  readonly trustedProperties?: {
    readonly subject?: PropertyNames
    readonly resource?: PropertyNames
    readonly action?: readonly string[]
  }
  /** Names kept of the context; a schema refuses others than its own. Default: all. */
  readonly contextKeys?: readonly string[]
  /** Whether the store has this entity: then what the request says about it is not needed, and not believed. */
  readonly isStored?: (uid: CedarName) => boolean
  /** Cedar type of actions. Default `Action`. */
  readonly actionType?: string
}

interface CedarName {
  readonly type: string
  readonly id: string
}

/** The Cedar request of an evaluation. */
export function mapEvaluation(evaluation: AuthZenEvaluation, mapping: AuthZenMapping): AuthzRequest {
  const { subject, action, resource } = evaluation
  const { trustedProperties: trusted = {}, actionType = 'Action' } = mapping
  const entities = [
    entityOf(subject, trusted.subject, mapping),
    entityOf(resource, trusted.resource, mapping),
  ].filter((entity) => entity !== undefined)
  const context = contextOf(evaluation, mapping)
  return {
    principal: uidOf(subject, mapping),
    action: { type: actionType, id: action.name },
    resource: uidOf(resource, mapping),
    ...(context !== undefined && { context }),
    ...(entities.length > 0 && { entities }),
  }
}

function uidOf({ type, id }: CedarName, { types = {} }: AuthZenMapping): CedarName {
  return { type: Object.hasOwn(types, type) ? (types[type] ?? type) : type, id }
}

function entityOf(
  entity: AuthZenEntity,
  names: PropertyNames | undefined,
  mapping: AuthZenMapping,
): EntityInput | undefined {
  const trusted = names !== undefined && Object.hasOwn(names, entity.type) ? names[entity.type] : undefined
  const uid = uidOf(entity, mapping)
  if (trusted === undefined || entity.properties === undefined || mapping.isStored?.(uid) === true)
    return undefined
  return { uid, attrs: only(entity.properties, trusted) }
}

function contextOf({ context, action }: AuthZenEvaluation, mapping: AuthZenMapping): Properties | undefined {
  const { contextKeys, trustedProperties } = mapping
  const kept = context === undefined || contextKeys === undefined ? context : only(context, contextKeys)
  const names = trustedProperties?.action
  if (names === undefined || action.properties === undefined) return kept
  return { ...kept, action: only(action.properties, names) }
}

function only(properties: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => names.includes(name)))
}
