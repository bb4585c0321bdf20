import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { Authorizer } from '../index.ts'
import { GuardedRouter, ListGuard, acceptOnly, guard, isRefused, isServerField } from '../guard.ts'
import type { Decider, Refused, Who } from '../guard.ts'

interface Order {
  readonly id: string
  readonly owner: string
  readonly tenant: string
  readonly card: string
}

const user = (id: string): { readonly type: string; readonly id: string } => ({ type: 'User', id })
const POLICIES = `
@id("owner") permit (principal, action in [Action::"viewOrder", Action::"listOrders"], resource) when { resource.owner == principal };
@id("support") @obligation_mask("card, internal")
permit (principal == User::"sue", action == Action::"viewOrder", resource);
@id("odd") @obligation_dance("now") permit (principal == User::"odd", action == Action::"viewOrder", resource);
@id("alarm") @obligation_alarm("glass") permit (principal == User::"olga", action == Action::"viewOrder", resource);
`
const ROWS: readonly Order[] = [
  { id: 'o1', owner: 'ada', tenant: 'acme', card: '4111' },
  { id: 'o2', owner: 'grace', tenant: 'acme', card: '4222' },
  { id: 'o3', owner: 'edsger', tenant: 'globex', card: '4333' },
]
const who = (id: string): Who => ({ principal: user(id), context: {} })

function routerOn(decider: Decider & Pick<Authorizer, 'plan'>, work: string[] = []): GuardedRouter<unknown> {
  const viewOrder = guard<Order>(
    {
      action: 'viewOrder',
      type: 'Order',
      entity: ({ owner }) => ({ attrs: { owner: { __entity: user(owner) } } }),
    },
    (id) => {
      work.push(`load ${id}`)
      return ROWS.find((row) => row.id === id)
    },
  )
  const list = new ListGuard('listOrders', {
    entityType: 'Order',
    id: 'id',
    attributes: { owner: { column: 'owner', type: 'entity', entityType: 'User' } },
  })
  return new GuardedRouter<unknown>(decider)
    .object('GET', '/orders/{id}', viewOrder, (order) => order)
    .list('GET', '/orders', list, (rows) => ({
      rows: rows.of(ROWS.map((row) => ({ ...row }))),
      where: rows.where('sqlite'),
    }))
    .public('GET', '/products', () => 'all')
}
const authorizer = (): Authorizer => new Authorizer({ policies: { text: POLICIES, ids: 'annotation' } })
const get = (path: string, id?: string) => ({
  method: 'GET',
  path,
  who: id === undefined ? undefined : who(id),
})

