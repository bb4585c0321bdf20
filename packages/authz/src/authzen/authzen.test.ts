import { describe, expect, test } from 'vitest'
import { Authorizer } from '../engine/authorizer.ts'
import { createAuthZenHandler, type AuthZenOptions } from './handler.ts'
import { storeCandidates } from './search.ts'

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
const uid = (type: string, id: string): { type: string; id: string } => ({ type, id })
const pid = (letter: string): string => `CiRmZD${letter}2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs`
const USERS = {
  rick: { id: pid('A'), email: 'rick@the-citadel.com', roles: ['admin', 'evil_genius'] },
  morty: { id: pid('E'), email: 'morty@the-citadel.com', roles: ['editor'] },
  summer: { id: pid('I'), email: 'summer@the-smiths.com', roles: ['editor'] },
  beth: { id: pid('M'), email: 'beth@the-smiths.com', roles: ['viewer'] },
  jerry: { id: pid('Q'), email: 'jerry@the-smiths.com', roles: ['viewer'] },
} as const
type Name = keyof typeof USERS

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
const authorizer = new Authorizer({
  policies: { text: POLICIES, ids: 'annotation' },
  schema: SCHEMA.replace('entity role;', 'entity role in [role];'),
  entities: ENTITIES,
  strict: true,
})
const candidates = storeCandidates(authorizer.store)
const handler = (more: Partial<AuthZenOptions> = {}) =>
  createAuthZenHandler({
    policyDecisionPoint: 'https://pdp.example.com',
    authenticate: ({ headers }) => headers.get('authorization') === 'Bearer pep',
    decide: (request) => authorizer.decide(request),
    mapping: { trustedProperties: { todo: ['ownerID'] } },
    candidates,
    ...more,
  })

