import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { POLICIES, entitiesJson } from '../drills/authz/policies.ts'
import { ROUTES } from '../drills/authz/shop.ts'
import type { Shop, ShopOptions } from '../drills/authz/shop.ts'
import { BARE_ROUTE } from '../drills/lab/config.ts'
import { isSuspicious } from '../src/authorization/spelling.ts'
import { Recent } from '../src/authorization/recent.ts'
import { codeOf, shopWith } from './support/guarded-shop.ts'

const bearer = (token: string): string => `Authorization: Bearer ${token}`
const through = (token: string): string => `Workload-Authorization: Bearer ${token}`

describe('what the gateway remembers of a caller', () => {
  test('is found by the whole token: one that differs in a single character is looked at anew', async () => {
    const shop = await shopWith()
    const token = shop.token('ada')
    expect((await shop.ask('GET', '/orders/o1', { fields: [bearer(token)] })).status).toBe(200)
    const cut = token.lastIndexOf('.') + 1
    for (const at of [0, 5, cut - 5, cut, cut + 40, token.length - 2]) {
      const other = token[at] === 'A' ? 'B' : 'A'
      const forged = `${token.slice(0, at)}${other}${token.slice(at + 1)}`
      const answer = await shop.ask('GET', '/orders/o1', { fields: [bearer(forged)] })
      expect([at, answer.status]).toEqual([at, 401])
    }
    expect((await shop.ask('GET', '/orders/o1', { fields: [bearer(token)] })).status).toBe(200)
    expect(shop.deeds.length).toBe(2)
  })

  test('belongs to the request and not to the connection: two subjects on one keep their own rights', async () => {
    const shop = await shopWith()
    const request = (person: 'ada' | 'grace', path: string): string =>
      `GET ${path} HTTP/1.1\r\nHost: shop\r\n${bearer(shop.token(person))}\r\n\r\n`
    const paths = ['/orders/o1', '/orders/o2'] as const
    const asked = [0, 1, 2].flatMap(() =>
      (['ada', 'grace'] as const).flatMap((person) => paths.map((path) => request(person, path))),
    )
    const { text } = await shop.send(asked.join(''))
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
    expect(statuses).toEqual([0, 1, 2].flatMap(() => ['200', '404', '404', '200']))
    expect(shop.deeds.map(({ path, fields }) => [path, fields.get('x-authenticated-user')])).toEqual(
      [0, 1, 2].flatMap(() => [
        ['/orders/o1', 'ada'],
        ['/orders/o2', 'grace'],
      ]),
    )
  })

  test('is one for each pair of user and process', async () => {
    const shop = await shopWith()
    const user = bearer(shop.token('bill'))
    const workloads = [
      [],
      [through(shop.workloadToken('reporting'))],
      [through(shop.workloadToken('billing'))],
    ]
    for (let round = 0; round < 3; round++) {
      const answers: number[] = []
      for (const fields of workloads)
        answers.push((await shop.ask('POST', '/invoices/i1/refund', { fields: [user, ...fields] })).status)
      expect(answers).toEqual([404, 404, 200])
    }
    // A process alone, remembered, is not the one that comes with a user.
    expect((await shop.ask('GET', '/invoices/i1', { fields: workloads[1] ?? [] })).status).toBe(200)
    expect((await shop.ask('GET', '/invoices/i1', { fields: workloads[1] ?? [] })).status).toBe(200)
  })

  test('ends with the token that ends first', async () => {
    const shop = await shopWith()
    const fields = [bearer(shop.token('bill', 2_000)), through(shop.workloadToken('billing'))]
    const refund = async (): Promise<number> =>
      (await shop.ask('POST', '/invoices/i1/refund', { fields })).status
    expect([await refund(), await refund()]).toEqual([200, 200])
    for (let round = 0; round < 3; round++) await shop.ask('GET', '/products')
    expect(await refund()).toBe(401)
    const again = [bearer(shop.token('bill')), ...fields.slice(1)]
    expect((await shop.ask('POST', '/invoices/i1/refund', { fields: again })).status).toBe(200)
  })

  test('does not stand for a field that comes empty, or twice', async () => {
    const shop = await shopWith()
    const workload = through(shop.workloadToken('reporting'))
    const user = bearer(shop.token('ada'))
    expect((await shop.ask('GET', '/invoices/i1', { fields: [workload] })).status).toBe(200)
    expect((await shop.ask('GET', '/orders/o1', { fields: [user] })).status).toBe(200)
    for (const fields of [
      [workload, 'Authorization:'],
      [workload, workload],
      ['Authorization:', workload],
    ])
      expect((await shop.ask('GET', '/invoices/i1', { fields })).status).toBe(401)
    for (const fields of [
      [user, user],
      [user, 'Authorization:'],
      [user, 'Workload-Authorization:'],
    ])
      expect((await shop.ask('GET', '/orders/o1', { fields })).status).toBe(401)
  })

  test('holds none of its rights: what becomes of the entities counts for the next request', async () => {
    const shop = await shopWith()
    const fields = [bearer(shop.token('olga'))]
    const post = async (): Promise<number> => (await shop.ask('POST', '/admin/flags', { fields })).status
    const olga = { uid: { type: 'User', id: 'olga' }, attrs: { tenant: { type: 'Tenant', id: 'acme' } } }
    const statuses = [await post()]
    shop.gateway.entities?.apply({ upsert: [olga] })
    statuses.push(await post())
    shop.gateway.entities?.apply({ upsert: [{ ...olga, parents: [{ type: 'Role', id: 'operator' }] }] })
    statuses.push(await post())
    shop.gateway.entities?.apply({ remove: [olga.uid] })
    statuses.push(await post())
    shop.gateway.entities?.apply({ upsert: [{ ...olga, parents: [{ type: 'Role', id: 'operator' }] }] })
    statuses.push(await post())
    expect(statuses).toEqual([200, 403, 200, 403, 200])
  })

  test('is asked anew by new policies', async () => {
    const shop = await shopWith()
    const fields = [bearer(shop.token('ada'))]
    const get = async (): Promise<number> => (await shop.ask('GET', '/orders/o1', { fields })).status
    expect([await get(), await get()]).toEqual([200, 200])
    const file = join(shop.folder, 'shop.cedar')
    writeFileSync(file, `${POLICIES}\n@id("stop") forbid (principal, action, resource);`)
    await shop.gateway.reload(shop.gateway.config)
    expect(await get()).toBe(404)
    writeFileSync(file, POLICIES)
    await shop.gateway.reload(shop.gateway.config)
    expect(await get()).toBe(200)
  })

  test('takes bounded room, and what is asked for stays', () => {
    const recent = new Recent<number>(100, 1e6)
    recent.set('kept', 1)
    for (let at = 0; at < 10_000; at++) {
      recent.set(`key-${at}`, at)
      if (at % 50 === 0) expect(recent.get('kept')).toBe(1)
      expect(recent.size).toBeLessThanOrEqual(200)
    }
    expect(recent.get('key-9999')).toBe(9999)
    expect(recent.get('key-1')).toBeUndefined()
  })

  test('takes bounded room when the texts are long, or more and more is remembered about them', () => {
    const recent = new Recent<number>(1000, 50_000)
    const text = (at: number): string => `${'x'.repeat(4000)}${at}`
    for (let at = 0; at < 100; at++) {
      recent.set(text(at), at)
      expect(recent.bytes).toBeLessThanOrEqual(100_000)
      expect(recent.size).toBeLessThanOrEqual(24)
    }
    expect(recent.get(text(99))).toBe(99)
    const grown = new Recent<number>(1000, 50_000)
    for (let at = 0; at < 10; at++) grown.set(`user-${at}`, at)
    for (let at = 0; at < 100; at++) {
      const user = `user-${at % 10}`
      if (grown.get(user) === undefined) grown.set(user, at)
      grown.grow(user, 4000)
      expect(grown.bytes).toBeLessThanOrEqual(108_000)
    }
  })

  test('tells apart what ends alike', () => {
    const recent = new Recent<string>(100, 1e6)
    const end = 'e'.repeat(60)
    recent.set(`one ${end}`, 'one')
    expect([recent.get(`one ${end}`), recent.get(`two ${end}`), recent.get(end)]).toEqual([
      'one',
      undefined,
      undefined,
    ])
    recent.set(`two ${end}`, 'two')
    expect([recent.get(`one ${end}`), recent.get(`two ${end}`)]).toEqual([undefined, 'two'])
  })
})

