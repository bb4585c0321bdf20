import { Authorizer } from '../../src/engine/authorizer.ts'
import { createAuthZenHandler, type AuthZenOptions } from '../../src/authzen/handler.ts'
import { storeCandidates } from '../../src/authzen/search.ts'

/*
 * The Todo scenario of the AuthZEN interoperability events: five users, four roles, five actions. Who may what is taken from its
 * published decisions for version 1.0 (github.com/openid/authzen, interop/authzen-todo-backend).
 */
const SCHEMA = `
entity role;
entity user in [role] = { email: String };
entity todo = { ownerID: String };
action can_read_user appliesTo { principal: [user], resource: [user] };
action can_read_todos, can_create_todo, can_update_todo, can_delete_todo
  appliesTo { principal: [user], resource: [todo], context: { size?: Long } };
`
const POLICIES = `
@id("everybody-reads") permit (principal in role::"viewer", action in [Action::"can_read_user", Action::"can_read_todos"], resource);
@id("editors-create") permit (principal in role::"editor", action == Action::"can_create_todo", resource);
@id("editors-own") permit (principal in role::"editor", action in [Action::"can_update_todo", Action::"can_delete_todo"], resource)
when { resource.ownerID == principal.email };
@id("admins-delete") permit (principal in role::"admin", action == Action::"can_delete_todo", resource);
@id("evil-geniuses-update") @obligation_log("evil") permit (principal in role::"evil_genius", action == Action::"can_update_todo", resource);
`
export const uid = (type: string, id: string): { type: string; id: string } => ({ type, id })
const pid = (letter: string): string => `CiRmZD${letter}2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs`
export const USERS = {
  rick: { id: pid('A'), email: 'rick@the-citadel.com', roles: ['admin', 'evil_genius'] },
  morty: { id: pid('E'), email: 'morty@the-citadel.com', roles: ['editor'] },
  summer: { id: pid('I'), email: 'summer@the-smiths.com', roles: ['editor'] },
  beth: { id: pid('M'), email: 'beth@the-smiths.com', roles: ['viewer'] },
  jerry: { id: pid('Q'), email: 'jerry@the-smiths.com', roles: ['viewer'] },
} as const
export type Name = keyof typeof USERS

const ENTITIES = [
  ...Object.values(USERS).map(({ id, email, roles }) => ({
    uid: uid('user', id),
    attrs: { email },
    parents: roles.map((role) => uid('role', role)),
  })),
  { uid: uid('role', 'editor'), parents: [uid('role', 'viewer')] },
  ...['admin', 'evil_genius'].map((role) => ({ uid: uid('role', role), parents: [uid('role', 'editor')] })),
  { uid: uid('todo', 't-morty'), attrs: { ownerID: USERS.morty.email } },
  { uid: uid('todo', 't-rick'), attrs: { ownerID: USERS.rick.email } },
]
// Roles may stand in roles.
export const authorizer = new Authorizer({
  policies: { text: POLICIES, ids: 'annotation' },
  schema: SCHEMA.replace('entity role;', 'entity role in [role];'),
  entities: ENTITIES,
  strict: true,
})
export const candidates = storeCandidates(authorizer.store)
export const handler = (more: Partial<AuthZenOptions> = {}) =>
  createAuthZenHandler({
    policyDecisionPoint: 'https://pdp.example.com',
    authenticate: ({ headers }) => headers.get('authorization') === 'Bearer pep',
    decide: (request) => authorizer.decide(request),
    mapping: { trustedProperties: { resource: { todo: ['ownerID'] } } },
    candidates,
    ...more,
  })

export const headers = { authorization: 'Bearer pep', 'content-type': 'application/json' }
export async function post(
  path: string,
  body: unknown,
  options: Partial<AuthZenOptions> = {},
  more: RequestInit = {},
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const request = new Request(`https://pdp.example.com${path}`, {
    method: 'POST',
    headers,
    body: text,
    ...more,
  })
  const response = await handler(options)(request)
  const content: unknown =
    response.headers.get('content-type')?.startsWith('application/json') === true
      ? await response.json()
      : await response.text()
  return { status: response.status, content, headers: response.headers }
}

export const todo = (owner: Name): object => ({
  type: 'todo',
  id: '7240d0db-8ff0-41ec-98b2-34a096273b9f',
  properties: { ownerID: USERS[owner].email },
})
export const subject = (name: Name): object => ({ type: 'user', id: USERS[name].id })
export const question = (name: Name, action: string, resource: object): object => ({
  subject: subject(name),
  action: { name: action },
  resource,
})
