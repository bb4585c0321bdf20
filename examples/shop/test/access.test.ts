import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readLogFolder, verifyLog } from '@breakwater/authz/operate'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ServiceName } from '../src/index.ts'
import { alone, as, tenantOf } from './people.ts'
import { ask, startShop } from './processes.ts'
import type { JsonAnswer, RunningShop } from './processes.ts'

type Fields = Readonly<Record<string, string>>

const decisions = mkdtempSync(join(tmpdir(), 'shop-decisions-'))
let shop: RunningShop
beforeAll(async () => {
  shop = await startShop({ SHOP_ENVIRONMENT: 'production', SHOP_DECISIONS_DIR: decisions })
}, 60_000)
afterAll(async () => {
  await shop.stop()
  rmSync(decisions, { recursive: true, force: true })
})
afterEach(async () => {
  await ask(`${shop.urls.payments}/__fault`, { method: 'DELETE' })
})

let keys = 0
const keyed = (fields: Fields): Fields => ({ ...fields, 'idempotency-key': `key-${(keys += 1)}` })
const twoMugs = { lines: [{ productId: 'prd_mug', quantity: 2 }], paymentMethod: 'card-visa' }
const checkout = (user: string, body: object = twoMugs): Promise<JsonAnswer> =>
  ask(`${shop.urls.storefront}/shop/checkout`, { headers: keyed(as(user)), body })
const get = (service: ServiceName, path: string, headers: Fields): Promise<JsonAnswer> =>
  ask(`${shop.urls[service]}${path}`, { headers })
const post = (service: ServiceName, path: string, headers: Fields, body: object = {}): Promise<JsonAnswer> =>
  ask(`${shop.urls[service]}${path}`, { method: 'POST', headers: keyed(headers), body })

const REFUND = { amountCents: 100, reason: 'a chip in the rim' }
const CUSTOMERS = ['usr_ada', 'usr_grace', 'usr_edsger']
const UNKNOWN = {
  orderId: `ord_${'0'.repeat(16)}`,
  paymentId: `pay_${'0'.repeat(16)}`,
  invoiceId: `inv_${'0'.repeat(16)}`,
}
type Ids = typeof UNKNOWN

/** Every way to one object, by whoever `headers` say it is. */
function doorsOf({ orderId, paymentId, invoiceId }: Ids, headers: Fields): readonly Promise<JsonAnswer>[] {
  return [
    get('orders', `/orders/${orderId}`, headers),
    post('orders', `/orders/${orderId}/cancel`, headers),
    get('payments', `/payments/${paymentId}`, headers),
    get('billing', `/invoices/${invoiceId}`, headers),
    post('billing', `/invoices/${invoiceId}/refunds`, headers, REFUND),
  ]
}

/** What an answer says, but for what is different in each. */
const said = ({ status, body: { traceId, ...rest } }: JsonAnswer): unknown => [status, rest, typeof traceId]

