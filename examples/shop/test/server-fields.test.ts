import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isServerField } from '@breakwater/authz/guard'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { openBilling } from '../src/billing/billing.ts'
import { FaultBox } from '../src/kit/faults.ts'
import { Identity } from '../src/kit/identity.ts'
import { ServiceServer } from '../src/kit/server.ts'
import type { OpenService, Service } from '../src/kit/service.ts'
import { WorkSlots } from '../src/kit/work-slots.ts'
import { openCatalog } from '../src/catalog/catalog.ts'
import { openOrders } from '../src/orders/orders.ts'
import { openPayments } from '../src/payments/payments.ts'
import { openStorefront } from '../src/storefront/storefront.ts'
import type { ServiceName } from '../src/index.ts'
import { as, identityOf } from './people.ts'

const OPENERS = {
  '/shop': openStorefront,
  '/orders': openOrders,
  '/payments': openPayments,
  '/catalog': openCatalog,
  '/invoices': openBilling,
} satisfies Record<string, OpenService>

/** What only the server knows or assigns, as people who try their luck would name it. */
const NAMES_BY_VALUE: readonly (readonly [value: unknown, names: string])[] = [
  ['admin', 'role status scope'],
  [['admin'], 'roles permissions'],
  [true, 'isAdmin is_admin paid'],
  ['usr_grace', 'owner ownerId owner_id createdBy principal'],
  ['globex', 'tenant tenantId tenant_id workload'],
  ['ord_0123456789abcdef', 'id paymentId'],
  [1, 'price priceCents unitPriceCents totalCents amountCents discount refundedCents refundLimitCents'],
  ['2020-01-01', 'createdAt completeness'],
  [{ role: 'admin' }, '__proto__ constructor'],
]
const SERVER_FIELDS: ReadonlyMap<string, unknown> = new Map(
  NAMES_BY_VALUE.flatMap(([value, names]) => names.split(' ').map((name) => [name, value] as const)),
)

/** Values that mean something to the shop; everything else is made from the schema. */
const MEANT: Readonly<Record<string, unknown>> = {
  userId: 'usr_ada',
  productId: 'prd_mug',
  productIds: ['prd_mug'],
  paymentMethod: 'card-visa',
  orderId: 'ord_0123456789abcdef',
}

interface Dto {
  readonly name: string
  readonly url: string
  readonly schema: z.ZodType
}

const folder = mkdtempSync(join(tmpdir(), 'breakwater-shop-fields-'))
const servers: ServiceServer[] = []
const passedOn: string[] = []
const urls = new Map<string, string>()
const dtos: Dto[] = []

/** Stands where the gateway stands: hands calls on by their path and counts them. */
const between = createServer((request, response) => {
  const path = request.url ?? ''
  passedOn.push(path)
  const base = urls.get(`/${path.split('/')[1] ?? ''}`) ?? ''
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    typeof value === 'string' && !/^(host|connection|content-length|transfer-encoding)$/.test(name)
      ? [[name, value]]
      : [],
  )
  void request.toArray().then(async (chunks) => {
    const body = Buffer.concat(chunks as Buffer[])
    const init = {
      method: request.method ?? 'GET',
      headers: Object.fromEntries(headers) as Record<string, string>,
    }
    const answer = await fetch(`${base}${path}`, body.length === 0 ? init : { ...init, body })
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
  })
})

beforeAll(async () => {
  between.listen(0, '127.0.0.1')
  await once(between, 'listening')
  const gateway = `http://127.0.0.1:${(between.address() as AddressInfo).port}`
  for (const [prefix, open] of Object.entries(OPENERS)) {
    const faults = new FaultBox()
    const name = prefix === '/shop' ? 'storefront' : prefix === '/invoices' ? 'billing' : prefix.slice(1)
    const env = { GATEWAY_URL: gateway, ...identityOf(name as ServiceName) }
    const identity = new Identity(env)
    const service = open({ name: name as ServiceName, dataDir: folder, env, identity, faults })
    const server = new ServiceServer({
      service,
      identity,
      faults,
      slots: new WorkSlots(8, 100),
      mayInjectFaults: false,
      ownTimeoutMs: 10_000,
    })
    servers.push(server)
    const { port } = await server.listen('127.0.0.1', 0)
    urls.set(prefix, `http://127.0.0.1:${port}`)
    dtos.push(...dtosOf(service, `http://127.0.0.1:${port}`))
  }
}, 60_000)
afterAll(async () => {
  await Promise.all(servers.map((server) => server.drain(1000)))
  between.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The body of every route that writes, as its route declares it. One without a body has nothing to refuse. */
function dtosOf({ routes }: Service, base: string): readonly Dto[] {
  return routes.flatMap(({ method, path, body: schema }) =>
    schema === undefined ? [] : [{ name: `${method} ${path}`, url: `${base}${path}`, schema }],
  )
}

type Shape = Readonly<Record<string, unknown>>

function sampleOf(shape: Shape, name = ''): unknown {
  if (MEANT[name] !== undefined) return MEANT[name]
  if ('const' in shape) return shape['const']
  if (shape['type'] === 'object') {
    const properties = Object.entries(shape['properties'] as Record<string, Shape>)
    return Object.fromEntries(properties.map(([key, inner]) => [key, sampleOf(inner, key)]))
  }
  if (shape['type'] === 'array') return [sampleOf(shape['items'] as Shape)]
  if (shape['type'] === 'integer' || shape['type'] === 'number')
    return Math.max(1, Number(shape['minimum'] ?? 1))
  if (shape['type'] === 'boolean') return true
  return 'text'
}

/** The same value with one field more, for every mapping in it that does not declare that field. */
function* withField(value: unknown, name: string, given: unknown): Generator {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      for (const changed of withField(item, name, given)) yield value.with(index, changed)
  } else if (typeof value === 'object' && value !== null) {
    if (!Object.hasOwn(value, name)) {
      const changed = { ...value }
      Object.defineProperty(changed, name, { value: given, enumerable: true })
      yield changed
    }
    for (const [key, inner] of Object.entries(value))
      for (const changed of withField(inner, name, given)) yield { ...value, [key]: changed }
  }
}

function rows(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.sqlite'))) {
    using database = new DatabaseSync(join(folder, file), { readOnly: true })
    for (const { name } of database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all())
      counts[`${file} ${String(name)}`] = Number(
        database.prepare(`SELECT count(*) AS n FROM ${String(name)}`).get()?.['n'],
      )
  }
  return counts
}