describe('a guarded router', () => {
  test('hands the object to its owner, and to nobody else', async () => {
    const router = routerOn(authorizer())
    expect(await router.handle(get('/orders/o1', 'ada'))).toEqual(ROWS[0])
    expect(await router.handle(get('/orders/o1', 'grace'))).toMatchObject({ status: 404 })
    expect(await router.handle(get('/orders/o1'))).toMatchObject({ status: 401 })
    expect(await router.handle(get('/products'))).toBe('all')
  })

  test('does the same work for what is forbidden and what is not there', async () => {
    const work: string[] = []
    const real = authorizer()
    const counting = {
      decide: (request: Parameters<Authorizer['decide']>[0]) => {
        work.push('decide')
        return real.decide(request)
      },
      plan: real.plan.bind(real),
    }
    const router = routerOn(counting, work)
    const forbidden = await router.handle(get('/orders/o3', 'ada'))
    const first = work.splice(0)
    const missing = await router.handle(get('/orders/o9', 'ada'))
    expect(work.map((step) => step.split(' ')[0])).toEqual(first.map((step) => step.split(' ')[0]))
    expect(missing).toEqual(forbidden)
  })

  test('takes masked fields away, raises alarms elsewhere, and refuses obligations it does not know', async () => {
    const router = routerOn(authorizer())
    expect(await router.handle(get('/orders/o1', 'sue'))).toEqual({ id: 'o1', owner: 'ada', tenant: 'acme' })
    expect(await router.handle(get('/orders/o1', 'olga'))).toEqual(ROWS[0])
    expect(await router.handle(get('/orders/o1', 'odd'))).toMatchObject({
      status: 403,
      code: 'BW_AUTHZ_OBLIGATION_UNKNOWN',
    })
  })

  test('refuses when the check panics, whatever it threw', async () => {
    const router = routerOn({
      decide: () => {
        throw new TypeError('missing claim')
      },
      plan: () => {
        throw new TypeError('missing claim')
      },
    })
    expect(await router.handle(get('/orders/o1', 'ada'))).toMatchObject({ status: 503 })
    expect(await router.handle(get('/orders', 'ada'))).toMatchObject({ status: 503 })
  })

  test('asks about an object of the store by its id alone', async () => {
    const decider = new Authorizer({
      policies: `permit (principal, action, resource) when { resource.owner == principal };`,
      entities: [{ uid: { type: 'Desk', id: 'd1' }, attrs: { owner: { __entity: user('ada') } } }],
    })
    const sit = guard<{ readonly id: string }>({ action: 'sit', type: 'Desk' }, (id) => ({ id }))
    expect(await sit.check(decider, { who: who('ada'), id: 'd1' })).toEqual({ id: 'd1' })
    expect(isRefused(await sit.check(decider, { who: who('grace'), id: 'd1' }))).toBe(true)
    expect(isRefused(await sit.check(decider, { who: who('ada'), id: 'd2' }))).toBe(true)
  })

  test('answers HEAD as GET and no other method, no other spelling', async () => {
    const router = routerOn(authorizer())
    expect(await router.handle({ ...get('/orders/o3', 'ada'), method: 'HEAD' })).toMatchObject({
      status: 404,
    })
    expect(await router.handle({ ...get('/orders/o1', 'ada'), method: 'PUT' })).toMatchObject({ status: 405 })
    for (const path of ['/orders/o1/', '//orders/o1', '/Orders/o1', '/orders//'])
      expect(await router.handle(get(path, 'ada'))).toMatchObject({ status: 404 })
  })

  test('lists and counts what may be seen, in memory and in SQL alike', async () => {
    const router = routerOn(authorizer())
    const listed = (await router.handle(get('/orders', 'ada'))) as {
      readonly rows: readonly Order[]
      readonly where: { readonly text: string; readonly parameters: readonly string[] }
    }
    expect(listed.rows.map(({ id }) => id)).toEqual(['o1'])
    using database = new DatabaseSync(':memory:')
    database.exec('CREATE TABLE orders (id TEXT, owner TEXT)')
    for (const { id, owner } of ROWS) database.prepare('INSERT INTO orders VALUES (?, ?)').run(id, owner)
    const { text, parameters } = listed.where
    const count = database.prepare(`SELECT count(*) AS n FROM orders WHERE ${text}`).get(...parameters)
    expect(count).toEqual({ n: 1 })
    const nobody = (await router.handle(get('/orders', 'mallory'))) as typeof listed
    expect(nobody.rows).toEqual([])
  })
})

describe('a body', () => {
  const accept = acceptOnly(['name', 'address'])
  test.each([
    { name: 'Ada', role: 'admin' },
    { name: 'Ada', address: { tenant_id: 'globex' } },
    { name: 'Ada', address: [{ deep: { isAdmin: true } }] },
    { OWNER: 'ada' },
    { unknown: 1 },
    JSON.parse('{"name":"x","address":{"__proto__":{"role":"admin"}}}') as unknown,
    [],
    'text',
    null,
  ])('that sets what the server assigns is refused: %j', (body) => {
    expect(isRefused(accept(body))).toBe(true)
    expect((accept(body) as Refused).status).toBe(422)
  })

  test('of its own fields passes', () => {
    expect(accept({ name: 'Ada', address: { street: 'x' } })).toMatchObject({
      name: 'Ada',
      address: { street: 'x' },
    })
  })

  test('can never be told to accept a role', () => {
    expect(() => acceptOnly(['name', 'Tenant-Id'])).toThrow(RangeError)
    expect(['role', 'tenantId', 'owner_id', 'isAdmin'].every(isServerField)).toBe(true)
  })
})
