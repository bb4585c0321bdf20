import type { UidInput, ValueInput } from '../entities/read-entities.ts'
import type { AuthzRequest } from '../engine/request.ts'
import type { AuthzSchema } from '../schema/schema.ts'
import { badInput } from './read-input.ts'

/** Context in Cedar's JSON format, as an object. */
export type ContextInput = Readonly<Record<string, ValueInput>>

/** A request as people write it: `User::"ada"`, `refund`, `Invoice::"i1"`. */
export interface Question {
  readonly principal: string
  /** An entity, or the bare id of an action. */
  readonly action: string
  readonly resource: string
  readonly context: ContextInput
}

const UID = /^((?:[_a-zA-Z]\w*::)*[_a-zA-Z]\w*)::("(?:[^"\\]|\\.)*")$/

/**
 * Reads `Type::"id"`.
 *
 * @throws `BW_AUTHZ_TEST_INVALID` for anything else.
 */
export function readUidText(text: string, where: string): { readonly type: string; readonly id: string } {
  const [, type, quoted] = UID.exec(text) ?? []
  try {
    if (type !== undefined && quoted !== undefined) return { type, id: JSON.parse(quoted) as string }
  } catch {
    // Told below.
  }
  throw badInput(where, `${JSON.stringify(text)} is not an entity such as User::"ada"`)
}

/** `refund` is `Action::"refund"`. */
export function readActionText(text: string, where: string): { readonly type: string; readonly id: string } {
  return text.includes('::') ? readUidText(text, where) : { type: 'Action', id: text }
}

/**
 * A request from its text. `defaults` fill in the context where the action's schema knows the name: one set of defaults serves
 * actions with different contexts.
 *
 * @throws `BW_AUTHZ_TEST_INVALID`.
 */
export function requestOf(
  question: Question,
  defaults: ContextInput,
  schema: AuthzSchema | undefined,
): AuthzRequest & { readonly context: ContextInput; readonly action: UidInput } {
  const action = readActionText(question.action, 'action')
  const known = schema?.actions.get(`${action.type}::${JSON.stringify(action.id)}`)?.context.attributes
  const fitting = Object.entries(defaults).filter(([name]) => schema === undefined || known?.has(name))
  return {
    principal: readUidText(question.principal, 'principal'),
    action,
    resource: readUidText(question.resource, 'resource'),
    context: { ...Object.fromEntries(fitting), ...question.context },
  }
}