describe('an object of somebody else', () => {
  test('is reached by no way, and reads as one that is not there', async () => {
    const bought = await Promise.all(CUSTOMERS.map((user) => checkout(user)))
    let tries = 0
    for (const [index, { body }] of bought.entries()) {
      for (const user of CUSTOMERS.filter((_user, other) => other !== index)) {
        for (const headers of [
          as(user),
          as(user, 'storefront'),
          as(user, 'back-office'),
          as(user, 'orders'),
        ]) {
          const foreign = await Promise.all(doorsOf(body as Ids, headers))
          const missing = await Promise.all(doorsOf(UNKNOWN, headers))
          expect(foreign.map(said)).toEqual(missing.map(said))
          expect(foreign.every(({ status }) => status === 403 || status === 404)).toBe(true)
          tries += foreign.length
        }
      }
    }
    expect(tries).toBe(3 * 2 * 4 * 5)
  })

  test('is not named or counted in a list', async () => {
    const mine = await checkout('usr_ada')
    await checkout('usr_grace')
    for (const [service, path, kind] of [
      ['orders', '/orders', 'orders'],
      ['billing', '/invoices', 'invoices'],
    ] as const) {
      const listOf = async (user: string) => {
        const { body } = await get(service, `${path}?limit=100`, as(user))
        return {
          rows: body[kind] as readonly { readonly id: string; readonly owner: string }[],
          total: body['total'],
        }
      }
      const [ada, edsger, sue] = await Promise.all(['usr_ada', 'usr_edsger', 'usr_sue'].map(listOf))
      expect(ada?.rows.map(({ id }) => id)).toContain(mine.body[kind === 'orders' ? 'orderId' : 'invoiceId'])
      expect([...new Set(ada?.rows.map(({ owner }) => owner))]).toEqual(['usr_ada'])
      expect(ada?.total).toBe(ada?.rows.length)
      expect(edsger?.rows.every(({ owner }) => tenantOf[owner] === 'globex')).toBe(true)
      expect(Number(sue?.total)).toBeGreaterThan(Number(ada?.total))
    }
    const page = await get('orders', '/orders?limit=1&offset=1', as('usr_ada'))
    expect([(page.body['orders'] as unknown[]).length, Number(page.body['total'])]).toEqual([
      1,
      expect.any(Number),
    ])
    expect((await get('orders', '/orders?limit=1000', as('usr_ada'))).body['code']).toBe('SHOP_QUERY_INVALID')
  })

  test('is not had by sending the key of somebody else', async () => {
    const key = { 'idempotency-key': 'a-key-of-adas' }
    const url = `${shop.urls.storefront}/shop/checkout`
    const ada = await ask(url, { headers: { ...as('usr_ada'), ...key }, body: twoMugs })
    const grace = await ask(url, { headers: { ...as('usr_grace'), ...key }, body: twoMugs })
    expect(ada.status).toBe(201)
    expect([grace.status, grace.body['code']]).toEqual([422, 'SHOP_IDEMPOTENCY_KEY_REUSED'])
  })
})

describe('a service', () => {
  test('knows nobody by a field that says so', async () => {
    const { body } = await checkout('usr_ada')
    const forged = {
      'x-authenticated-user': 'usr_ada',
      'x-authenticated-tenant': 'acme',
      'x-tenant-id': 'acme',
    }
    const answers = await Promise.all([
      ...doorsOf(body as Ids, forged),
      get('orders', '/orders', forged),
      get('billing', '/invoices', forged),
      get('billing', '/reports/invoices', forged),
      post('storefront', '/shop/checkout', forged, twoMugs),
      post('orders', '/orders', forged, twoMugs),
      post('payments', '/payments', forged),
      post('billing', '/invoices', forged),
    ])
    expect(answers.map(({ status, body: { code } }) => [status, code])).toEqual(
      answers.map(() => [401, 'SHOP_UNAUTHENTICATED']),
    )
    expect(answers[0]?.headers.get('www-authenticate')).toBe('Bearer')
  })

  test('is asked through the process whose duty it is, whoever the user is', async () => {
    const order = async (headers: Fields) => (await post('orders', '/orders', headers, twoMugs)).status
    expect(await order(as('usr_ada', 'storefront'))).toBe(201)
    for (const headers of [
      as('usr_ada'),
      as('usr_ada', 'catalog'),
      alone('storefront', 'acme'),
      as('usr_sue', 'storefront'),
    ])
      expect(await order(headers)).toBe(403)
    const invoice = { orderId: 'ord_00000000000000bb', userId: 'usr_ada', amountCents: 500, currency: 'EUR' }
    const bill = async (headers: Fields) => (await post('billing', '/invoices', headers, invoice)).status
    for (const headers of [
      as('usr_ada'),
      as('usr_grace', 'orders'),
      alone('payments', 'acme'),
      alone('orders'),
    ])
      expect(await bill(headers)).toBe(403)
    expect(await bill(alone('orders', 'acme'))).toBe(201)
  })

  test('takes no test card in production, and says so as what it is', async () => {
    const { status, body } = await checkout('usr_ada', { ...twoMugs, paymentMethod: 'card-test-1' })
    expect([status, body['code']]).toEqual([403, 'SHOP_FORBIDDEN'])
  })
})

