import { describe, expect, test } from 'vitest'
import { FaultBox } from '../kit/faults.ts'
import { Identity } from '../kit/identity.ts'
import { BillingStore } from './billing-store.ts'
import type { Invoice } from './billing-store.ts'

const coded = (code: string): unknown => expect.objectContaining({ code })

function invoiced(amountCents: number): {
  readonly store: BillingStore
  readonly billed: Invoice
  readonly now: () => Invoice | undefined
} {
  const store = new BillingStore({
    name: 'billing',
    dataDir: undefined,
    env: {},
    identity: new Identity({}),
    faults: new FaultBox(),
  })
  const billed = store.invoice({
    tenantId: 'acme',
    orderId: 'ord_0123456789abcdef',
    owner: 'usr_ada',
    amountCents,
    currency: 'EUR',
  })
  return { store, billed, now: () => store.find('acme', billed.id) }
}

const of = (amountCents: number) => ({ amountCents, reason: 'a chip in the rim' })

describe('refunds of one invoice', () => {
  test('are summed up on it', () => {
    const { store, billed, now } = invoiced(3000)
    store.refund(billed, of(1000), 'usr_bill', 'one')
    store.refund(now() ?? billed, of(500), 'usr_bill', 'two')
    expect(now()?.refundedCents).toBe(1500)
    expect(store.refundsOf(billed).map(({ amountCents }) => amountCents)).toEqual([1000, 500])
    expect(store.report({ text: '1', parameters: [] })).toEqual({
      invoices: 1,
      amountCents: 3000,
      refundedCents: 1500,
    })
  })

  test('take no more than is left', () => {
    const { store, billed, now } = invoiced(3000)
    store.refund(billed, of(2000), 'usr_bill', 'one')
    expect(() => store.refund(now() ?? billed, of(1001), 'usr_bill', 'two')).toThrow(
      coded('SHOP_REFUND_TOO_LARGE'),
    )
    store.refund(now() ?? billed, of(1000), 'usr_bill', 'three')
    expect(now()?.refundedCents).toBe(3000)
  })

  test('are made on the sum that was decided on, or not at all', () => {
    const { store, billed, now } = invoiced(3000)
    store.refund(billed, of(1000), 'usr_bill', 'one')
    expect(() => store.refund(billed, of(1000), 'usr_bill', 'two')).toThrow(coded('SHOP_REFUND_OVERTAKEN'))
    expect(now()?.refundedCents).toBe(1000)
    expect(store.refundsOf(billed)).toHaveLength(1)
  })

  test('meet the invoice again as they met it first, each under its own key', () => {
    const { store, billed, now } = invoiced(3000)
    const first = store.refund(billed, of(1000), 'usr_bill', 'one')
    store.refund(now() ?? billed, of(500), 'usr_bill', 'two')
    const sums = ['one', 'two', 'three'].map(
      (key) => store.findForRefund('acme', billed.id, key)?.refundedCents,
    )
    expect(sums).toEqual([0, 1000, 1500])
    expect(store.findForRefund('globex', billed.id, 'one')).toBeUndefined()
    expect(store.refund(billed, of(1000), 'usr_bill', 'one')).toEqual(first)
    expect(now()?.refundedCents).toBe(1500)
  })
})
