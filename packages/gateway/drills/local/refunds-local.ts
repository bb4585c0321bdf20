import { setTimeout as sleep } from 'node:timers/promises'

import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { refundTotal } from '../controls-authz.ts'
import { breakService, editedPolicies, startShop, stateOf } from './shop.ts'

const LIMIT_CENTS = 5000
const INVOICE_CENTS = 90_000
const BURST = 12

interface Invoice {
  readonly id: string
  readonly refundedCents: number
}

/** Policies that look at each refund by itself. */
function onlyThisOne(cedar: string): string {
  const edited = cedar.replaceAll('resource.refundedCents + ', '')
  if (edited === cedar) throw new Error('the policies of the shop do not count what was refunded before')
  return edited
}

export const slicedRefunds: Drill = defineDrill({
  id: 'sliced-refunds',
  title: 'Support refunds an invoice of the real shop in slices, one after the other and all at once',
  threat: threats.limitInSlices,
  controls: [refundTotal],
  lab: 'local',
  arrange: (lab) => ({ lab }),
  async attack({ lab }, { control }) {
    const policies = await editedPolicies(lab, (own) => (control === 'on' ? own : onlyThisOne(own)))
    // With a log of its decisions the service waits between deciding and refunding: others come in between.
    const env = { SHOP_POLICIES: policies, SHOP_DECISIONS_DIR: await lab.tempDir() }
    const { ports, authorization, workloadAuthorization } = await startShop(lab, 'http://127.0.0.1:1', env, [
      'billing',
    ])
    let requests = 0
    const ask = async (path: string, user: string, workload: string, body?: object, key = '') => {
      requests++
      const response = await fetch(`http://${lab.host}:${ports.billing}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: authorization(user, 'acme'),
          'workload-authorization': workloadAuthorization(workload),
          'content-type': 'application/json',
          'idempotency-key': key === '' ? `key-${requests}` : key,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return { isGood: response.ok, invoice: (await response.json()) as Invoice }
    }
    const refund = async ({ id }: Invoice, user: string, amountCents: number, key?: string) =>
      (await ask(`/invoices/${id}/refunds`, user, 'back-office', { amountCents, reason: 'a chip' }, key))
        .isGood
    const [slowly, atOnce, ordinary] = await Promise.all(
      ['a', 'b', 'c'].map(async (digit) => {
        const order = { orderId: `ord_${digit.repeat(16)}`, userId: 'usr_ada', currency: 'EUR' }
        const { invoice } = await ask('/invoices', 'usr_ada', 'orders', {
          ...order,
          amountCents: INVOICE_CENTS,
        })
        return invoice
      }),
    )
    if (slowly === undefined || atOnce === undefined || ordinary === undefined)
      throw new Error('there are no invoices')

    for (let slice = 0; slice < 12; slice++) await refund(slowly, 'usr_sue', 1000)
    await breakService(lab, ports.billing, { hang: true })
    const burst = Array.from({ length: BURST }, async () => refund(atOnce, 'usr_sue', 3000))
    while ((await stateOf(lab, ports.billing)).busyWorkers < BURST) await sleep(10)
    await breakService(lab, ports.billing, {})
    await Promise.all(burst)
    const wanted = [
      await refund(ordinary, 'usr_sue', 4000, 'the-first'),
      await refund(ordinary, 'usr_bill', 15_000),
      await refund(ordinary, 'usr_sue', 4000, 'the-first'),
    ]
    const sums = await Promise.all(
      [slowly, atOnce, ordinary].map(
        async ({ id }) => (await ask(`/invoices/${id}`, 'usr_ada', 'browser')).invoice.refundedCents,
      ),
    )
    const [inSlices = 0, together = 0, asUsual] = sums
    const isRight = asUsual === 19_000 ? 1 : 0
    return {
      inSlices,
      together,
      honest: (wanted.filter(Boolean).length + isRight) / (wanted.length + 1),
    }
  },
  judge: ({ inSlices, together, honest }) => ({
    outcome: Math.max(inSlices, together) <= LIMIT_CENTS ? 'contained' : 'breached',
    because: [
      { name: 'refunded of one invoice in slices', value: inSlices, unit: 'cents', atMost: LIMIT_CENTS },
      { name: 'refunded of one at the same moment', value: together, unit: 'cents', atMost: LIMIT_CENTS },
    ],
    honest: [{ name: 'ordinary refunds made, and made once', value: honest, unit: 'ratio', atLeast: 1 }],
  }),
})
