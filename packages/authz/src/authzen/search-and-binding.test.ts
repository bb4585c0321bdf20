import { describe, expect, test } from 'vitest'
import { createAuthZenHandler } from './handler.ts'
import {
  USERS,
  authorizer,
  candidates,
  handler,
  headers,
  todo,
  subject,
  question,
  post,
} from '../../test/support/todo-world.ts'

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
    for (const open of ['http://pdp.example.com', 'http://127.0.0.1.example.com', 'http://10.0.0.1:80'])
      expect(() => handler({ policyDecisionPoint: open })).toThrow('must be an https URL')
    for (const near of ['http://127.0.0.1:9901', 'http://[::1]:9901', 'http://localhost'])
      expect(() => handler({ policyDecisionPoint: near })).not.toThrow()
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
