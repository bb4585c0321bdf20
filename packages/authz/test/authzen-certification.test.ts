import { describe, expect, test } from 'vitest'
import { createAuthZenHandler, type AuthZenEntity } from '../src/adapters.ts'
import { Authorizer } from '../src/index.ts'

/*
 * The fixture and the checks of the AuthZEN working group's certification scenario for version 1.0, levels Basic, Batch, Search
 * and Discovery (github.com/openid/authzen, certification/authorization-api-1_0-scenario.md).
 */
const authorizer = new Authorizer({
  policies: `
    permit (principal == user::"alice", action == Action::"read", resource is record);
    permit (principal == user::"bob", action == Action::"read", resource is record);
    permit (principal == user::"alice", action == Action::"write", resource is record)
    unless { resource has status && resource.status == "archived" };
    permit (principal is user, action == Action::"write", resource is record)
    when { principal has role && principal.role == "admin" && resource has status && resource.status == "archived" };
    permit (principal == user::"alice", action == Action::"delete", resource == record::"record-1")
    when { context has action && context.action has soft && context.action.soft };`,
})
const users: readonly AuthZenEntity[] = [
  { type: 'user', id: 'alice' },
  { type: 'user', id: 'bob', properties: { role: 'admin' } },
]
const records: readonly AuthZenEntity[] = [
  { type: 'record', id: 'record-1', properties: { status: 'active' } },
  { type: 'record', id: 'record-2', properties: { status: 'archived' } },
]
const handler = createAuthZenHandler({
  policyDecisionPoint: 'https://pdp.example.com',
  authenticate: () => true,
  decide: (request) => authorizer.decide(request),
  mapping: {
    trustedProperties: { subject: { user: ['role'] }, resource: { record: ['status'] }, action: ['soft'] },
  },
  candidates: {
    entities: (type) => [...users, ...records].filter((entity) => entity.type === type),
    actions: (type) => (type === 'record' ? ['read', 'write', 'delete'] : []),
  },
})

async function post(path: string, body: unknown, contentType = 'application/json') {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const headers = { 'content-type': contentType }
  const response = await handler(
    new Request(`https://pdp.example.com/access/v1/${path}`, { method: 'POST', headers, body: text }),
  )
  const type = response.headers.get('content-type') ?? ''
  const content: unknown = type.startsWith('application/json') ? await response.json() : undefined
  return { status: response.status, content }
}
const user = (id: string, properties?: object): object => ({
  type: 'user',
  id,
  ...(properties !== undefined && { properties }),
})
const record = (id: string, properties?: object): object => ({
  type: 'record',
  id,
  ...(properties !== undefined && { properties }),
})
const ask = (
  subject: object,
  name: string,
  resource: object,
  properties?: object,
): Readonly<Record<string, unknown>> => ({
  subject,
  action: { name, ...(properties !== undefined && { properties }) },
  resource,
})
const decided = (...decisions: readonly boolean[]): object => ({
  status: 200,
  content: { evaluations: decisions.map((decision) => ({ decision })) },
})

const archived = { status: 'archived' }
const admin = { role: 'admin' }
const whole = ask(user('alice'), 'read', record('record-1'))

describe('certification, basic', () => {
  const rules: readonly [Readonly<Record<string, unknown>>, boolean][] = [
    [whole, true],
    [ask(user('alice'), 'write', record('record-1')), true],
    [ask(user('bob'), 'read', record('record-1')), true],
    [ask(user('bob'), 'write', record('record-1')), false],
    [ask(user('alice'), 'write', record('record-2', archived)), false],
    [ask(user('bob', admin), 'write', record('record-2', archived)), true],
    [ask(user('alice'), 'delete', record('record-1'), { soft: true }), true],
    [ask(user('alice'), 'delete', record('record-1'), { soft: false }), false],
    // More than the fixture needs, and what nobody knows.
    [{ ...whole, context: { time: '2025-06-27T18:03-07:00', ip: '192.168.1.1' } }, true],
    [
      ask(user('alice', { department: 'Sales' }), 'read', record('record-1', { title: 'x' }), { via: 'app' }),
      true,
    ],
    [{ ...whole, unknown_field: 'value', another: { nested: null } }, true],
  ]
  test.each(rules)('decides as the fixture wants: %j', async (body, decision) => {
    for (let again = 0; again < 3; again += 1) {
      expect(await post('evaluation', body)).toEqual({ status: 200, content: { decision } })
    }
  })

  test.each([
    { ...whole, subject: undefined },
    { ...whole, action: undefined },
    { ...whole, resource: undefined },
    { ...whole, subject: { id: 'alice' } },
    { ...whole, subject: { type: 'user' } },
    { ...whole, action: {} },
    { ...whole, resource: { id: 'record-1' } },
    { ...whole, resource: { type: 'record' } },
    { ...whole, subject: 'alice' },
    { ...whole, action: { name: 123 } },
    '{ "subject": ',
    '',
  ])('answers 400 to %j', async (body) => {
    expect((await post('evaluation', body)).status).toBe(400)
  })

  test('answers 400 to another content type', async () => {
    expect((await post('evaluation', whole, 'text/plain')).status).toBe(400)
  })
})

