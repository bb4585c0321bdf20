import { describe, expect, test } from 'vitest'
import { mapEvaluation } from './mapping.ts'
import { USERS, authorizer, todo, subject, question, post, type Name } from '../../test/support/todo-world.ts'

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

  test('believes of a resource only the properties that were named', async () => {
    const properties = { ownerID: USERS.morty.email, isPublic: true }
    const { content } = await post('/access/v1/evaluation', {
      ...question('morty', 'can_update_todo', { ...todo('morty'), properties }),
    })
    expect(content).toEqual({ decision: true })
  })

  test('does not believe a request about what the store knows, and keeps only the context it was told to', () => {
    const mapping = {
      trustedProperties: { subject: { user: ['email'] }, resource: { todo: ['ownerID'] }, action: ['soft'] },
      isStored: ({ type }: { readonly type: string }) => type === 'user',
      contextKeys: ['ip'],
      types: { todo: 'Todo' },
    }
    const evaluation = {
      subject: { type: 'user', id: 'a', properties: { email: 'forged' } },
      action: { name: 'delete', properties: { soft: true, more: 1 } },
      resource: { type: 'todo', id: 't', properties: { ownerID: 'a', more: 1 } },
      context: { ip: '::1', time: 'x' },
    }
    expect(mapEvaluation(evaluation, mapping)).toEqual({
      principal: { type: 'user', id: 'a' },
      action: { type: 'Action', id: 'delete' },
      resource: { type: 'Todo', id: 't' },
      entities: [{ uid: { type: 'Todo', id: 't' }, attrs: { ownerID: 'a' } }],
      context: { ip: '::1', action: { soft: true } },
    })
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