/** Each body comes from whoever may send it: the services from one another, a refund from the back office. */
function senderOf(url: string): Readonly<Record<string, string>> {
  const { pathname } = new URL(url)
  if (pathname.endsWith('/refunds')) return as('usr_bill', 'back-office')
  if (pathname === '/shop/checkout') return as('usr_ada')
  return as('usr_ada', pathname === '/orders' ? 'storefront' : 'orders')
}

async function post(url: string, body: unknown, key: string) {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key, ...senderOf(url) }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

/** A body that the service takes as it is, and the address that it goes to. */
async function acceptable({ schema, url }: Dto): Promise<{ readonly body: unknown; readonly url: string }> {
  const body = sampleOf(z.toJSONSchema(schema, { io: 'input' }))
  if (!url.includes('{id}')) return { body, url }
  const invoice = { orderId: 'ord_00000000000000aa', userId: 'usr_ada', amountCents: 500, currency: 'EUR' }
  const made = await post(`${urls.get('/invoices')}/invoices`, invoice, 'invoice')
  return { body, url: url.replace('{id}', String(made.body['id'])) }
}

describe('fields that only the server assigns', () => {
  test('are declared by no body, but the amounts that services tell each other and that a refund asks for', () => {
    const declared = dtos.flatMap(({ name, schema }) => {
      const text = JSON.stringify(z.toJSONSchema(schema, { io: 'input' }))
      const fields = [...text.matchAll(/"(\w+)":\{/g)].map(([, field = '']) => field)
      return fields
        .filter((field) => isServerField(field) || SERVER_FIELDS.has(field))
        .map((field) => `${name} ${field}`)
    })
    expect(declared.sort()).toEqual([
      'POST /invoices amountCents',
      'POST /invoices/{id}/refunds amountCents',
      'POST /payments amountCents',
    ])
    expect(dtos.map(({ name }) => name).sort()).toEqual([
      'POST /invoices',
      'POST /invoices/{id}/refunds',
      'POST /orders',
      'POST /payments',
      'POST /shop/checkout',
    ])
  })

  test('are refused in every body and at every depth, by the real handlers, with nothing written or passed on', async () => {
    let tries = 0
    for (const dto of dtos) {
      const { body: good, url } = await acceptable(dto)
      const taken = await post(url, good, `good-${dto.name}`.replaceAll(/\W/g, '-'))
      expect([dto.name, taken.status, taken.body]).toEqual([dto.name, 201, expect.anything()])
      const before = { rows: rows(), passedOn: passedOn.length }
      for (const [field, value] of SERVER_FIELDS) {
        for (const body of withField(good, field, value)) {
          tries++
          const { status, body: answer } = await post(url, body, `bad-${tries}`)
          expect([JSON.stringify(body), status]).toEqual([JSON.stringify(body), 422])
          expect(answer['code']).toMatch(/^SHOP_(FIELD_REFUSED|BODY_INVALID)$/)
        }
      }
      expect({ rows: rows(), passedOn: passedOn.length }).toEqual(before)
    }
    expect(tries).toBeGreaterThan(150)
  })

  test('are refused even where a schema is too lenient', async () => {
    const { declaredFields } = await import('../src/kit/body-fields.ts')
    const lenient = z.looseObject({ lines: z.array(z.looseObject({ productId: z.string() })) })
    const lines = [{ productId: 'prd_mug' }]
    expect(declaredFields({ lines }, lenient)).toEqual({ lines })
    for (const body of [{ lines, status: 'paid' }, { lines: [{ productId: 'prd_mug', tenantId: 'globex' }] }])
      expect(() => declaredFields(body, lenient)).toThrow(
        expect.objectContaining({ code: 'SHOP_FIELD_REFUSED' }),
      )
  })
})
