import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readLogFolder, verifyLog } from '@breakwater/authz/operate'
import { describe, expect, test } from 'vitest'

import { POLICIES } from '../drills/authz/policies.ts'
import type { ShopOptions } from '../drills/authz/shop.ts'
import type { DecisionPoint, DecisionRecorder } from '../src/index.ts'
import { codeOf, newFolder, shopWith } from './support/guarded-shop.ts'

type Answer = ReturnType<DecisionPoint['decide']>
const ALLOW: Answer = {
  decision: 'allow',
  reasons: [],
  errors: [],
  policyVersion: '1',
  obligations: [],
  engine: 'compiled',
}
const thrown = (error: unknown): DecisionPoint['decide'] => {
  return () => {
    throw error
  }
}
/** What TypeScript would not let anybody return, and JavaScript does. */
const given =
  (value: unknown): DecisionPoint['decide'] =>
  () =>
    value as Answer

describe('a check that fails in whatever way denies, and the next request is served:', () => {
  test.each<readonly [string, DecisionPoint['decide']]>([
    ['it throws an Error', thrown(new Error('down'))],
    ['it throws a TypeError', thrown(new TypeError('undefined is not a function'))],
    [
      'it throws a RangeError, as a stack overflow does',
      thrown(new RangeError('Maximum call stack size exceeded')),
    ],
    ['it throws undefined', thrown(undefined)],
    ['it throws null', thrown(null)],
    ['it throws text', thrown('no')],
    ['it returns nothing', given(undefined)],
    ['it returns null', given(null)],
    ['it returns true', given(true)],
    ['it returns the word', given('allow')],
    ['it returns an empty object', given({})],
    ['it returns a promise of an allow', given(Promise.resolve(ALLOW))],
    ['it says Allow, in another spelling', given({ ...ALLOW, decision: 'Allow' })],
    ['it says yes', given({ ...ALLOW, decision: true })],
    ['its obligations are missing', given({ ...ALLOW, obligations: undefined })],
    ['its obligations are no list', given({ ...ALLOW, obligations: 7 })],
    ['its obligations hold nothing', given({ ...ALLOW, obligations: [undefined] })],
    [
      'it obliges to what nobody knows',
      given({ ...ALLOW, obligations: [{ name: 'dance', value: '', policyId: 'p' }] }),
    ],
  ])('%s', async (_, decide) => {
    let isBroken = true
    const shop = await shopWith({
      deps: { decisionPoint: { decide: (r) => (isBroken ? decide(r) : ALLOW) } },
    })
    const answer = await shop.ask('GET', '/orders/o1', { person: 'ada' })
    expect([403, 404, 503]).toContain(answer.status)
    expect(codeOf(answer)).toMatch(/^BW_/)
    expect(shop.deeds).toEqual([])
    isBroken = false
    expect((await shop.ask('GET', '/orders/o1', { person: 'ada' })).status).toBe(200)
  })

  test.each([
    ['an object that nobody knows', '/orders/o99', 404],
    ['an escape in the id', '/orders/o1%2f..%2fo3', 400],
    ['an id that is not UTF-8', '/orders/%ff%fe', 404],
    ['a control character', '/orders/o1%00', 400],
    ['an id that is escaped twice', '/orders/%256f1', 404],
    ['a very long id', `/orders/${'o'.repeat(300)}`, 404],
  ] as const)('%s', async (_, path, status) => {
    const shop = await shopWith()
    const answer = await shop.ask('GET', path, { person: 'sue' })
    expect([answer.status, codeOf(answer)]).toEqual([status, expect.stringMatching(/^BW_/)])
    expect(shop.deeds).toEqual([])
  })

  test('a policy set that permits nothing', async () => {
    const shop = await shopWith({ policies: '@id("none") forbid (principal, action, resource);' })
    expect((await shop.ask('GET', '/orders/o1', { person: 'ada' })).status).toBe(404)
    expect((await shop.ask('GET', '/products')).status).toBe(200)
  })

  test('a token without the claim that the policies need', async () => {
    const shop = await shopWith({
      routes: {
        watch: {
          match: { path: '/watch' },
          upstream: 'shop',
          authorize: {
            action: { GET: 'viewOrder' },
            resource: { type: 'Order', id: 'o1' },
            context: ['tenant'],
          },
        },
      },
    })
    const answer = await shop.ask('GET', '/watch', {
      fields: [`Authorization: Bearer ${shop.tokenWithoutTenant('ada')}`],
    })
    expect([answer.status, codeOf(answer)]).toEqual([403, 'BW_GATEWAY_CLAIM_MISSING'])
  })
})

