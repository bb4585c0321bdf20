import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GatewayConfig, RouteConfig } from '@breakwater/contract'
import { describe, expect, test } from 'vitest'

import { FEED, openFeed } from '../drills/authz/feed.ts'
import { POLICIES } from '../drills/authz/policies.ts'
import type { Person } from '../drills/authz/policies.ts'
import { EPOCH_MS, ROUTES } from '../drills/authz/shop.ts'
import type { Shop, ShopOptions } from '../drills/authz/shop.ts'
import type { RawClient } from '../drills/lab/raw-client.ts'
import type { SimWorld } from '../drills/lab/world.ts'
import { newFolder, newWorld, shopIn } from './support/guarded-shop.ts'

async function feedWith(
  options: ShopOptions = {},
): Promise<{ readonly shop: Shop; readonly world: SimWorld; stay(as: As): Promise<RawClient> }> {
  const world = newWorld()
  await openFeed(world)
  const shop = await shopIn(world, { ...FEED, ...options })
  return {
    shop,
    world,
    async stay({ path = '/feed/events', person = 'olga', validForMs = 3_600_000, upgrade = false }) {
      const token = `Authorization: Bearer ${shop.token(person, validForMs)}`
      const client = shop.stay(requestFor({ path, upgrade }, token))
      await world.run(500)
      return client
    },
  }
}
interface As {
  readonly path?: string
  readonly person?: Person
  readonly validForMs?: number
  readonly upgrade?: boolean
}
function requestFor({ path = '/feed/events', upgrade = false }: As, ...fields: readonly string[]): string {
  const tunnel = upgrade
    ? ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x', 'Sec-WebSocket-Version: 13']
    : []
  return [`GET ${path} HTTP/1.1`, 'Host: shop', ...fields, ...tunnel, '', ''].join('\r\n')
}
const secrets = ({ received }: RawClient): number => received.split('secret').length - 1
const olga = {
  uid: { type: 'User', id: 'olga' },
  attrs: { tenant: { type: 'Tenant', id: 'acme' } },
}
const operator = { ...olga, parents: [{ type: 'Role', id: 'operator' }] }

/** The other routes for everybody: their actions are not those of the policies in question. */
const ONLY_FEED = Object.fromEntries(
  Object.entries(ROUTES).map(([name, { match, upstream }]) => [name, { match, upstream, public: true }]),
)

const KINDS: readonly (readonly [string, As])[] = [
  ['a stream of events', {}],
  ['any other stream', { path: '/feed/lines' }],
  ['a tunnel', { upgrade: true }],
]

/** Ways in which nobody is asked about the feed. */
const UNASKED: readonly (readonly [string, (config: GatewayConfig) => GatewayConfig])[] = [
  [
    'on a public route',
    (config) => withFeed(config, (feed) => ({ ...feed, authorize: undefined, public: true })),
  ],
  [
    'on a public route, with another one for its path now',
    (config) => ({
      ...config,
      routes: config.routes.flatMap((route) =>
        route.name === 'storefront'
          ? [{ ...route, upstream: 'feed', upgrade: feedOf(config).upgrade }]
          : route.name === 'feed'
            ? []
            : [route],
      ),
    }),
  ],
  [
    'in dark mode',
    ({ authorization, ...config }) => ({
      ...config,
      authorization: { ...authorization, mode: 'dark' } as GatewayConfig['authorization'],
    }),
  ],
  ['without authorization', (config) => ({ ...config, authorization: { mode: 'off' } })],
]
const feedOf = ({ routes }: GatewayConfig): RouteConfig => {
  const feed = routes.find(({ name }) => name === 'feed')
  if (feed === undefined) throw new Error('there is no feed')
  return feed
}
const withFeed = (config: GatewayConfig, change: (feed: RouteConfig) => RouteConfig): GatewayConfig => ({
  ...config,
  routes: config.routes.map((route) => (route.name === 'feed' ? change(route) : route)),
})

describe('an answer that began where nobody was asked', () => {
  test.each(UNASKED.flatMap(([where, open]) => KINDS.map(([kind, as]) => [kind, where, open, as] as const)))(
    '%s %s: is decided on like any other once somebody is asked',
    async (_kind, _where, open, as) => {
      const { shop, world, stay } = await feedWith()
      const { config } = shop.gateway
      await shop.gateway.reload(open(config))
      const [allowed, foreign] = [await stay(as), await stay({ ...as, person: 'ada' })]
      const nobody = shop.stay(requestFor(as))
      await world.run(1000)
      for (const client of [allowed, foreign, nobody]) expect(secrets(client)).toBeGreaterThan(8)
      await shop.gateway.reload(config)
      await world.run(100)
      const before = [secrets(allowed), secrets(foreign), secrets(nobody)]
      await world.run(2000)
      expect([secrets(foreign), secrets(nobody)]).toEqual(before.slice(1))
      expect(secrets(allowed)).toBeGreaterThan((before[0] ?? 0) + 10)
      // From here on it is watched.
      shop.gateway.entities?.apply({ upsert: [olga] })
      await world.run(100)
      const last = secrets(allowed)
      await world.run(1000)
      expect(secrets(allowed)).toBe(last)
    },
  )
})