const headers = { authorization: 'Bearer pep', 'content-type': 'application/json' }
async function post(
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

const todo = (owner: Name): object => ({
  type: 'todo',
  id: '7240d0db-8ff0-41ec-98b2-34a096273b9f',
  properties: { ownerID: USERS[owner].email },
})
const subject = (name: Name): object => ({ type: 'user', id: USERS[name].id })
const question = (name: Name, action: string, resource: object): object => ({
  subject: subject(name),
  action: { name: action },
  resource,
})

describe('the Todo scenario', () => {
  // User, then: may create, update Rick's, update own, delete Rick's, delete own.
  const published: readonly [Name, Name, string][] = [
    ['rick', 'morty', 'yyyyy'],
    ['morty', 'morty', 'ynyny'],
    ['summer', 'summer', 'ynyny'],
    ['beth', 'beth', 'nnnnn'],
    ['jerry', 'jerry', 'nnnnn'],
  ]
  test.each(published)('decides for %s as published', async (name, other, expected) => {
    const questions = [
      question(name, 'can_read_user', { type: 'user', id: 'beth@the-smiths.com' }),
      question(name, 'can_read_user', { type: 'user', id: USERS[name].email }),
      question(name, 'can_read_todos', { type: 'todo', id: 'todo-1' }),
      question(name, 'can_create_todo', { type: 'todo', id: 'todo-1' }),
      question(name, 'can_update_todo', todo('rick')),
      question(name, 'can_update_todo', todo(other)),
      question(name, 'can_delete_todo', todo('rick')),
      question(name, 'can_delete_todo', todo(other)),
    ]
    const answers = await Promise.all(questions.map((one) => post('/access/v1/evaluation', one)))
    const decisions = answers.map(({ content }) => (content as { readonly decision: boolean }).decision)
    expect(decisions).toEqual([true, true, true, ...expected.split('').map((letter) => letter === 'y')])
  })

  const boxes: readonly [Name, readonly Name[], readonly boolean[]][] = [
    ['rick', ['rick', 'jerry'], [true, true]],
    ['morty', ['rick', 'morty'], [false, true]],
    ['jerry', ['rick', 'jerry'], [false, false]],
  ]
  test.each(boxes)('decides a box of updates for %s as published', async (name, owners, expected) => {
    const evaluations = owners.map((owner) => ({ resource: todo(owner) }))
    const { content } = await post('/access/v1/evaluations', {
      subject: subject(name),
      action: { name: 'can_update_todo' },
      evaluations,
    })
    const { evaluations: results } = content as {
      readonly evaluations: readonly { readonly decision: boolean }[]
    }
    expect(results.map(({ decision }) => decision)).toEqual(expected)
  })
})

describe('an evaluation', () => {
  test('tells obligations with an allow, and a code with a refusal, but no reasons', async () => {
    const allow = await post('/access/v1/evaluation', question('rick', 'can_update_todo', todo('morty')))
    expect(allow.content).toEqual({
      decision: true,
      context: { obligations: [{ name: 'log', value: 'evil' }] },
    })
    const deny = await post('/access/v1/evaluation', question('beth', 'can_create_todo', todo('beth')))
    expect(deny.content).toEqual({ decision: false })
    const refused = await post('/access/v1/evaluation', question('beth', 'fly', todo('beth')))
    expect([refused.status, refused.content]).toEqual([
      200,
      { decision: false, context: { error: { status: 403, message: 'BW_AUTHZ_REQUEST_INVALID' } } },
    ])
  })

  test('believes no role that the request brings along', async () => {
    const asAdmin = { ...subject('beth'), properties: { roles: ['admin'], email: USERS.rick.email } }
    const { content } = await post('/access/v1/evaluation', {
      ...question('beth', 'can_delete_todo', todo('rick')),
      subject: asAdmin,
    })
    expect(content).toEqual({ decision: false })
  })

  test('ignores fields it does not know, and keeps large numbers exact', async () => {
    const more = { context: { size: 1 }, later: { null: null, fraction: 1.5 } }
    const { content } = await post('/access/v1/evaluation', {
      ...question('morty', 'can_read_todos', { ...todo('rick'), color: null }),
      ...more,
    })
    expect(content).toEqual({ decision: true })
    let seen: unknown
    await post(
      '/access/v1/evaluation',
      '{"subject":{"type":"user","id":"a"},"action":{"name":"b"},"resource":{"type":"todo","id":"c"},"context":{"size":9007199254740993}}',
      {
        decide(request) {
          seen = request.context
          return authorizer.decide(request)
        },
      },
    )
    expect(seen).toEqual({ size: 9007199254740993n })
  })

  test('is closed when deciding throws', async () => {
    const { status, content } = await post(
      '/access/v1/evaluation',
      question('rick', 'can_read_todos', todo('rick')),
      {
        decide() {
          throw new Error('down')
        },
      },
    )
    expect([status, content]).toMatchObject([200, { decision: false, context: { error: { status: 500 } } }])
  })

  const whole = question('rick', 'can_read_todos', todo('rick'))
  test.each([
    ['{', 'not JSON'],
    ['[]', 'expected a JSON object'],
    ['7', 'expected a JSON object'],
    [{}, 'subject: expected an object'],
    [{ ...whole, subject: { type: 'user' } }, 'subject.id: expected a text'],
    [{ ...whole, subject: { id: 'a' } }, 'subject.type: expected a text'],
    [{ ...whole, action: { name: 7 } }, 'action.name: expected a text'],
    [{ ...whole, resource: 'todo' }, 'resource: expected an object'],
    [{ ...whole, context: [] }, 'context: expected an object'],
    [{ ...whole, more: 'x'.repeat(300_000) }, 'a body of more than 262144 bytes'],
  ])('answers 400 to what is not in the form: %j', async (body, message) => {
    const { status, content } = await post('/access/v1/evaluation', body)
    expect(status).toBe(400)
    expect(content).toContain(message)
  })
})

describe('evaluations', () => {
  const box = (semantic: string | undefined, owners: readonly Name[]): object => ({
    subject: subject('morty'),
    action: { name: 'can_update_todo' },
    evaluations: owners.map((owner) => ({ resource: todo(owner) })),
    ...(semantic !== undefined && { options: { evaluations_semantic: semantic } }),
  })
  const cases: readonly [string | undefined, readonly boolean[]][] = [
    [undefined, [true, false, true, false]],
    ['execute_all', [true, false, true, false]],
    ['deny_on_first_deny', [true, false]],
    ['permit_on_first_permit', [true]],
  ]
  test.each(cases)('end where the semantic %s ends them', async (semantic, expected) => {
    const { content } = await post(
      '/access/v1/evaluations',
      box(semantic, ['morty', 'rick', 'morty', 'beth']),
    )
    const { evaluations } = content as { readonly evaluations: readonly { readonly decision: boolean }[] }
    expect(evaluations.map(({ decision }) => decision)).toEqual(expected)
  })

  test('without entries are one evaluation', async () => {
    const whole = question('morty', 'can_update_todo', todo('morty'))
    expect((await post('/access/v1/evaluations', whole)).content).toEqual({ decision: true })
    expect((await post('/access/v1/evaluations', { ...whole, evaluations: [] })).content).toEqual({
      decision: true,
    })
  })

  test('take what an entry lacks from the top, and deny only the entry that has it nowhere', async () => {
    const evaluations = [
      { resource: todo('morty') },
      {},
      { resource: todo('morty'), subject: subject('beth') },
    ]
    const { status, content } = await post('/access/v1/evaluations', {
      subject: subject('morty'),
      action: { name: 'can_update_todo' },
      evaluations,
    })
    expect([status, content]).toEqual([
      200,
      {
        evaluations: [
          { decision: true },
          { decision: false, context: { error: { status: 400, message: 'resource: expected an object' } } },
          { decision: false },
        ],
      },
    ])
  })

  test('are bounded, and their semantic is one of three', async () => {
    expect(
      (await post('/access/v1/evaluations', box(undefined, ['rick', 'rick']), { maxEvaluations: 1 })).status,
    ).toBe(400)
    expect((await post('/access/v1/evaluations', box('first', ['rick']))).status).toBe(400)
    expect((await post('/access/v1/evaluations', { evaluations: 7 })).status).toBe(400)
  })
})

describe('a search', () => {
  const find = async (kind: string, body: object) => (await post(`/access/v1/search/${kind}`, body)).content

  test('finds subjects through their roles', async () => {
    const { results } = (await find('subject', {
      subject: { type: 'user', id: 'ignored' },
      action: { name: 'can_delete_todo' },
      resource: { type: 'todo', id: 't-rick' },
    })) as { readonly results: readonly object[] }
    expect(results).toEqual([{ type: 'user', id: USERS.rick.id }])
  })

  test('finds resources, and each of them is allowed when asked for', async () => {
    expect(
      await find('resource', {
        subject: subject('morty'),
        action: { name: 'can_update_todo' },
        resource: { type: 'todo' },
      }),
    ).toEqual({ page: { next_token: '', count: 1 }, results: [{ type: 'todo', id: 't-morty' }] })
  })

  test('finds actions', async () => {
    const { results } = (await find('action', {
      subject: subject('morty'),
      resource: { type: 'todo', id: 't-morty' },
    })) as {
      readonly results: readonly { readonly name: string }[]
    }
    expect(results.map(({ name }) => name).sort()).toEqual([
      'can_create_todo',
      'can_delete_todo',
      'can_read_todos',
      'can_update_todo',
    ])
  })

  test('comes in pages, whose tokens serve no other question', async () => {
    const body = {
      subject: { type: 'user' },
      action: { name: 'can_read_todos' },
      resource: { type: 'todo', id: 't-rick' },
    }
    const found: object[] = []
    let token: string | undefined
    for (let pages = 0; pages < 4 && token !== ''; pages += 1) {
      const page = { limit: 2, ...(token !== undefined && { token }) }
      const answer = (await find('subject', { ...body, page })) as {
        readonly page: { readonly next_token: string }
        readonly results: readonly object[]
      }
      found.push(...answer.results)
      token = answer.page.next_token
      const other = { ...body, action: { name: 'can_create_todo' }, page: { token } }
      if (token !== '') expect((await post('/access/v1/search/subject', other)).status).toBe(400)
    }
    expect(found).toHaveLength(5)
    expect(token).toBe('')
  })

  test('is not there without candidates', async () => {
    const body = { subject: subject('rick'), resource: { type: 'todo', id: 't' } }
    const { candidates: _, ...rest } = {
      candidates,
      policyDecisionPoint: 'https://a',
      authenticate: () => true,
      decide: authorizer.decide.bind(authorizer),
    }
    const response = await createAuthZenHandler(rest)(
      new Request('https://a/access/v1/search/action', {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      }),
    )
    expect(response.status).toBe(404)
  })
})

describe('the binding', () => {
  test('publishes its metadata at the well-known place, below a path too', async () => {
    const get = async (point: string, url: string): Promise<Response> =>
      handler({ policyDecisionPoint: point })(new Request(url))
    const root = await get(
      'https://pdp.example.com',
      'https://pdp.example.com/.well-known/authzen-configuration',
    )
    expect(await root.json()).toEqual({
      policy_decision_point: 'https://pdp.example.com',
      access_evaluation_endpoint: 'https://pdp.example.com/access/v1/evaluation',
      access_evaluations_endpoint: 'https://pdp.example.com/access/v1/evaluations',
      search_subject_endpoint: 'https://pdp.example.com/access/v1/search/subject',
      search_resource_endpoint: 'https://pdp.example.com/access/v1/search/resource',
      search_action_endpoint: 'https://pdp.example.com/access/v1/search/action',
    })
    const tenant = await get(
      'https://pdp.example.com/t1',
      'https://pdp.example.com/.well-known/authzen-configuration/t1',
    )
    expect(await tenant.json()).toMatchObject({
      policy_decision_point: 'https://pdp.example.com/t1',
      access_evaluation_endpoint: 'https://pdp.example.com/t1/access/v1/evaluation',
    })
    expect(() => handler({ policyDecisionPoint: 'http://pdp.example.com' })).toThrow('must be an https URL')
    expect(() => handler({ policyDecisionPoint: 'https://a/?x' })).toThrow('must be an https URL')
  })

  test('answers nobody it does not know, and says so without deciding', async () => {
    const body = question('rick', 'can_read_todos', todo('rick'))
    const { status, headers: answered } = await post(
      '/access/v1/evaluation',
      body,
      {},
      { headers: { 'content-type': 'application/json' } },
    )
    expect([status, answered.get('www-authenticate')]).toEqual([401, 'Bearer'])
    const broken = await post('/access/v1/evaluation', body, {
      authenticate: () => Promise.reject(new Error('secret')),
    })
    expect([broken.status, broken.content]).toEqual([500, 'internal error'])
  })

  test('gives the request id back, with errors too, and lets nobody keep an answer', async () => {
    for (const body of [question('rick', 'can_read_todos', todo('rick')), '{']) {
      const answer = await post(
        '/access/v1/evaluation',
        body,
        {},
        { headers: { ...headers, 'x-request-id': 'r-1' } },
      )
      expect([answer.headers.get('x-request-id'), answer.headers.get('cache-control')]).toEqual([
        'r-1',
        'no-store',
      ])
    }
  })

  test('takes JSON by POST at its own paths and nothing else', async () => {
    const text = { ...headers, 'content-type': 'text/plain' }
    expect((await post('/access/v1/evaluation', '{}', {}, { headers: text })).status).toBe(400)
    expect((await post('/access/v1/evaluation/', '{}')).status).toBe(404)
    const get = await handler()(new Request('https://pdp.example.com/access/v1/evaluation', { headers }))
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
  })
})