describe('certification, batch', () => {
  test('decides each entry in order, from its own parts and the shared ones', async () => {
    const entries = [{ action: { name: 'read' } }, { action: { name: 'write' } }]
    const bob = { subject: user('bob'), resource: record('record-1') }
    expect(await post('evaluations', { ...bob, evaluations: entries })).toEqual(decided(true, false))
    expect(
      await post('evaluations', { evaluations: entries.map((entry) => ({ ...bob, ...entry })) }),
    ).toEqual(decided(true, false))
  })

  test('replaces a shared part as a whole', async () => {
    const shared = ask(user('bob', admin), 'write', record('record-2', archived))
    const evaluations = [{}, { resource: record('record-1') }, { subject: user('bob') }]
    expect(await post('evaluations', { ...shared, evaluations })).toEqual(decided(true, false, false))
  })

  test('denies the entry that lacks a part, and no other', async () => {
    const evaluations = [{ resource: record('record-1') }, {}]
    const { subject, action } = whole
    const { status, content } = await post('evaluations', { subject, action, evaluations })
    expect([status, content]).toMatchObject([200, { evaluations: [{ decision: true }, { decision: false }] }])
  })

  test('is a single evaluation without entries', async () => {
    for (const body of [whole, { ...whole, evaluations: [] }]) {
      expect(await post('evaluations', body)).toEqual({ status: 200, content: { decision: true } })
    }
  })
})

describe('certification, search', () => {
  const found = async (kind: string, body: object): Promise<readonly unknown[]> => {
    const { status, content } = await post(`search/${kind}`, body)
    expect(status).toBe(200)
    return (content as { readonly results: readonly unknown[] }).results
  }
  const readers = { subject: { type: 'user' }, action: { name: 'read' }, resource: record('record-1') }
  const readable = { subject: user('alice'), action: { name: 'read' }, resource: { type: 'record' } }
  const ids = (type: string, ...names: readonly string[]): object[] => names.map((id) => ({ type, id }))

  test('finds subjects, whatever id was given for them', async () => {
    for (const body of [
      readers,
      { ...readers, subject: user('alice') },
      { ...readers, context: { ip: '::1' } },
    ]) {
      expect(await found('subject', body)).toEqual(ids('user', 'alice', 'bob'))
    }
    const body = { ...readers, action: { name: 'write' }, resource: record('record-2', archived) }
    expect(await found('subject', body)).toEqual(ids('user', 'bob'))
  })

  test('finds resources, whatever id was given for them', async () => {
    for (const body of [readable, { ...readable, resource: record('record-2') }]) {
      expect(await found('resource', body)).toEqual(ids('record', 'record-1', 'record-2'))
    }
    const body = { ...readable, subject: user('bob', admin), action: { name: 'write' } }
    expect(await found('resource', body)).toEqual(ids('record', 'record-2'))
  })

  test('finds actions', async () => {
    expect(await found('action', { subject: user('alice'), resource: record('record-1') })).toEqual([
      { name: 'read' },
      { name: 'write' },
    ])
    const body = { subject: user('bob', admin), resource: record('record-2', archived) }
    expect(await found('action', body)).toEqual([{ name: 'read' }, { name: 'write' }])
  })

  test('finds nothing among what nobody knows', async () => {
    expect(await found('subject', { ...readers, subject: { type: 'robot' } })).toEqual([])
    expect(await found('subject', { ...readers, action: { name: 'fly' } })).toEqual([])
    expect(await found('resource', { ...readable, resource: { type: 'planet' } })).toEqual([])
    expect(await found('resource', { ...readable, subject: user('nobody') })).toEqual([])
    expect(await found('action', { subject: user('nobody'), resource: record('record-1') })).toEqual([])
    expect(await found('action', { subject: user('alice'), resource: { type: 'planet', id: 'x' } })).toEqual(
      [],
    )
  })

  test.each([
    ['subject', { ...readers, action: undefined }],
    ['subject', { ...readers, resource: { type: 'record' } }],
    ['subject', { ...readers, subject: {} }],
    ['resource', { ...readable, subject: { type: 'user' } }],
    ['resource', { ...readable, resource: undefined }],
    ['action', { subject: { type: 'user' }, resource: record('record-1') }],
    ['action', { subject: user('alice') }],
  ])('of a %s answers 400 to %j', async (kind, body) => {
    expect((await post(`search/${kind}`, body)).status).toBe(400)
  })
})

test('certification, discovery', async () => {
  const response = await handler(new Request('https://pdp.example.com/.well-known/authzen-configuration'))
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
  expect(await response.json()).toMatchObject({
    policy_decision_point: 'https://pdp.example.com',
    access_evaluation_endpoint: 'https://pdp.example.com/access/v1/evaluation',
  })
})