test('a path is looked at by its bytes as the expression that says what is odd does', () => {
  const odd = /[A-Z%;\\]|\/\/|\/\.|.\/$/
  const pieces = ['/', 'a', 'A', '.', '%', ';', '\\', 'z', '@', '[', '-']
  for (let seed = 0; seed < 20_000; seed++) {
    let path = '/'
    for (let rest = seed; rest > 0; rest = Math.floor(rest / pieces.length))
      path += pieces[rest % pieces.length]
    expect([path, isSuspicious(path)]).toEqual([path, odd.test(path)])
  }
})

test('every field that names a tenant must name that of the token, in whatever spelling', async () => {
  const { order } = ROUTES
  if (order === undefined) throw new Error('there is no such route')
  const tenant = { header: 'x-tenant', required: false }
  const shop = await shopWith({ routes: { order: { ...order, tenant } } })
  const status = async (...fields: string[]): Promise<number> =>
    (await shop.ask('GET', '/orders/o1', { person: 'ada', fields })).status
  const [own, other] = ['X-Tenant: acme', 'X-Tenant: globex']
  expect([await status(own), await status(own, own), await status('X-Tenant:')]).toEqual([200, 200, 200])
  const mixed = [
    [own, other],
    [other, own],
    ['X-Tenant:', other],
    [own, 'X_Tenant: globex'],
    ['x_tenant: globex'],
  ]
  for (const fields of mixed) expect([fields, await status(...fields)]).toEqual([fields, 403])
})

