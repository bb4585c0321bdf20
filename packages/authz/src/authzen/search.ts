import { createHash } from 'node:crypto'
import type { EntityStore } from '../entities/entity-store.ts'
import type { DecideEvaluation } from './evaluate.ts'
import type { AuthZenMapping } from './mapping.ts'
import { BadRequest, isFields, readAction, readEntity, requiredFields, requiredText } from './model.ts'
import type { AuthZenEntity, AuthZenEvaluation } from './model.ts'

/** What can be looked for (AuthZEN §8). */
export type SearchKind = 'subject' | 'resource' | 'action'

/**
 * Whom and what a search may find. Everything here is decided one by one: for a table of millions give a list that a
 * `ListPlan` has narrowed in the database. The order must stay the same from page to page.
 */
export interface AuthZenCandidates {
  entities(type: string, kind: 'subject' | 'resource'): Iterable<AuthZenEntity>
  actions(resourceType: string): Iterable<string>
}

/** The entities of a store, and the actions of its schema. */
export function storeCandidates(store: EntityStore, { types = {} }: AuthZenMapping = {}): AuthZenCandidates {
  const cedarType = (type: string): string => (Object.hasOwn(types, type) ? (types[type] ?? type) : type)
  return {
    *entities(type) {
      for (const uid of store.entities()) if (uid.type === cedarType(type)) yield { type, id: uid.id }
    },
    *actions(resourceType) {
      for (const action of store.schema?.actions.values() ?? []) {
        if (action.resourceTypes.has(cedarType(resourceType))) yield action.id
      }
    },
  }
}

/** Decisions made for one page at most. */
const MAX_SCANNED = 10_000
const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

/**
 * The answer to a search: those candidates for which an evaluation would be allowed, a page at a time.
 *
 * @throws BadRequest
 */
export async function search(
  kind: SearchKind,
  body: Readonly<Record<string, unknown>>,
  candidates: AuthZenCandidates,
  decide: DecideEvaluation,
): Promise<object> {
  const { limit, start, digest } = pageOf(body, kind)
  const results: object[] = []
  let index = 0
  let nextToken = ''
  for (const { evaluation, result } of questions(kind, body, candidates)) {
    if (index >= start) {
      if (results.length >= limit || index - start >= MAX_SCANNED) {
        nextToken = tokenOf(index, digest)
        break
      }
      // Pages end when they are full: what follows is not to be decided.
      if ((await decide(evaluation)).decision) results.push(result)
    }
    index += 1
  }
  return { page: { next_token: nextToken, count: results.length }, results }
}

interface SearchQuestion {
  readonly evaluation: AuthZenEvaluation
  readonly result: object
}

function* questions(
  kind: SearchKind,
  body: Readonly<Record<string, unknown>>,
  candidates: AuthZenCandidates,
): Generator<SearchQuestion> {
  const context = body['context'] === undefined ? {} : { context: requiredFields(body['context'], 'context') }
  const common = context as Pick<AuthZenEvaluation, 'context'>
  if (kind === 'action') {
    const subject = readEntity(body['subject'], 'subject')
    const resource = readEntity(body['resource'], 'resource')
    for (const name of candidates.actions(resource.type)) {
      yield { evaluation: { ...common, subject, resource, action: { name } }, result: { name } }
    }
    return
  }
  const action = readAction(body['action'])
  // An id that is given is ignored, as the specification wants.
  const type = requiredText(requiredFields(body[kind], kind)['type'], `${kind}.type`)
  const other = kind === 'subject' ? 'resource' : 'subject'
  const given = readEntity(body[other], other)
  for (const found of candidates.entities(type, kind)) {
    const pair =
      kind === 'subject' ? { subject: found, resource: given } : { subject: given, resource: found }
    yield { evaluation: { ...common, action, ...pair }, result: { type: found.type, id: found.id } }
  }
}

interface PageRequest {
  readonly limit: number
  readonly start: number
  readonly digest: string
}

/** A token belongs to one question: it carries the digest of everything but itself. */
function pageOf(body: Readonly<Record<string, unknown>>, kind: SearchKind): PageRequest {
  const page = body['page'] ?? {}
  if (!isFields(page)) throw new BadRequest('page: expected an object')
  const { token = '', limit = DEFAULT_LIMIT } = page
  if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 0)
    throw new BadRequest('page.limit: expected a whole number from 0')
  const { subject, resource, action, context } = body
  const question = JSON.stringify([kind, subject, resource, action, context], (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value,
  )
  const digest = createHash('sha256').update(question).digest('base64url').slice(0, 16)
  const bounded = Math.min(limit, MAX_LIMIT)
  if (token === '') return { limit: bounded, start: 0, digest }
  const [, index = '', of] = /^(\d{1,12})\.([\w-]{16})$/.exec(typeof token === 'string' ? token : '') ?? []
  if (of !== digest) throw new BadRequest('page.token: not the token of this search')
  return { limit: bounded, start: Number(index), digest }
}

function tokenOf(index: number, digest: string): string {
  return `${index}.${digest}`
}