describe('an answer whose route has changed', () => {
  test('goes on when its token ends, where nobody is asked any more', async () => {
    const { shop, world, stay } = await feedWith()
    const client = await stay({ validForMs: 3000 })
    const open = withFeed(shop.gateway.config, (feed) => ({ ...feed, authorize: undefined, public: true }))
    await shop.gateway.reload(open)
    await world.run(5000)
    expect(secrets(client)).toBeGreaterThan(50)
  })

  test('is asked for what its route asks for now', async () => {
    const { shop, world, stay } = await feedWith()
    shop.gateway.entities?.apply({ upsert: [operator] })
    const client = await stay({})
    const other = withFeed(shop.gateway.config, (feed) => ({
      ...feed,
      authorize: feed.authorize && {
        ...feed.authorize,
        action: { GET: 'viewOrder' },
        resource: { type: 'Order', id: 'o1' },
      },
    }))
    await shop.gateway.reload(other)
    await world.run(100)
    const after = secrets(client)
    await world.run(1000)
    expect(secrets(client)).toBe(after)
  })
})

describe('an answer that goes on', () => {
  test.each(KINDS)('%s is cut when the right to it is taken away, and only that one', async (_, as) => {
    const { shop, world, stay } = await feedWith()
    shop.gateway.entities?.apply({ upsert: [{ ...operator, uid: { type: 'User', id: 'grace' } }] })
    const [first, second] = [await stay(as), await stay({ ...as, person: 'grace' })]
    expect([secrets(first), secrets(second)].every((count) => count >= 2)).toBe(true)
    shop.gateway.entities?.apply({ upsert: [olga] })
    await world.run(100)
    const after = secrets(first)
    const others = secrets(second)
    await world.run(2000)
    expect(secrets(first)).toBe(after)
    expect(first.isOpen && as.upgrade === true).toBe(false)
    expect(secrets(second)).toBeGreaterThan(others + 10)
    second.close()
    await world.run(100)
    expect(JSON.stringify(shop.gateway.status().upstreams)).not.toMatch(/"inFlight":[1-9]/)
  })

  test.each(KINDS)('%s is cut when the token ends', async (_, as) => {
    const { world, stay } = await feedWith()
    const client = await stay({ ...as, validForMs: 3000 })
    await world.run(1500)
    expect(secrets(client)).toBeGreaterThan(10)
    await world.run(3000)
    const after = secrets(client)
    await world.run(1000)
    expect(secrets(client)).toBe(after)
  })

  test.each(KINDS)('%s is cut when new policies forbid it, and goes on when they do not', async (_, as) => {
    const { shop, world, stay } = await feedWith()
    const client = await stay(as)
    const file = join(shop.folder, 'shop.cedar')
    writeFileSync(file, `${POLICIES}\n// other words\n`)
    await shop.gateway.reload(shop.gateway.config)
    await world.run(1500)
    const before = secrets(client)
    expect(before).toBeGreaterThan(15)
    writeFileSync(file, `${POLICIES}\n@id("stop") forbid (principal, action == Action::"watch", resource);`)
    await shop.gateway.reload(shop.gateway.config)
    await world.run(100)
    const after = secrets(client)
    await world.run(2000)
    expect(secrets(client)).toBe(after)
  })

  test('tells a reader of events why it ended', async () => {
    const { shop, world, stay } = await feedWith()
    const client = await stay({})
    shop.gateway.entities?.apply({ remove: [olga.uid] })
    await world.run(100)
    expect(client.received).toContain('event: error')
    expect(client.received).toContain('BW_GATEWAY_ACCESS_ENDED')
  })

  test('goes on when nothing that it depends on has changed, and outlives a right that comes back', async () => {
    const { shop, world, stay } = await feedWith()
    const client = await stay({})
    shop.gateway.entities?.apply({ upsert: [{ ...olga, uid: { type: 'User', id: 'grace' } }] })
    shop.gateway.entities?.apply({ upsert: [olga] })
    shop.gateway.entities?.apply({ upsert: [operator] })
    await world.run(2000)
    const before = secrets(client)
    expect(before).toBeGreaterThan(15)
    await world.run(70_000)
    expect(secrets(client)).toBeGreaterThan(before + 500)
  })

  test('that began after its right was taken away ends as well', async () => {
    // The head of the answer comes when the change has been and gone.
    const { shop, world } = await feedWith()
    const token = `Authorization: Bearer ${shop.token('olga')}`
    const client = shop.stay(['GET /feed/events HTTP/1.1', 'Host: shop', token, '', ''].join('\r\n'))
    for (let step = 0; step < 40 && shop.gateway.status().upstreams[1]?.endpoints[0]?.inFlight !== 1; step++)
      world.clock.runUntil(world.clock.now() + 0.25)
    expect(client.received).toBe('')
    shop.gateway.entities?.apply({ upsert: [olga] })
    await world.run(3000)
    expect(secrets(client)).toBeLessThan(2)
  })

  test('ends with the time that a policy sets, although nothing changes', async () => {
    const folder = newFolder()
    const until = new Date(EPOCH_MS + 20_000).toISOString()
    writeFileSync(
      join(folder, 'glass.cedar'),
      `@id("break-glass") permit (principal, action, resource) when { context.now < datetime("${until}") };`,
    )
    writeFileSync(
      join(folder, 'glass.cedarschema'),
      'entity User; entity Shop; action watch appliesTo { principal: [User], resource: [Shop], context: { now: datetime } };',
    )
    const { feed } = FEED.routes ?? {}
    if (feed === undefined) throw new Error('there is no feed')
    const authorize = {
      action: { GET: 'watch' },
      resource: { type: 'Shop', id: 'main' },
      context: ['now' as const],
    }
    const { world, stay } = await feedWith({
      policySource: { policies: folder },
      routes: { ...ONLY_FEED, feed: { ...feed, authorize } },
    })
    const client = await stay({})
    await world.run(18_000)
    expect(secrets(client)).toBeGreaterThan(170)
    await world.run(8000)
    const after = secrets(client)
    await world.run(3000)
    expect(secrets(client)).toBe(after)
  })

  test('is asked again twice a second at most when changes come one after the other, and cut within the next second', async () => {
    const folder = newFolder()
    const { shop, world, stay } = await feedWith({ authorization: { decisionLog: folder } })
    const client = await stay({})
    for (let change = 0; change < 100; change++) {
      shop.gateway.entities?.apply({ upsert: [operator] })
      await world.run(30)
    }
    expect(secrets(client)).toBeGreaterThan(30)
    shop.gateway.entities?.apply({ upsert: [olga] })
    await world.run(1100)
    const after = secrets(client)
    await world.run(1000)
    expect(secrets(client)).toBe(after)
    await shop.gateway.close()
    const [file = ''] = readdirSync(folder)
    const asked = readFileSync(join(folder, file), 'utf8').split('"action":"Action::').length - 1
    expect(asked).toBeGreaterThan(3)
    expect(asked).toBeLessThan(12)
  })

  test('is asked again on record', async () => {
    const folder = newFolder()
    const { shop, world, stay } = await feedWith({ authorization: { decisionLog: folder } })
    const gone = await stay({})
    await stay({})
    gone.close()
    await world.run(20_000) // it may still read for a while
    shop.gateway.entities?.apply({ upsert: [operator] })
    await world.run(1000)
    shop.gateway.entities?.apply({ upsert: [olga] })
    await world.run(100)
    await shop.gateway.close()
    const [file = ''] = readdirSync(folder)
    const records = readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .flatMap((line) => (line.includes('"by"') ? [JSON.parse(line) as Record<string, unknown>] : []))
    // Two that began; of these one has gone, and the other was asked twice.
    expect(records.map(({ result }) => result)).toEqual(['allow', 'allow', 'allow', 'deny'])
    expect(new Set(records.slice(1).map(({ traceId }) => traceId)).size).toBe(1)
  })

  test('is left alone once the gateway has gone dark, also when the token ends', async () => {
    const { shop, world, stay } = await feedWith()
    const client = await stay({ path: '/feed/lines', validForMs: 3000 })
    const { config } = shop.gateway
    if (config.authorization.mode === 'off') throw new Error('there is no authorization')
    const dark = { ...config, authorization: { ...config.authorization, mode: 'dark' as const } }
    await shop.gateway.reload(dark)
    await world.run(6000)
    const before = secrets(client)
    expect(before).toBeGreaterThan(40)
    await shop.gateway.reload(config)
    await world.run(2000)
    const after = secrets(client)
    await world.run(1000)
    expect(secrets(client)).toBe(after)
  })

  test('is left alone in dark mode', async () => {
    const { shop, world, stay } = await feedWith({ authorization: { mode: 'dark' } })
    const client = await stay({ validForMs: 2000 })
    shop.gateway.entities?.apply({ upsert: [olga] })
    await world.run(4000)
    expect(secrets(client)).toBeGreaterThan(30)
  })
})
