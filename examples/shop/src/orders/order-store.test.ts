import { afterEach, beforeEach, expect, test } from 'vitest'
import { FaultBox } from '../kit/faults.ts'
import { Identity } from '../kit/identity.ts'
import { OrderStore } from './order-store.ts'

const context = {
  traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
  requestId: 'request-0001',
  deadlineAtMs: Infinity,
  signal: new AbortController().signal,
  caller: undefined,
  userToken: undefined,
  tenant: 'acme',
}
const id = 'ord_0123456789abcdef'
let store: OrderStore
function place(orderId: string, key: string): void {
  const lines = [{ productId: 'prd_mug', quantity: 1, unitPriceCents: 1450 }]
  const whose = { tenantId: 'acme', userId: 'usr_ada' }
  const event = { orderId, ...whose, lines, totalCents: 1450, currency: 'EUR' } as const
  store.create(event, key, 'print', context)
}
beforeEach(() => {
  const env = {}
  const environment = { env, dataDir: undefined, identity: new Identity(env), faults: new FaultBox() }
  store = new OrderStore({ ...environment, name: 'orders' })
  place(id, 'key')
})
afterEach(() => store.close())

const status = (): string | undefined => store.find('acme', id)?.status

test('an order that was cancelled while its payment was under way is paid if the money was taken', () => {
  expect(store.cancel(id)).toBe(true)
  store.settle(id, 'paid', 'pay_0123456789abcdef')
  expect(status()).toBe('paid')
})

test('an order that was cancelled stays so when its payment is declined', () => {
  expect(store.cancel(id)).toBe(true)
  store.settle(id, 'declined', null)
  expect(status()).toBe('cancelled')
})

test('an order that is paid is neither cancelled nor declined any more', () => {
  store.settle(id, 'paid', 'pay_0123456789abcdef')
  expect(store.cancel(id)).toBe(false)
  store.settle(id, 'declined', null)
  expect([status(), store.find('globex', id)]).toEqual(['paid', undefined])
})

test('an order that billing refuses does not keep the others from their invoices: each has its turn', () => {
  const ids = ['ord_0000000000000001', 'ord_0000000000000002', 'ord_0000000000000003']
  for (const orderId of ids) {
    place(orderId, orderId)
    store.settle(orderId, 'paid', 'pay_0123456789abcdef')
  }
  const tried = Array.from({ length: 300 }, () => store.withoutInvoice(1)[0]?.id)
  // By chance they all missed one of them once in 10^52 runs.
  expect(new Set(tried)).toEqual(new Set(ids))
})
