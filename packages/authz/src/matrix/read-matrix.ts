import type { EntityInput } from '../entities/read-entities.ts'
import { contextOf } from '../testing/read-tests.ts'
import { badInput, fieldsOf, listOf, textOf, textsOf } from '../testing/read-input.ts'
import type { ContextInput } from '../testing/question.ts'

/** Somebody who asks: a role seen through one of its users, and the process that user asks through. */
export interface MatrixSubject {
  readonly name: string
  readonly principal: string
  readonly context: ContextInput
}

/** What objects are to the subjects: `own order`, `foreign tenant`. */
export interface MatrixRelation {
  readonly name: string
  /** One of each type. */
  readonly resources: readonly string[]
}

/** Who asks, about what: the actions come from the schema. */
export interface MatrixDescription {
  readonly subjects: readonly MatrixSubject[]
  readonly relations: readonly MatrixRelation[]
  /** Filled in where the action knows the name. */
  readonly context: ContextInput
  /** Context for one action, by its id. */
  readonly actions: ReadonlyMap<string, ContextInput>
  readonly entities: readonly EntityInput[]
}

/**
 * Understands a matrix description that YAML or JSON has been read from.
 *
 * @throws `BW_AUTHZ_TEST_INVALID` with the place of the first fault.
 */
export function readMatrix(value: unknown, file: string): MatrixDescription {
  const fields = fieldsOf(value, file, ['subjects', 'relations', 'context', 'actions', 'entities'])
  const subjects = Object.entries(fieldsOf(fields['subjects'], `${file}: subjects`)).map(
    ([name, subject]) => {
      const where = `${file}: subjects.${name}`
      const { principal, context } = fieldsOf(subject, where, ['principal', 'context'])
      return {
        name,
        principal: textOf(principal, `${where}.principal`),
        context: contextOf(context, `${where}.context`),
      }
    },
  )
  const relations = Object.entries(fieldsOf(fields['relations'], `${file}: relations`)).map(
    ([name, list]) => ({
      name,
      resources: textsOf(list, `${file}: relations.${name}`),
    }),
  )
  if (subjects.length === 0 || relations.length === 0) throw badInput(file, 'needs subjects and relations')
  const actions = Object.entries(contextOf(fields['actions'], `${file}: actions`))
  return {
    subjects,
    relations,
    context: contextOf(fields['context'], `${file}: context`),
    actions: new Map(
      actions.map(([id, context]) => [id, contextOf(context, `${file}: actions.${id}`)] as const),
    ),
    entities: listOf(fields['entities'], `${file}: entities`) as readonly EntityInput[],
  }
}
