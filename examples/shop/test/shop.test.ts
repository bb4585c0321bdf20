import { globSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { orderCreated, paymentCompleted, products } from '../src/index.ts'
import type { Faults, ServiceName } from '../src/index.ts'
import { as, alone } from './people.ts'
import { ask, startShop } from './processes.ts'
import type { JsonAnswer, RunningShop } from './processes.ts'

let shop: RunningShop
beforeAll(async () => {
  shop = await startShop()
}, 60_000)
afterAll(async () => {
  expect(await shop.stop()).toEqual([0, 0, 0, 0, 0])
})
afterEach(async () => {
  await Promise.all(Object.values(shop.urls).map((url) => ask(`${url}/__fault`, { method: 'DELETE' })))
})

const ada = { 'x-tenant-id': 'acme', ...as('usr_ada') }
const twoMugs = {
  lines: [{ productId: 'prd_mug', quantity: 2 }],
  paymentMethod: 'card-visa',
}
let keys = 0
const newKey = (): string => `key-${(keys += 1)}`

const checkout = (
  body: unknown,
  key = newKey(),
  headers: Readonly<Record<string, string>> = {},
): Promise<JsonAnswer> =>
  ask(`${shop.urls.storefront}/shop/checkout`, {
    body,
    headers: { ...ada, 'idempotency-key': key, ...headers },
  })

const breakService = (name: ServiceName, faults: Partial<Faults>): Promise<JsonAnswer> =>
  ask(`${shop.urls[name]}/__fault`, { body: faults })

function rowsOf(name: ServiceName, query: string, ...values: string[]): readonly Record<string, unknown>[] {
  const [file = ''] = globSync(`${name}.*.sqlite`, { cwd: shop.dataDir })
  const database = new DatabaseSync(join(shop.dataDir, file), { readOnly: true })
  try {
    return database.prepare(query).all(...values)
  } finally {
    database.close()
  }
}

describe('browsing', () => {
  test('lists the products and shows one', async () => {
    const list = await ask(`${shop.urls.storefront}/shop/products`)
    expect(list.body['products']).toEqual(products)
    const mug = await ask(`${shop.urls.storefront}/shop/products/prd_mug`)
    expect(mug.body).toMatchObject({ id: 'prd_mug', priceCents: 1450 })
  })

  test('says that there is no such product', async () => {
    const { status, body, headers } = await ask(`${shop.urls.storefront}/shop/products/prd_unicorn`)
    expect([status, body['code']]).toEqual([404, 'SHOP_NOT_FOUND'])
    expect(headers.get('content-type')).toBe('application/problem+json')
  })
})

describe('a checkout', () => {
  test('is an order, a payment, an invoice and two events', async () => {
    const { status, body } = await checkout(twoMugs)
    expect([status, body['status'], body['completeness']]).toEqual([201, 'paid', 'full'])
    expect(body).toMatchObject({
      totalCents: 2900,
      degraded: [],
      lines: [{ title: 'Enamel mug', quantity: 2 }],
    })
    const orderId = String(body['orderId'])
    const created = rowsOf('orders', "SELECT * FROM outbox WHERE payload LIKE '%' || ? || '%'", orderId)
    const completed = rowsOf('payments', "SELECT * FROM outbox WHERE payload LIKE '%' || ? || '%'", orderId)
    expect(created.map(({ name }) => name)).toEqual(['ORDER_CREATED'])
    expect(completed.map(({ name }) => name)).toEqual(['PAYMENT_COMPLETED'])
    expect(orderCreated.payload.parse(JSON.parse(String(created[0]?.['payload'])))).toMatchObject({
      tenantId: 'acme',
      userId: 'usr_ada',
      totalCents: 2900,
      lines: [{ productId: 'prd_mug', quantity: 2, unitPriceCents: 1450 }],
    })
    expect(paymentCompleted.payload.parse(JSON.parse(String(completed[0]?.['payload'])))).toMatchObject({
      orderId,
      amountCents: 2900,
    })
    const invoice = await ask(`${shop.urls.billing}/invoices/${String(body['invoiceId'])}`, { headers: ada })
    expect(invoice.body).toMatchObject({ orderId, owner: 'usr_ada', amountCents: 2900, refunds: [] })
  })

  test('sent ten times at once under one key is one order and one payment', async () => {
    const key = newKey()
    const answers = await Promise.all(Array.from({ length: 10 }, () => checkout(twoMugs, key)))
    expect(
      new Set(answers.map(({ body }) => `${String(body['orderId'])} ${String(body['paymentId'])}`)).size,
    ).toBe(1)
    const orderId = String(answers[0]?.body['orderId'])
    expect(rowsOf('payments', 'SELECT * FROM payments WHERE order_id = ?', orderId)).toHaveLength(1)
    expect(rowsOf('orders', 'SELECT * FROM orders WHERE idempotency_key = ?', key)).toHaveLength(1)
  })

  test('is refused when its key was used for something else', async () => {
    const key = newKey()
    await checkout(twoMugs, key)
    const other = { ...twoMugs, lines: [{ productId: 'prd_pen', quantity: 1 }] }
    const { status, body } = await checkout(other, key)
    expect([status, body['code']]).toEqual([422, 'SHOP_IDEMPOTENCY_KEY_REUSED'])
  })

  test('is declined when the payment is, and stays so when it is sent again', async () => {
    const key = newKey()
    for (let time = 0; time < 2; time++) {
      const { status, body } = await checkout({ ...twoMugs, paymentMethod: 'card-declined' }, key)
      expect([status, body['code'], body['fault']]).toEqual([402, 'SHOP_PAYMENT_DECLINED', 'caller'])
    }
  })

  test.each([
    ['a user in its body', { ...twoMugs, userId: 'usr_grace' }],
    ['an unknown product', { ...twoMugs, lines: [{ productId: 'prd_unicorn', quantity: 1 }] }],
    ['a price of its own', { ...twoMugs, lines: [{ productId: 'prd_mug', quantity: 1, unitPriceCents: 1 }] }],
    ['half a mug', { ...twoMugs, lines: [{ productId: 'prd_mug', quantity: 0.5 }] }],
  ])('is refused with %s', async (_what, body) => {
    const answer = await checkout(body)
    expect(answer.status).toBe(422)
    expect(answer.body['code']).toMatch(/^SHOP_(BODY_INVALID|FIELD_REFUSED)$/)
  })

  test('that never got its payment answered is paid, once, when it is sent again', async () => {
    const key = newKey()
    await breakService('payments', { errorRatio: 1 })
    expect((await checkout(twoMugs, key)).status).toBe(503)
    expect(rowsOf('orders', 'SELECT status FROM orders WHERE idempotency_key = ?', key)).toEqual([
      { status: 'payment-pending' },
    ])
    await ask(`${shop.urls.payments}/__fault`, { method: 'DELETE' })
    const { status, body } = await checkout(twoMugs, key)
    expect([status, body['status']]).toEqual([201, 'paid'])
  })
})

describe('tenants', () => {
  test('are those of the token, never guessed and never believed from a field', async () => {
    const { authorization } = as('usr_ada', undefined, '')
    const nowhere = await checkout(twoMugs, newKey(), { authorization: String(authorization) })
    expect([nowhere.status, nowhere.body['code']]).toEqual([401, 'SHOP_UNAUTHENTICATED'])
    const elsewhere = await checkout(twoMugs, newKey(), { 'x-tenant-id': 'globex' })
    expect([elsewhere.status, elsewhere.body['code']]).toEqual([403, 'SHOP_TENANT_MISMATCH'])
  })

  test('do not see the orders of one another', async () => {
    const { body } = await checkout(twoMugs)
    const url = `${shop.urls.orders}/orders/${String(body['orderId'])}`
    expect((await ask(url, { headers: ada })).status).toBe(200)
    expect((await ask(url, { headers: as('usr_edsger') })).status).toBe(404)
  })
})

describe('a payment', () => {
  const pay = (amountCents: number, headers: Readonly<Record<string, string>>): Promise<JsonAnswer> =>
    ask(`${shop.urls.payments}/payments`, {
      headers: { ...as('usr_ada', 'orders'), ...headers },
      body: {
        orderId: 'ord_0123456789abcdef',
        amountCents,
        currency: 'EUR',
        paymentMethod: 'card-visa',
        productIds: ['prd_mug'],
      },
    })

  test('is refused without an idempotency key', async () => {
    expect((await pay(100, {})).body['code']).toBe('SHOP_IDEMPOTENCY_KEY_MISSING')
  })

  test('is refused when its key belongs to a payment of another amount, and is the first one otherwise', async () => {
    const headers = { 'idempotency-key': newKey() }
    const first = await pay(100, headers)
    expect((await pay(200, headers)).body['code']).toBe('SHOP_IDEMPOTENCY_KEY_REUSED')
    expect((await pay(100, headers)).body).toEqual(first.body)
    const found = await ask(`${shop.urls.payments}/payments/${String(first.body['id'])}`, { headers: ada })
    expect(found.body).toMatchObject({ amountCents: 100, status: 'completed' })
  })
})

describe('a refund', () => {
  test('is made once for each key and never above the invoice', async () => {
    const { body } = await checkout(twoMugs)
    const url = `${shop.urls.billing}/invoices/${String(body['invoiceId'])}/refunds`
    const refund = (amountCents: number, key: string): Promise<JsonAnswer> =>
      ask(url, {
        headers: { ...as('usr_bill', 'back-office'), 'idempotency-key': key },
        body: { amountCents, reason: 'a chip in the rim' },
      })
    const key = newKey()
    const [first, again] = [await refund(1450, key), await refund(1450, key)]
    expect([first.status, again.body['id']]).toEqual([201, first.body['id']])
    expect((await refund(2000, key)).body['code']).toBe('SHOP_IDEMPOTENCY_KEY_REUSED')
    expect((await refund(1451, newKey())).body['code']).toBe('SHOP_REFUND_TOO_LARGE')
    expect((await refund(1450, newKey())).status).toBe(201)
    const report = await ask(`${shop.urls.billing}/reports/invoices`, { headers: alone('reporting', 'acme') })
    expect(report.body['refundedCents']).toBeGreaterThanOrEqual(2900)
  })
})

describe('when a dependency fails', () => {
  test('a checkout without catalog is paid, partial, and names what is missing', async () => {
    await breakService('catalog', { errorRatio: 1 })
    const { status, body, headers } = await checkout(twoMugs)
    expect([status, body['status'], body['completeness']]).toEqual([201, 'paid', 'partial'])
    expect(body['degraded']).toEqual(['receipt', 'product-titles'])
    expect(headers.get('x-degraded')).toBe('receipt, product-titles')
    expect(body['lines']).toMatchObject([{ title: null }])
  })

  test('a checkout without billing is paid and says that the invoice comes later', async () => {
    await breakService('billing', { errorRatio: 1 })
    const { status, body } = await checkout(twoMugs)
    expect([status, body['degraded'], body['invoiceId']]).toEqual([201, ['invoice'], null])
  })

  test('the product list is unavailable without catalog', async () => {
    await breakService('catalog', { errorRatio: 1 })
    const { status, body } = await ask(`${shop.urls.storefront}/shop/products`)
    expect([status, body['code'], body['fault']]).toEqual([503, 'SHOP_DOWNSTREAM_UNAVAILABLE', 'upstream'])
  })

  test('catalog runs out of database connections, and has them again when the leak is closed', async () => {
    await breakService('catalog', { leakedConnections: 16 })
    const { status, body } = await ask(`${shop.urls.catalog}/catalog/products`)
    expect([status, body['code']]).toEqual([503, 'SHOP_CONNECTIONS_EXHAUSTED'])
    await ask(`${shop.urls.catalog}/__fault`, { method: 'DELETE' })
    expect((await ask(`${shop.urls.catalog}/catalog/products`)).status).toBe(200)
  })

  test('slow queries make others wait for a connection, and all of them are answered', async () => {
    await breakService('catalog', { queryMs: 40 })
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => ask(`${shop.urls.catalog}/catalog/products`)),
    )
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    const { body } = await ask(`${shop.urls.catalog}/__fault`)
    expect(body['state']).toMatchObject({ busyConnections: 0, waitingQueries: 0, busyWorkers: 0 })
  })

  test('every service stays live and ready while its dependency is down', async () => {
    await breakService('catalog', { errorRatio: 1 })
    for (const url of Object.values(shop.urls)) {
      for (const kind of ['live', 'ready', 'startup']) {
        expect((await ask(`${url}/healthz/${kind}`)).status).toBe(200)
      }
    }
  })

  test('a caller that leaves takes its work with it, down to the last service', async () => {
    await breakService('catalog', { hang: true })
    const leaving = fetch(`${shop.urls.storefront}/shop/products`, { signal: AbortSignal.timeout(100) })
    await expect(leaving).rejects.toThrow('aborted')
    const busyWorkers = async (): Promise<unknown> => {
      const { body } = await ask(`${shop.urls.catalog}/__fault`)
      return (body['state'] as { busyWorkers: number }).busyWorkers
    }
    await expect.poll(busyWorkers, { timeout: 3000 }).toBe(0)
  })
})

describe('a deadline', () => {
  test('that is over on arrival is refused before any work', async () => {
    const key = newKey()
    const { status, body } = await checkout(twoMugs, key, { 'x-request-deadline-ms': '0' })
    expect([status, body['code']]).toEqual([504, 'SHOP_DEADLINE_EXCEEDED'])
    expect(rowsOf('orders', 'SELECT * FROM orders WHERE idempotency_key = ?', key)).toEqual([])
    const headers = { 'x-request-deadline-ms': '0' }
    expect((await ask(`${shop.urls.catalog}/catalog/products`, { headers })).status).toBe(504)
  })

  test('ends the wait for a service that hangs', async () => {
    await breakService('catalog', { hang: true })
    const begun = performance.now()
    const { status } = await ask(`${shop.urls.storefront}/shop/products`, {
      headers: { 'x-request-deadline-ms': '150' },
    })
    expect(status).toBe(504)
    expect(performance.now() - begun).toBeLessThan(2000)
  })

  test('that is not a number is refused', async () => {
    const { status } = await ask(`${shop.urls.catalog}/catalog/products`, {
      headers: { 'x-request-deadline-ms': 'soon' },
    })
    expect(status).toBe(400)
  })
})
