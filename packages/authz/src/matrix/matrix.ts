import type { Authorizer } from '../engine/authorizer.ts'
import type { ActionSchema } from '../schema/schema.ts'
import { badInput } from '../testing/read-input.ts'
import { readUidText, requestOf } from '../testing/question.ts'
import type { MatrixDescription, MatrixSubject } from './read-matrix.ts'

const HEAD = [
  '# allow: permitted · forbid: a forbid decides · -: no permit (deny by default) · refused: the schema allows no such request',
  '# A blank: no such pair in the schema. Written by `breakwater authz matrix --update`.',
]

/**
 * Every action of the schema × subject × relation, decided by the policies, as a text to be compared with the one before.
 *
 * @throws `BW_AUTHZ_TEST_INVALID` when the policies have no schema, or an action has no object to be tried on.
 */
export function matrixOf(authorizer: Authorizer, description: MatrixDescription): string {
  const { schema } = authorizer.store
  if (schema === undefined) throw badInput('matrix', 'the policies have no schema to take the actions from')
  authorizer.store.apply({ upsert: description.entities })
  const actions = [...schema.actions.values()].filter((action) => action.resourceTypes.size > 0)
  const sections = actions
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((action) => section(authorizer, description, action))
  return `${HEAD.join('\n')}\n\n${sections.join('\n')}`
}

function section(authorizer: Authorizer, description: MatrixDescription, action: ActionSchema): string {
  const columns = description.relations
    .map(({ name, resources }) => ({
      name,
      resource: resources.find((text) => action.resourceTypes.has(readUidText(text, name).type)),
    }))
    .filter((column) => column.resource !== undefined)
  if (columns.length === 0) {
    const types = [...action.resourceTypes].join(' or ')
    throw badInput('matrix', `no relation has a ${types} for ${action.id}`)
  }
  const rows = description.subjects.map((subject) => [
    subject.name,
    ...columns.map(({ resource = '' }) => cell(authorizer, description, subject, action, resource)),
  ])
  const table = [[action.id, ...columns.map(({ name }) => name)], ...rows]
  const widths = columns.map((_, index) => Math.max(...table.map((row) => (row[index + 1] ?? '').length)))
  const first = Math.max(...table.map(([name = '']) => name.length))
  const lines = table.map(([name = '', ...cells]) =>
    [name.padEnd(first), ...cells.map((text, index) => text.padEnd(widths[index] ?? 0))].join('  ').trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

function cell(
  authorizer: Authorizer,
  description: MatrixDescription,
  subject: MatrixSubject,
  action: ActionSchema,
  resource: string,
): string {
  const principal = readUidText(subject.principal, subject.name)
  if (!action.principalTypes.has(principal.type)) return ''
  const defaults = {
    ...description.context,
    ...subject.context,
    ...description.actions.get(action.id),
  }
  const question = {
    principal: subject.principal,
    action: `${action.type}::${JSON.stringify(action.id)}`,
    resource,
    context: {},
  }
  const { decision, reasons, failure } = authorizer.decide(
    requestOf(question, defaults, authorizer.store.schema),
  )
  if (failure !== undefined) return 'refused'
  if (decision === 'allow') return 'allow'
  return reasons.length > 0 ? 'forbid' : '-'
}