describe('limits by tenant', () => {
  const LIMITED = {
    order: {
      match: { path: '/orders/{id}' },
      upstream: 'shop',
      ...BARE_ROUTE,
      tenant: { header: 'x-tenant', required: false },
      rateLimit: { rate: '1/h', burst: 3, key: 'tenant' },
      public: ['POST'],
      authorize: {
        action: { GET: 'viewOrder' },
        resource: { type: 'Order', id: '{id}' },
        context: ['workload', 'tenant'],
      },
    },
  } as const satisfies ShopOptions['routes']

  test('are spent by nobody who only names the tenant', async () => {
    const shop = await shopWith({ routes: LIMITED })
    const named = ['X-Tenant: acme']
    const statuses = async (method: string, as: Parameters<Shop['ask']>[2]): Promise<string[]> => {
      const codes: string[] = []
      for (let at = 0; at < 4; at++) {
        const answer = await shop.ask(method, '/orders/o1', as)
        codes.push(answer.status === 200 ? '200' : codeOf(answer))
      }
      return codes
    }
    // Without a token, with one of another tenant, and where nobody needs one.
    expect(await statuses('GET', { fields: named })).toEqual(Array(4).fill('BW_GATEWAY_UNAUTHENTICATED'))
    expect(await statuses('GET', { person: 'edsger', fields: named })).toEqual([
      ...Array<string>(3).fill('BW_GATEWAY_TENANT_MISMATCH'),
      'BW_GATEWAY_RATE_LIMITED',
    ])
    expect(await statuses('POST', { fields: [...named, 'Content-Length: 0'] })).toEqual([
      '200',
      '200',
      '200',
      'BW_GATEWAY_RATE_LIMITED',
    ])
    // The budget of the tenant is whole, and its own requests spend it, whether they name it or not.
    expect((await shop.ask('GET', '/orders/o1', { person: 'ada' })).status).toBe(200)
    expect((await shop.ask('GET', '/orders/o1', { person: 'ada', fields: named })).status).toBe(200)
    expect((await shop.ask('GET', '/orders/o2', { person: 'grace', fields: named })).status).toBe(200)
    const last = await shop.ask('GET', '/orders/o1', { person: 'ada', fields: named })
    expect(codeOf(last)).toBe('BW_GATEWAY_RATE_LIMITED')
  })
})

describe('entities that are changed while the gateway runs', () => {
  const olga = { uid: { type: 'User', id: 'olga' }, attrs: { tenant: { type: 'Tenant', id: 'acme' } } }

  test('stay as they were changed when the files of the policies change', async () => {
    const shop = await shopWith()
    const post = async (person: 'olga' | 'ada'): Promise<number> =>
      (await shop.ask('POST', '/admin/flags', { person })).status
    shop.gateway.entities?.apply({
      upsert: [
        olga,
        { ...olga, uid: { type: 'User', id: 'ada' }, parents: [{ type: 'Role', id: 'operator' }] },
      ],
      remove: [{ type: 'Order', id: 'o2' }],
    })
    expect([await post('olga'), await post('ada')]).toEqual([403, 200])
    const file = join(shop.folder, 'shop.cedar')
    for (const mark of ['one', 'two']) {
      writeFileSync(file, `${readFileSync(file, 'utf8')}\n// ${mark}\n`)
      await shop.gateway.reload(shop.gateway.config)
      expect([await post('olga'), await post('ada')]).toEqual([403, 200])
      expect((await shop.ask('GET', '/orders/o2', { person: 'sue' })).status).toBe(404)
    }
    // The file of the entities does not bring the old ones back either.
    writeFileSync(join(shop.folder, 'entities.json'), `${entitiesJson()}\n`)
    await shop.gateway.reload(shop.gateway.config)
    expect(await post('olga')).toBe(403)
  })

  test('hold up policies whose schema they do not fit', async () => {
    const shop = await shopWith()
    shop.gateway.entities?.apply({ upsert: [olga] })
    const file = join(shop.folder, 'shop.cedarschema')
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(
        'entity User in [Role] = { tenant: Tenant };',
        'entity User in [Role] = { tenant: Tenant, level: Long };',
      ),
    )
    writeFileSync(join(shop.folder, 'entities.json'), '[]')
    await expect(shop.gateway.reload(shop.gateway.config)).rejects.toMatchObject({
      code: 'BW_GATEWAY_POLICIES_INVALID',
    })
    expect((await shop.ask('POST', '/admin/flags', { person: 'olga' })).status).toBe(403)
    expect((await shop.ask('GET', '/orders/o1', { person: 'ada' })).status).toBe(200)
  })
})
