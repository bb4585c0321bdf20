import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import {
  accessWatch,
  actionCheck,
  identify,
  liveEntities,
  spelling,
  stripClaims,
  workloadCheck,
} from '../controls-authz.ts'
import { FEED, openFeed } from './feed.ts'
import { arrange, honestLimit, honestRatio, openShop } from './play.ts'
import type { RawClient } from '../lab/raw-client.ts'
import type { Person } from './policies.ts'

const NOT_OPERATORS: readonly (Person | undefined)[] = [undefined, 'ada', 'edsger', 'sue', 'bill']

export const hiddenFunctions: Drill = defineDrill({
  id: 'hidden-functions',
  title: 'Everybody but the operators tries what only operators may',
  threat: threats.brokenFunctionAuthorization,
  controls: [actionCheck],
  lab: 'sim',
  arrange,
  async attack(play, options) {
    const shop = await openShop(play, options)
    const honest = await honestRatio(shop)
    for (const person of NOT_OPERATORS) {
      const as = { ...(person !== undefined && { person }), fields: ['Content-Length: 0'] }
      for (const path of ['/admin', '/admin/flags', '/admin/users/ada'])
        for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'HEAD']) await shop.ask(method, path, as)
      for (const path of ['/invoices/i1/refund', '/tenants/acme/orders'])
        if (person !== 'sue' && person !== 'bill')
          await shop.ask(path.endsWith('refund') ? 'POST' : 'GET', path, as)
    }
    return { honest, done: shop.deeds.length }
  },
  judge: ({ honest, done }) => ({
    outcome: done === 0 ? 'contained' : 'breached',
    because: [
      {
        name: 'functions carried out for people without the right',
        value: done,
        unit: 'requests',
        atMost: 0,
      },
    ],
    honest: honestLimit(honest),
  }),
})

const SPELLINGS =
  `/Admin/flags //admin/flags /admin//flags /ADMIN /admin/ /admin;a=1/flags /%61dmin/flags /x/../admin/flags
  /x/%2e%2e/admin/flags /./admin/flags /admin%2fflags /admin%5cflags /%2561dmin/flags /admin/flags/
  /admin/./flags /Orders/o3 //orders/o3 /orders/o3/`.split(/\s+/)
const OVERRIDES = [
  ['X-HTTP-Method-Override: POST', 'X-Method-Override: POST', 'X-HTTP-Method: POST'],
  ['X-Original-URL: /admin/flags'],
  ['X-Rewrite-URL: /admin/flags'],
  ['X_Original_URL: /admin/flags'],
]

export const otherSpellings: Drill = defineDrill({
  id: 'other-spellings',
  title: 'Guarded doors are tried in other spellings, with other verbs and with override fields',
  threat: threats.authorizationBypass,
  controls: [spelling, stripClaims],
  lab: 'sim',
  arrange,
  async attack(play, options) {
    const shop = await openShop(play, options)
    const honest = await honestRatio(shop)
    for (const path of [...SPELLINGS, '/admin/flags', '/orders/o3']) {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'get', 'TRACE'])
        await shop.ask(method, path, { fields: ['Content-Length: 0'] })
      await shop.ask('GET', path, {
        fields: ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
      })
      await shop.send(`GET http://shop${path} HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n`)
    }
    for (const fields of OVERRIDES) await shop.ask('GET', '/products', { fields })
    const isGuarded = (path: string): boolean => /^\/(admin|orders)\b/.test(path)
    // Nobody may POST the products: only an override field turns a GET into that.
    const reached = shop.deeds.filter(({ path, method }) => isGuarded(path) || method !== 'GET')
    return { honest, reached: reached.length }
  },
  judge: ({ honest, reached }) => ({
    outcome: reached === 0 ? 'contained' : 'breached',
    because: [
      { name: 'guarded doors opened by another spelling', value: reached, unit: 'requests', atMost: 0 },
    ],
    honest: honestLimit(honest),
  }),
})

export const forgedIdentity: Drill = defineDrill({
  id: 'forged-identity',
  title: 'Requests name somebody else in fields and in tokens that nobody signed',
  threat: threats.forgedIdentity,
  controls: [identify, stripClaims],
  lab: 'sim',
  arrange,
  async attack(play, options) {
    const shop = await openShop(play, options)
    const honest = await honestRatio(shop)
    const [header = '', payload = '', signature = ''] = shop.token('edsger').split('.')
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as object
    const tokens = [
      `${encode({ alg: 'none' })}.${payload}.`,
      `${encode({ alg: 'none', typ: 'breakwater-test+jwt' })}.${payload}.${'A'.repeat(86)}`,
      `${header}.${encode({ ...claims, sub: 'olga', tenant: 'acme' })}.${signature}`,
      `${header}.${payload}.${'B'.repeat(86)}`,
      shop.token('olga', -60_000),
    ]
    for (const token of tokens) {
      for (const [method, path] of [
        ['GET', '/orders/o3'],
        ['POST', '/admin/flags'],
      ] as const)
        await shop.ask(method, path, { fields: [`Authorization: Bearer ${token}`, 'Content-Length: 0'] })
    }
    // The service believes this field: it is the gateway's.
    for (const name of ['X-Authenticated-User', 'x-authenticated-user', 'X_Authenticated_User'])
      await shop.ask('GET', '/products', { fields: [`${name}: olga`] })
    const believed = shop.deeds.filter(({ fields, path }) => {
      const named = [...fields].some(([name]) => name.replaceAll('_', '-') === 'x-authenticated-user')
      return path !== '/products' || named
    })
    return { honest, believed: believed.length }
  },
  judge: ({ honest, believed }) => ({
    outcome: believed === 0 ? 'contained' : 'breached',
    because: [
      { name: 'requests carried out as somebody else', value: believed, unit: 'requests', atMost: 0 },
    ],
    honest: honestLimit(honest),
  }),
})

