import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'

import { Shop } from '../drills/authz/shop.ts'
import type { ShopOptions } from '../drills/authz/shop.ts'
import { codeOf, shopWith } from './support/guarded-shop.ts'

describe('with authorization the gateway', () => {
  test('lets through what a policy permits, and tells the service who asks', async () => {
    const shop = await shopWith()
    expect((await shop.ask('GET', '/orders/o1', { person: 'ada' })).status).toBe(200)
    const [deed] = shop.deeds
    expect(deed?.fields.get('x-authenticated-user')).toBe('ada')
    expect(deed?.fields.get('x-authenticated-tenant')).toBe('acme')
    expect(deed?.fields.get('x-authenticated-workload')).toBe('browser')
  })

  test('answers alike for an object of somebody else and for one that does not exist', async () => {
    const shop = await shopWith()
    const foreign = await shop.ask('GET', '/orders/o3', { person: 'ada' })
    const missing = await shop.ask('GET', '/orders/o9', { person: 'ada' })
    const body = ({ text }: { readonly text: string }): string =>
      text.slice(text.indexOf('{')).replace(/"traceId":"\w+"/, '')
    expect([foreign.status, missing.status]).toEqual([404, 404])
    expect(body(foreign)).toBe(body(missing))
    expect(shop.deeds).toEqual([])
  })

  test('asks the same number of questions for both, so that time tells nothing either', async () => {
    const asked: string[] = []
    const counting = await shopWith({
      deps: {
        decisionPoint: {
          decide: (request) => {
            asked.push(JSON.stringify(request.action))
            return {
              decision: 'deny',
              reasons: [],
              errors: [],
              policyVersion: 'v',
              obligations: [],
              engine: 'compiled',
            }
          },
        },
      },
    })
    await counting.ask('GET', '/orders/o3', { person: 'ada' })
    await counting.ask('GET', '/orders/o9', { person: 'ada' })
    expect(asked).toEqual([asked[0], asked[0]])
  })

  test.each([
    ['nobody', {}],
    ['a field that says who it is', { fields: ['X-Authenticated-User: ada', 'X-User: ada'] }],
    ['a token twice', { person: 'ada', fields: ['Authorization: Bearer x'] }],
    ['another scheme', { fields: ['Authorization: Basic YWRhOmFkYQ=='] }],
    ['the token of a workload as a user', { fields: ['WORKLOAD'] }],
  ] as const)('refuses %s with 401', async (_, as) => {
    const shop = await shopWith()
    const fields = 'fields' in as ? as.fields : []
    const given = fields.map((field) =>
      field === 'WORKLOAD' ? `Authorization: Bearer ${shop.workloadToken('billing')}` : field,
    )
    const answer = await shop.ask('GET', '/orders/o1', { ...as, fields: given })
    expect([answer.status, codeOf(answer)]).toEqual([401, 'BW_GATEWAY_UNAUTHENTICATED'])
    expect(shop.deeds).toEqual([])
  })

  test('refuses forged tokens: unsigned, of another key, by an HMAC with the public key, expired, for others', async () => {
    const shop = await shopWith()
    const good = shop.token('ada')
    const [header = '', payload = '', signature = ''] = good.split('.')
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    const { privateKey } = generateKeyPairSync('ed25519')
    const by = (head: string, body: string): string =>
      sign(null, Buffer.from(`${head}.${body}`), privateKey).toString('base64url')
    const hs = encode({ alg: 'HS256', typ: 'breakwater-test+jwt' })
    const forged = [
      `${encode({ alg: 'none' })}.${payload}.`,
      `${encode({ alg: 'none', typ: 'breakwater-test+jwt' })}.${payload}.${signature}`,
      `${header}.${payload}.${by(header, payload)}`,
      `${hs}.${payload}.${createHmac('sha512', 'public key').update(`${hs}.${payload}`).digest('base64url')}`,
      `${header}.${encode({ ...claims, sub: 'olga' })}.${signature}`,
      `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      `${encode({ alg: 'EdDSA', typ: 'breakwater-test+jwt', crit: ['exp'] })}.${payload}.${signature}`,
      `${good}.${signature}`,
      shop.token('ada', -1000),
      good.slice(0, -1),
    ]
    for (const token of forged) {
      const answer = await shop.ask('GET', '/orders/o1', { fields: [`Authorization: Bearer ${token}`] })
      expect([token, answer.status]).toEqual([token, 401])
    }
    expect(shop.deeds).toEqual([])
  })

  test('believes a token no longer than it says, although it remembers it', async () => {
    const shop = await shopWith()
    const fields = [`Authorization: Bearer ${shop.token('ada', 1_000)}`]
    expect((await shop.ask('GET', '/orders/o1', { fields })).status).toBe(200)
    for (let round = 0; round < 5; round++) await shop.ask('GET', '/products')
    expect((await shop.ask('GET', '/orders/o1', { fields })).status).toBe(401)
  })

  test('removes claims and overrides from outside, also on public routes and in CGI spelling', async () => {
    const shop = await shopWith({
      authorization: { identity: { ...identityOf(), stripHeaders: ['x-tenant-id'] } },
    })
    await shop.ask('GET', '/products', {
      fields: [
        'X-Authenticated-User: olga',
        'X_Authenticated_Tenant: acme',
        'X-HTTP-Method-Override: POST',
        'X-Original-URL: /admin/flags',
        'X-Tenant-Id: globex',
        'X-Kept: yes',
      ],
    })
    const [deed] = shop.deeds
    expect(deed?.path).toBe('/products')
    expect(deed?.method).toBe('GET')
    const names = [...(deed?.fields ?? [])].map(([name]) => name)
    expect(names.filter((name) => /authenticated|override|original|tenant/.test(name))).toEqual([])
    expect(deed?.fields.get('x-kept')).toBe('yes')
  })

  test('asks for HEAD what GET needs, and refuses methods that nobody declared', async () => {
    const shop = await shopWith()
    expect((await shop.ask('HEAD', '/orders/o3', { person: 'ada' })).status).toBe(404)
    expect((await shop.ask('HEAD', '/orders/o1', { person: 'ada' })).status).toBe(200)
    for (const method of ['PUT', 'OPTIONS', 'PATCH', 'TRACE', 'get']) {
      const answer = await shop.ask(method, '/orders/o1', { person: 'ada' })
      expect([method, answer.status]).toEqual([method, 405])
    }
    expect(shop.deeds.map(({ method }) => method)).toEqual(['HEAD'])
  })

  test.each([
    '/Admin/flags',
    '/admin//flags',
    '//admin/flags',
    '/ADMIN',
    '/admin;x=1/flags',
    '/%41dmin/flags',
    '/%61dmin/flags',
    '/x/../admin/flags',
    '/x/%2e%2e/admin/flags',
    '/./admin/flags',
    '/admin%2fflags',
    '/admin%5cflags',
    '/admin\\flags',
    '/%2561dmin/flags',
  ])('lets nobody in by the spelling %s', async (path) => {
    const shop = await shopWith()
    const answer = await shop.ask('GET', path)
    expect([400, 401, 403, 404]).toContain(answer.status)
    expect(shop.deeds).toEqual([])
  })

  test('takes the host of the target for the host, whatever the field says', async () => {
    const shop = await shopWith({
      routes: {
        back: {
          match: { path: '/*', hosts: ['back.example'] },
          upstream: 'shop',
          authorize: { action: { GET: 'watch' }, resource: { type: 'Shop', id: 'main' } },
        },
      },
    })
    for (const request of [
      'GET http://back.example/x HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n',
      'GET http://shop/x HTTP/1.1\r\nHost: back.example\r\nConnection: close\r\n\r\n',
      'GET /x HTTP/1.1\r\nHost: BACK.example.:80\r\nConnection: close\r\n\r\n',
      'GET /x HTTP/1.1\r\nHost: shop\r\nHost: back.example\r\nConnection: close\r\n\r\n',
    ]) {
      const answer = await shop.send(request)
      const [deed] = shop.deeds.splice(0)
      // Whatever is served is served as the host it was decided for.
      expect(deed === undefined ? answer.status >= 400 : deed.fields.get('x-forwarded-host') === 'shop').toBe(
        true,
      )
    }
  })

  test('asks for a WebSocket what it asks for a GET', async () => {
    const shop = await shopWith()
    const fields = ['Upgrade: websocket', 'Sec-WebSocket-Key: x', 'Sec-WebSocket-Version: 13']
    const head = ['GET /orders/o3 HTTP/1.1', 'Host: shop', 'Connection: Upgrade', ...fields]
    expect((await shop.send([...head, '', ''].join('\r\n'))).status).toBe(401)
    const token = `Authorization: Bearer ${shop.token('ada')}`
    expect((await shop.send([...head, token, '', ''].join('\r\n'))).status).toBe(404)
    expect(shop.deeds).toEqual([])
  })

  test('speaks no HTTP/2 on a plain port: its preface is refused', async () => {
    const shop = await shopWith()
    const answer = await shop.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    expect(answer.status === 0 || answer.status >= 400).toBe(true)
    expect(shop.deeds).toEqual([])
  })

  test('passes obligations on that the upstream carries out, and refuses those that nobody does', async () => {
    const shop = await shopWith()
    expect((await shop.ask('GET', '/orders/o2', { person: 'sue' })).status).toBe(200)
    expect(shop.deeds[0]?.fields.get('x-authenticated-obligations')).toBe('mask=card')
    const answer = await shop.ask('GET', '/tenants/acme/orders', { person: 'sue' })
    expect(answer.status).toBe(200)
    const strict = await shopWith({
      routes: {
        order: {
          match: { path: '/orders/{id}' },
          upstream: 'shop',
          authorize: {
            action: { GET: 'viewOrder' },
            resource: { type: 'Order', id: '{id}' },
            context: ['workload', 'tenant'],
          },
        },
      },
    })
    const refused = await strict.ask('GET', '/orders/o2', { person: 'sue' })
    expect([refused.status, codeOf(refused)]).toEqual([403, 'BW_GATEWAY_OBLIGATION_UNKNOWN'])
  })

  test('decides on the pair: neither process nor user lends the other its rights', async () => {
    const shop = await shopWith()
    const refund = (as: Parameters<Shop['ask']>[2]): Promise<number> =>
      shop.ask('POST', '/invoices/i1/refund', as).then(({ status }) => status)
    expect(await refund({ workload: 'reporting' })).toBe(404)
    expect(await refund({ workload: 'reporting', person: 'bill' })).toBe(404)
    expect(await refund({ workload: 'billing', person: 'ada' })).toBe(404)
    expect(await refund({ person: 'bill' })).toBe(404)
    expect(await refund({ workload: 'billing', person: 'bill' })).toBe(200)
  })

  test('denies at the next request what has been revoked', async () => {
    const shop = await shopWith()
    expect((await shop.ask('POST', '/admin/flags', { person: 'olga' })).status).toBe(200)
    shop.gateway.entities?.apply({
      upsert: [{ uid: { type: 'User', id: 'olga' }, attrs: { tenant: { type: 'Tenant', id: 'acme' } } }],
    })
    expect((await shop.ask('POST', '/admin/flags', { person: 'olga' })).status).toBe(403)
  })

  test('in dark mode refuses nothing and counts what it would have', async () => {
    const shop = await shopWith({ authorization: { mode: 'dark' } })
    expect((await shop.ask('GET', '/orders/o3', { person: 'ada' })).status).toBe(200)
    expect((await shop.ask('GET', '/orders/o3')).status).toBe(200)
    const text = JSON.stringify(shop.gateway.registry.expose())
    expect(text).toMatch(/denied[^0-9]*2/)
  })
})

describe('stored answers', () => {
  const CACHED = {
    order: {
      match: { path: '/orders/{id}' },
      upstream: 'shop',
      coalesce: true,
      staleIfError: { ttl: '10m' },
      retry: false,
      authorize: {
        action: { GET: 'viewOrder', POST: 'cancelOrder' },
        resource: { type: 'Order', id: '{id}' },
        context: ['workload', 'tenant'],
        obligations: ['mask'],
      },
      idempotencyKey: true,
      ladder: { steps: [{ serve: 'stale' }], statuses: [500, 502, 503, 504] },
    },
  } as const satisfies ShopOptions['routes']

  test('are never given to somebody who may not, however they got there', async () => {
    const shop = await shopWith({ routes: CACHED })
    expect((await shop.ask('GET', '/orders/o1', { person: 'ada' })).status).toBe(200)
    expect((await shop.ask('GET', '/orders/o1', { person: 'edsger' })).status).toBe(403)
    expect((await shop.ask('GET', '/orders/o1')).status).toBe(401)
  })

  test('and answers under way are kept for one caller each', async () => {
    const shop = await shopWith({ routes: CACHED, serviceMs: 60 })
    const both = await shop.sendAll(
      (['ada', 'sue', 'ada'] as const).map((person) => shop.request('GET', '/orders/o1', { person })),
    )
    expect(both.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(both.map(({ text }) => /"for":"(\w+)"/.exec(text)?.[1])).toEqual(['ada', 'sue', 'ada'])
    expect(shop.deeds.length).toBe(2)
  })

  test('of a write belong to the caller who sent the key', async () => {
    const shop = await shopWith({
      routes: CACHED,
      policies: 'permit (principal, action, resource);',
    })
    const fields = ['Idempotency-Key: k1', 'Content-Length: 0']
    const first = await shop.ask('POST', '/orders/o1', { person: 'ada', fields })
    const again = await shop.ask('POST', '/orders/o1', { person: 'ada', fields })
    const other = await shop.ask('POST', '/orders/o1', { person: 'grace', fields })
    expect([first.status, again.status, other.status]).toEqual([200, 200, 200])
    expect(again.text).toContain('"for":"ada"')
    expect(other.text).toContain('"for":"grace"')
    expect(shop.deeds.length).toBe(2)
  })
})

function identityOf(): { readonly testIssuer: { readonly publicKey: string } } {
  return { testIssuer: { publicKey: Shop.publicKey } }
}
