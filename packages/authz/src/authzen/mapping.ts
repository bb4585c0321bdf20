import type { AuthzRequest } from '../engine/request.ts'
import type { EntityInput } from '../entities/read-entities.ts'
import type { AuthZenEntity, AuthZenEvaluation } from './model.ts'

/** How AuthZEN's names become Cedar's. */
export interface AuthZenMapping {
  /** Cedar type by AuthZEN type: `{ user: 'User' }`. Default: the same name. */
  readonly types?: Readonly<Record<string, string>>
  /**
   * Properties of a resource, by AuthZEN type, that are believed and become its attributes. Everything else that a request
   * says about its subject, action or resource is ignored: who may call this endpoint must not decide who somebody is.
   */
  readonly trustedProperties?: Readonly<Record<string, readonly string[]>>
  /** Cedar type of actions. Default `Action`. */
  readonly actionType?: string
}

/** The Cedar request of an evaluation. */
export function mapEvaluation(evaluation: AuthZenEvaluation, mapping: AuthZenMapping): AuthzRequest {
  const { subject, action, resource, context } = evaluation
  const entity = resourceEntity(resource, mapping)
  return {
    principal: uidOf(subject, mapping),
    action: { type: mapping.actionType ?? 'Action', id: action.name },
    resource: uidOf(resource, mapping),
    ...(context !== undefined && { context }),
    ...(entity !== undefined && { entities: [entity] }),
  }
}

export function uidOf(
  { type, id }: Pick<AuthZenEntity, 'type' | 'id'>,
  { types = {} }: AuthZenMapping,
): { readonly type: string; readonly id: string } {
  return { type: Object.hasOwn(types, type) ? (types[type] ?? type) : type, id }
}

function resourceEntity(resource: AuthZenEntity, mapping: AuthZenMapping): EntityInput | undefined {
  const { trustedProperties = {} } = mapping
  const trusted = Object.hasOwn(trustedProperties, resource.type)
    ? trustedProperties[resource.type]
    : undefined
  const { properties } = resource
  if (trusted === undefined || properties === undefined) return undefined
  const attrs = Object.fromEntries(Object.entries(properties).filter(([name]) => trusted.includes(name)))
  return { uid: uidOf(resource, mapping), attrs }
}