export const reportingRefunds: Drill = defineDrill({
  id: 'reporting-refunds',
  title: 'The job that makes reports pays money out, for itself and for users who may',
  threat: threats.overPoweredService,
  controls: [workloadCheck],
  lab: 'sim',
  arrange,
  async attack(play, options) {
    const shop = await openShop(play, options)
    const honest = await honestRatio(shop)
    const right = await shop.ask('POST', '/invoices/i1/refund', {
      workload: 'billing',
      person: 'bill',
      fields: ['Content-Length: 0'],
    })
    const reads = await shop.ask('GET', '/invoices/i1', { workload: 'reporting' })
    shop.deeds.length = 0
    const pairs = [
      { workload: 'reporting' },
      { workload: 'reporting', person: 'bill' },
      { workload: 'reporting', person: 'ada' },
      { workload: 'billing', person: 'ada' },
      { workload: 'billing' },
      { person: 'bill' },
    ] as const
    for (const pair of pairs)
      for (const id of ['i1', 'i2', 'i3'])
        await shop.ask('POST', `/invoices/${id}/refund`, { ...pair, fields: ['Content-Length: 0'] })
    const good = [right, reads].filter(({ status }) => status === 200).length / 2
    return { honest: Math.min(honest, good), paid: shop.deeds.length }
  },
  judge: ({ honest, paid }) => ({
    outcome: paid === 0 ? 'contained' : 'breached',
    because: [{ name: 'refunds by a pair that may not', value: paid, unit: 'requests', atMost: 0 }],
    honest: honestLimit(honest),
  }),
})

export const dismissedOperator: Drill = defineDrill({
  id: 'dismissed-operator',
  title: 'An operator is dismissed and goes on with the token of this morning',
  threat: threats.stalePermission,
  controls: [liveEntities],
  lab: 'sim',
  arrange,
  async attack(play, options) {
    const shop = await openShop(play, options)
    const honest = await honestRatio(shop)
    const token = [`Authorization: Bearer ${shop.token('olga')}`, 'Content-Length: 0']
    await shop.ask('POST', '/admin/flags', { fields: token })
    const before = shop.deeds.length
    shop.gateway.entities?.apply({
      upsert: [{ uid: { type: 'User', id: 'olga' }, attrs: { tenant: { type: 'Tenant', id: 'acme' } } }],
    })
    for (let round = 0; round < 10; round++) await shop.ask('POST', '/admin/flags', { fields: token })
    return { honest: Math.min(honest, before), after: shop.deeds.length - before }
  },
  judge: ({ honest, after }) => ({
    outcome: after === 0 ? 'contained' : 'breached',
    because: [{ name: 'actions after the dismissal', value: after, unit: 'requests', atMost: 0 }],
    honest: honestLimit(honest),
  }),
})

export const openFeeds: Drill = defineDrill({
  id: 'open-feeds',
  title: 'A dismissed operator goes on reading what was opened before: a stream and a tunnel',
  threat: threats.stalePermission,
  controls: [accessWatch],
  lab: 'sim',
  arrange,
  async attack(play, options) {
    await openFeed(play.world)
    const shop = await openShop(play, options, FEED)
    const open = (person: Person, fields: readonly string[]): RawClient =>
      shop.stay(
        [
          'GET /feed/events HTTP/1.1',
          'Host: shop',
          `Authorization: Bearer ${shop.token(person)}`,
          ...fields,
          '',
          '',
        ].join('\r\n'),
      )
    const upgrade = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Key: x',
      'Sec-WebSocket-Version: 13',
    ]
    const operator = {
      attrs: { tenant: { type: 'Tenant', id: 'acme' } },
      parents: [{ type: 'Role', id: 'operator' }],
    }
    shop.gateway.entities?.apply({ upsert: [{ uid: { type: 'User', id: 'grace' }, ...operator }] })
    const [stream, tunnel, honest] = [open('olga', []), open('olga', upgrade), open('grace', [])]
    await play.world.run(1000)
    const told = ({ received }: RawClient): number => received.split('secret').length - 1
    const wereOpen = [stream, tunnel, honest].every((client) => told(client) > 2)
    shop.gateway.entities?.apply({
      upsert: [{ uid: { type: 'User', id: 'olga' }, attrs: { tenant: { type: 'Tenant', id: 'acme' } } }],
    })
    await play.world.run(1000)
    const before = [stream, tunnel, honest].map(told)
    await play.world.run(10_000)
    const after = [stream, tunnel, honest].map(told)
    const [streamed = 0, tunnelled = 0, read = 0] = after.map((count, at) => count - (before[at] ?? 0))
    return { honest: wereOpen && read > 50 ? 1 : 0, leaked: streamed + tunnelled }
  },
  judge: ({ honest, leaked }) => ({
    outcome: leaked === 0 ? 'contained' : 'breached',
    because: [
      { name: 'told a second after the dismissal and later', value: leaked, unit: 'messages', atMost: 0 },
    ],
    honest: honestLimit(honest),
  }),
})