describe('what a service decides', () => {
  test('stands in its log, hash-chained, by the time that it is answered', async () => {
    const { body } = await checkout('usr_ada')
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    const traced = (user: string): Fields => ({
      ...as(user),
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
    })
    const path = `/orders/${String(body['orderId'])}`
    expect((await get('orders', path, traced('usr_ada'))).status).toBe(200)
    expect((await get('orders', path, traced('usr_grace'))).status).toBe(404)
    const own = join(decisions, 'orders')
    expect(verifyLog(readLogFolder(own))).toMatchObject({ ok: true })
    const text = readFileSync(join(own, 'decisions-000001.jsonl'), 'utf8')
    const records = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, string>>)
      .filter((record) => record['traceId'] === traceId)
    expect(records.map(({ who, action, result }) => [who, action, result])).toEqual([
      ['User::"usr_ada"', 'Action::"viewOrder"', 'allow'],
      ['User::"usr_grace"', 'Action::"viewOrder"', 'deny'],
    ])
  })
})

describe('a refund', () => {
  const aChair = { ...twoMugs, lines: [{ productId: 'prd_chair', quantity: 1 }] }
  type Refund = (headers: Fields, amountCents: number) => Promise<JsonAnswer>

  async function invoiced(): Promise<{ readonly invoiceId: string; readonly refund: Refund }> {
    const { body } = await checkout('usr_ada', aChair)
    const invoiceId = String(body['invoiceId'])
    const path = `/invoices/${invoiceId}/refunds`
    return {
      invoiceId,
      refund: (headers, amountCents) => post('billing', path, headers, { ...REFUND, amountCents }),
    }
  }

  test('is bounded by who asks, for how much, and through what', async () => {
    const { refund } = await invoiced()
    const statusOf = async (...asked: Parameters<Refund>) => (await refund(...asked)).status
    expect(await statusOf(as('usr_sue', 'back-office'), 5001)).toBe(403)
    expect(await statusOf(as('usr_sue', 'back-office'), 5000)).toBe(201)
    expect(await statusOf(as('usr_bill', 'back-office'), 15_001)).toBe(403)
    expect(await statusOf(as('usr_bill', 'back-office'), 15_000)).toBe(201)
    expect(await statusOf(as('usr_bill'), 100)).toBe(403)
    expect(await statusOf(as('usr_bill', 'reporting'), 100)).toBe(403)
    expect(await statusOf(alone('reporting', 'acme'), 100)).toBe(403)
    expect(await statusOf(alone('billing', 'acme'), 100)).toBe(403)
  })

  test('counts towards the limit of whoever adds the next one, in slices as at once', async () => {
    const { refund, invoiceId } = await invoiced()
    const sue = as('usr_sue', 'back-office')
    const statuses: number[] = []
    for (let slice = 0; slice < 5; slice += 1) statuses.push((await refund(sue, 2000)).status)
    expect(statuses).toEqual([201, 201, 403, 403, 403])
    const invoice = await get('billing', `/invoices/${invoiceId}`, as('usr_ada'))
    expect(invoice.body['refundedCents']).toBe(4000)
  })

  test('does not pass together with others that arrive at the same moment', async () => {
    const { refund, invoiceId } = await invoiced()
    const stuck = `${shop.urls.billing}/__fault`
    await ask(stuck, { body: { hang: true } })
    const burst = Array.from({ length: 12 }, () => refund(as('usr_sue', 'back-office'), 3000))
    await expect.poll(async () => (await ask(stuck)).body['state']).toMatchObject({ busyWorkers: 12 })
    await ask(stuck, { method: 'DELETE' })
    const answers = await Promise.all(burst)
    const made = answers.filter(({ status }) => status === 201)
    const codes = new Set(answers.filter(({ status }) => status !== 201).map(({ body }) => body['code']))
    expect(made).toHaveLength(1)
    expect([...codes]).toEqual(['SHOP_REFUND_OVERTAKEN'])
    const { body } = await get('billing', `/invoices/${invoiceId}`, as('usr_ada'))
    expect([body['refundedCents'], (body['refunds'] as unknown[]).length]).toEqual([3000, 1])
  })

  test('that is sent again is answered as it was, also when its limit is used up', async () => {
    const { refund, invoiceId } = await invoiced()
    const sue = keyed(as('usr_sue', 'back-office'))
    const again = (amountCents: number): Promise<JsonAnswer> =>
      ask(`${shop.urls.billing}/invoices/${invoiceId}/refunds`, {
        headers: sue,
        body: { ...REFUND, amountCents },
      })
    const first = await again(4000)
    expect((await refund(as('usr_bill', 'back-office'), 1000)).status).toBe(201)
    expect(await again(4000)).toMatchObject({ status: 201, body: first.body })
    expect((await again(5000)).body['code']).toBe('SHOP_IDEMPOTENCY_KEY_REUSED')
    const { body } = await get('billing', `/invoices/${invoiceId}`, as('usr_ada'))
    expect(body['refundedCents']).toBe(5000)
  })
})