describe('the gateway does not open', () => {
  test.each<readonly [string, ShopOptions, RegExp]>([
    ['with policies that are wrong', { policies: 'permit (principal' }, /cannot be used/],
    [
      'with policies that do not fit the schema',
      { policies: '@id("x") permit (principal, action, resource) when { resource.color == 1 };' },
      /cannot be used/,
    ],
    ['without policies', { policySource: { policies: '/nowhere/at/all' } }, /cannot be read/],
    [
      'with an action that the schema does not know',
      {
        routes: {
          odd: {
            match: { path: '/odd' },
            upstream: 'shop',
            authorize: { action: { GET: 'dance' }, resource: { type: 'Shop', id: 'main' } },
          },
        },
      },
      /the route odd asks for the action dance/,
    ],
  ])('%s', async (_, options, said) => {
    const opened = shopWith(options)
    await expect(opened).rejects.toMatchObject({ code: 'BW_GATEWAY_POLICIES_INVALID' })
    await expect(opened).rejects.toThrow(said)
  })
})

test('new policies that are wrong leave those before in force', async () => {
  const shop = await shopWith()
  writeFileSync(join(shop.folder, 'shop.cedar'), 'permit (everybody);')
  await expect(shop.gateway.reload(shop.gateway.config)).rejects.toMatchObject({
    code: 'BW_GATEWAY_POLICIES_INVALID',
  })
  expect((await shop.ask('GET', '/orders/o3', { person: 'ada' })).status).toBe(404)
  expect((await shop.ask('GET', '/orders/o1', { person: 'ada' })).status).toBe(200)
  writeFileSync(
    join(shop.folder, 'shop.cedar'),
    `${POLICIES}\n@id("stop") forbid (principal, action, resource);`,
  )
  await shop.gateway.reload(shop.gateway.config)
  expect((await shop.ask('GET', '/orders/o1', { person: 'ada' })).status).toBe(404)
})

describe('with a decision log', () => {
  test('every decision is on record: allowed, denied, public and refused before it was asked', async () => {
    const folder = newFolder()
    const shop = await shopWith({ authorization: { decisionLog: folder } })
    await shop.ask('GET', '/orders/o1', { person: 'ada' })
    await shop.ask('GET', '/orders/o3', { person: 'ada' })
    await shop.ask('GET', '/products')
    await shop.ask('GET', '/orders/o1')
    await shop.ask('GET', '/Admin/flags')
    await shop.gateway.close()
    expect(verifyLog(readLogFolder(folder))).toMatchObject({ ok: true, records: 5 })
    const [file = ''] = readdirSync(folder)
    const records = readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .flatMap((line) => (line.includes('"by"') ? [JSON.parse(line) as Record<string, unknown>] : []))
    expect(records.map(({ by, result, who, failure }) => [by, result, who, failure])).toEqual([
      ['policy', 'allow', 'User::"ada"', undefined],
      ['policy', 'deny', 'User::"ada"', undefined],
      ['shortcut', 'allow', undefined, undefined],
      ['failure', 'deny', undefined, 'BW_GATEWAY_UNAUTHENTICATED'],
      ['failure', 'deny', undefined, 'BW_GATEWAY_PATH_AMBIGUOUS'],
    ])
  })

  test('a folder for it that cannot be made stops the start, by name', async () => {
    const file = join(newFolder(), 'a-file')
    writeFileSync(file, '')
    const places = [join(file, 'log'), ...(existsSync('/proc/self') ? ['/proc/breakwater/log'] : [])]
    for (const decisionLog of places) {
      await expect(shopWith({ authorization: { decisionLog } })).rejects.toMatchObject({
        code: 'BW_GATEWAY_START_FAILED',
        message: expect.stringContaining(`the decision log in ${decisionLog} cannot be opened: `),
      })
    }
  })

  test.each<readonly [string, DecisionRecorder['append']]>([
    ['cannot be written', () => ({ written: () => Promise.reject(new Error('disk full')) })],
    ['is never written', () => ({ written: () => new Promise(() => {}) })],
  ])('a request whose record %s goes no further', async (_, append) => {
    const shop = await shopWith({ deps: { decisionRecorder: { append } } })
    const { status } = await shop.ask('GET', '/orders/o1', { person: 'ada' })
    expect([0, 503]).toContain(status)
    expect(shop.deeds).toEqual([])
  })
})
