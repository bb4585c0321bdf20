import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { resolveText } from '@breakwater/contract'
import { describe, expect, test } from 'vitest'

import { GuardedStand, POLICIES } from './authorization-stand.ts'
import { Stand, ask, order } from './stand.ts'

const ON = `
  policies: '%'
  decisionLog: '%/log'
  authzen: { types: { user: User, doc: Doc } }
`
const question = (user: string, doc: string, name = 'view'): object => ({
  subject: { type: 'user', id: user },
  action: { name },
  resource: { type: 'doc', id: doc },
})
const decide = async ({ url }: GuardedStand, body: object): Promise<unknown> =>
  JSON.parse((await order(`${url}/access/v1/evaluation`, body)).text) as unknown

describe('an enforcement point elsewhere', () => {
  test('is answered by the policies, entities and record of the gateway', async () => {
    await using guarded = await GuardedStand.open(ON)
    expect(await decide(guarded, question('ann', '1'))).toEqual({ decision: true })
    expect(await decide(guarded, question('ann', '2'))).toEqual({ decision: false })
    expect(await decide(guarded, question('bob', '1'))).toEqual({
      decision: true,
      context: { obligations: [{ name: 'mask', value: 'salary' }] },
    })
    // A membership that is taken away counts for the next question, as for the next request.
    guarded.stand.gateway.entities?.apply({ upsert: [{ uid: { type: 'User', id: 'bob' } }] })
    expect(await decide(guarded, question('bob', '1'))).toEqual({ decision: false })
    const seen = guarded.records().map(({ result, who, object, via }) => [result, who, object, via])
    expect(seen).toEqual([
      ['allow', 'User::"ann"', 'Doc::"1"', 'authzen'],
      ['deny', 'User::"ann"', 'Doc::"2"', 'authzen'],
      ['allow', 'User::"bob"', 'Doc::"1"', 'authzen'],
      ['deny', 'User::"bob"', 'Doc::"1"', 'authzen'],
    ])
  })

  test('is answered by new policies once they are reloaded', async () => {
    await using guarded = await GuardedStand.open(ON)
    writeFileSync(
      join(guarded.folder, 'docs.cedar'),
      `${POLICIES}\n@id("closed") forbid (principal, action, resource);`,
    )
    await guarded.stand.gateway.reload(guarded.stand.gateway.config)
    expect(await decide(guarded, question('ann', '1'))).toEqual({ decision: false })
  })

  test('may ask many questions at once, and search', async () => {
    await using guarded = await GuardedStand.open(ON)
    const many = await order(`${guarded.url}/access/v1/evaluations`, {
      ...question('ann', '1'),
      evaluations: [{}, { resource: { type: 'doc', id: '2' } }],
    })
    expect(JSON.parse(many.text)).toEqual({ evaluations: [{ decision: true }, { decision: false }] })
    const found = await order(`${guarded.url}/access/v1/search/resource`, {
      subject: { type: 'user', id: 'ann' },
      action: { name: 'view' },
      resource: { type: 'doc' },
    })
    expect(JSON.parse(found.text)).toMatchObject({ results: [{ type: 'doc', id: '1' }] })
    expect(guarded.records()).toHaveLength(4)
  })

  test('believes nothing that a question says about the entities', async () => {
    await using guarded = await GuardedStand.open(ON)
    const owner = { __entity: { type: 'User', id: 'ann' } }
    const body = { ...question('ann', '2'), resource: { type: 'doc', id: '2', properties: { owner } } }
    expect(await decide(guarded, body)).toEqual({ decision: false })
  })

  test('learns where to ask', async () => {
    await using guarded = await GuardedStand.open(ON)
    const { url } = guarded
    const { text } = await ask(`${url}/.well-known/authzen-configuration`)
    expect(JSON.parse(text)).toMatchObject({
      policy_decision_point: url,
      access_evaluation_endpoint: `${url}/access/v1/evaluation`,
      search_action_endpoint: `${url}/access/v1/search/action`,
    })
    const { gateway } = guarded.stand
    const { authorization } = gateway.config
    if (authorization.mode === 'off' || authorization.authzen === undefined) throw new Error('it is on')
    const authzen = { ...authorization.authzen, identifier: 'https://pdp.example.com', search: false }
    await gateway.reload({ ...gateway.config, authorization: { ...authorization, authzen } })
    expect(JSON.parse((await ask(`${url}/.well-known/authzen-configuration`)).text)).toEqual({
      policy_decision_point: 'https://pdp.example.com',
      access_evaluation_endpoint: 'https://pdp.example.com/access/v1/evaluation',
      access_evaluations_endpoint: 'https://pdp.example.com/access/v1/evaluations',
    })
  })

  test('is told no when nobody can decide or the decision cannot be written down', async () => {
    await using guarded = await GuardedStand.open(ON)
    const unknown = await decide(guarded, question('ann', '1', 'dance'))
    expect(unknown).toMatchObject({
      decision: false,
      context: { error: { message: 'BW_AUTHZ_REQUEST_INVALID' } },
    })
    // The log of a gateway that is stopping takes nothing any more.
    await guarded.stand.gateway.close()
    expect(await decide(guarded, question('ann', '1'))).toEqual({
      decision: false,
      context: { error: { status: 503, message: 'BW_AUTHZ_LOG_FAILED' } },
    })
  })

  test('is refused with too long a question, another method, or from a page of another site', async () => {
    await using guarded = await GuardedStand.open(ON.replace('authzen: {', 'authzen: { maxBody: 1KiB,'))
    const url = `${guarded.url}/access/v1/evaluation`
    const long = await order(url, { ...question('ann', '1'), context: { note: 'x'.repeat(2000) } })
    expect([long.status, long.text]).toEqual([400, 'a body of more than 1024 bytes'])
    expect((await ask(url)).status).toBe(405)
    expect((await ask(url, { method: 'POST', headers: { origin: 'https://evil.example' } })).status).toBe(403)
    expect(guarded.records()).toEqual([])
  })
})

test.each(['policies: "%"', 'policies: "%"\n  authzen: false'])(
  'nobody is answered with %j',
  async (text) => {
    await using guarded = await GuardedStand.open(`  ${text}`)
    const answer = await order(`${guarded.url}/access/v1/evaluation`, question('ann', '1'))
    expect([answer.status, answer.text]).toEqual([
      409,
      expect.stringContaining('authorization.authzen is off'),
    ])
    expect((await ask(`${guarded.url}/.well-known/authzen-configuration`)).status).toBe(409)
  },
)

test('without authorization there is nothing to ask', async () => {
  await using stand = await Stand.open(
    "listeners: { main: { port: 0 } }\nupstreams: { u: { endpoints: ['127.0.0.1:1'] } }\nroutes: {}",
  )
  expect((await order(`${stand.url}/access/v1/evaluation`, question('ann', '1'))).status).toBe(409)
})

test('an endpoint that nobody could reach is a mistake in the configuration', () => {
  const text = `
listeners: { main: { port: 0 } }
admin: false
upstreams: {}
routes: {}
authorization: { policies: ., authzen: true }
`
  expect(resolveText(text)).toMatchObject({
    ok: false,
    error: [{ code: 'BW_CONFIG_VALUES_CONTRADICTORY', path: 'authorization.authzen' }],
  })
})