describe('what may be seen in part', () => {
  test('is seen by the reporting job without names, and counted as it is listed', async () => {
    const { body } = await checkout('usr_ada')
    const job = alone('reporting', 'acme')
    const one = await get('billing', `/invoices/${String(body['invoiceId'])}`, job)
    expect([one.status, one.body['amountCents'], one.body['owner']]).toEqual([200, 2900, undefined])
    const list = await get('billing', '/invoices?limit=100', job)
    const invoices = list.body['invoices'] as readonly Record<string, unknown>[]
    expect(JSON.stringify(invoices)).not.toContain('usr_')
    const sums = await get('billing', '/reports/invoices', job)
    expect(sums.body).toMatchObject({
      invoices: list.body['total'],
      amountCents: invoices.reduce((sum, { amountCents }) => sum + Number(amountCents), 0),
    })
    expect((await get('billing', '/reports/invoices', as('usr_ada'))).status).toBe(403)
  })

  test('is seen by support without the means of payment', async () => {
    const { body } = await checkout('usr_ada')
    const path = `/payments/${String(body['paymentId'])}`
    expect((await get('payments', path, as('usr_ada'))).body['paymentMethod']).toBe('card-visa')
    const support = await get('payments', path, as('usr_sue'))
    expect([support.status, support.body['owner'], support.body['paymentMethod']]).toEqual([
      200,
      'usr_ada',
      undefined,
    ])
  })
})

describe('an order', () => {
  test('is cancelled by its owner until it is paid, and not paid after that', async () => {
    await ask(`${shop.urls.payments}/__fault`, { body: { errorRatio: 1 } })
    const headers = keyed(as('usr_ada'))
    const again = (): Promise<JsonAnswer> =>
      ask(`${shop.urls.storefront}/shop/checkout`, { headers, body: twoMugs })
    expect((await again()).status).toBe(503)
    const { body } = await get('orders', '/orders?limit=1', as('usr_ada'))
    const [{ id, status }] = body['orders'] as [{ readonly id: string; readonly status: string }]
    expect(status).toBe('payment-pending')
    const cancel = (user: string): Promise<JsonAnswer> => post('orders', `/orders/${id}/cancel`, as(user))
    expect((await cancel('usr_grace')).status).toBe(403)
    expect((await cancel('usr_ada')).body).toMatchObject({ id, status: 'cancelled' })
    expect((await cancel('usr_sue')).body['code']).toBe('SHOP_ORDER_SETTLED')
    await ask(`${shop.urls.payments}/__fault`, { method: 'DELETE' })
    const late = await again()
    expect([late.status, late.body['code']]).toEqual([409, 'SHOP_ORDER_SETTLED'])
    const paid = await checkout('usr_ada')
    expect(
      (await post('orders', `/orders/${String(paid.body['orderId'])}/cancel`, as('usr_ada'))).status,
    ).toBe(403)
  })

  test('that billing missed gets its invoice from the orders service by itself', async () => {
    await ask(`${shop.urls.billing}/__fault`, { body: { errorRatio: 1 } })
    const { body } = await checkout('usr_edsger')
    expect(body['degraded']).toEqual(['invoice'])
    await ask(`${shop.urls.billing}/__fault`, { method: 'DELETE' })
    const invoiceId = async (): Promise<unknown> =>
      (await get('orders', `/orders/${String(body['orderId'])}`, as('usr_edsger'))).body['invoiceId']
    await expect.poll(invoiceId, { timeout: 20_000, interval: 300 }).toMatch(/^inv_/)
    const invoice = await get('billing', `/invoices/${String(await invoiceId())}`, as('usr_edsger'))
    expect([invoice.status, invoice.body['owner']]).toEqual([200, 'usr_edsger'])
  }, 30_000)
})
