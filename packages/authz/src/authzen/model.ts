import type { ValueInput } from '../entities/read-entities.ts'

/** Free-form attributes that the enforcement point sends along. */
export type Properties = Readonly<Record<string, ValueInput>>

/** A subject or resource (AuthZEN §5.1, §5.2). */
export interface AuthZenEntity {
  readonly type: string
  readonly id: string
  readonly properties?: Properties
}

/** One request for a decision (§6.1). */
export interface AuthZenEvaluation {
  readonly subject: AuthZenEntity
  readonly action: { readonly name: string; readonly properties?: Properties }
  readonly resource: AuthZenEntity
  readonly context?: Properties
}

/** A decision on the wire (§5.5). */
export interface AuthZenDecision {
  readonly decision: boolean
  readonly context?: Readonly<Record<string, unknown>>
}

/** A request that does not have the form the specification asks for. */
export class BadRequest extends Error {}

type Fields = Readonly<Record<string, unknown>>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function requiredFields(value: unknown, where: string): Fields {
  if (!isFields(value)) throw new BadRequest(`${where}: expected an object`)
  return value
}

export function requiredText(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '') throw new BadRequest(`${where}: expected a text`)
  return value
}

function propertiesOf(value: unknown, where: string): Properties | undefined {
  if (value === undefined) return undefined
  return requiredFields(value, where) as Properties
}

/** A subject or resource; `idOptional` for what a search looks for. */
export function readEntity(value: unknown, where: string): AuthZenEntity {
  const { type, id, properties } = requiredFields(value, where)
  const own = propertiesOf(properties, `${where}.properties`)
  return {
    type: requiredText(type, `${where}.type`),
    id: requiredText(id, `${where}.id`),
    ...(own !== undefined && { properties: own }),
  }
}

export function readAction(value: unknown): AuthZenEvaluation['action'] {
  const { name, properties } = requiredFields(value, 'action')
  const own = propertiesOf(properties, 'action.properties')
  return { name: requiredText(name, 'action.name'), ...(own !== undefined && { properties: own }) }
}

/**
 * One evaluation, its parts taken from `defaults` where it lacks them (§7.1.1). Unknown fields are ignored (§10.1.1).
 *
 * @throws BadRequest
 */
export function readEvaluation(value: unknown, defaults: Fields = {}): AuthZenEvaluation {
  const fields = { ...defaults, ...requiredFields(value, 'request') }
  const context = propertiesOf(fields['context'], 'context')
  return {
    subject: readEntity(fields['subject'], 'subject'),
    action: readAction(fields['action']),
    resource: readEntity(fields['resource'], 'resource'),
    ...(context !== undefined && { context }),
  }
}
