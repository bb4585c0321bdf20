import { guard } from '@breakwater/authz/guard'
import { randomHex } from '@breakwater/core'
import { z } from 'zod'
import { CURRENCY, cents, orderId, paymentMethod, productId } from '../domain.ts'
import { paymentCompleted } from '../events.ts'
import { readProductTitles } from '../catalog/product-titles.ts'
import { requireIdempotencyKey } from '../kit/context.ts'
import { appendEvent, fingerprintOf, inTransaction, openDatabase } from '../kit/database.ts'
import { belongsTo, Decisions, tenantOf } from '../kit/decisions.ts'
import { Downstream } from '../kit/downstream.ts'
import { errors } from '../kit/errors.ts'
import { Routes } from '../kit/routes.ts'
import type { OpenService } from '../kit/service.ts'

const TABLES = `
  CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    payment_method TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('completed', 'declined')),
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (tenant_id, idempotency_key)
  ) STRICT`

const paymentRequest = z.strictObject({
  orderId,
  amountCents: cents,
  currency: z.literal(CURRENCY),
  paymentMethod,
  /** What the receipt lists. */
  productIds: z.array(productId).min(1).max(50),
})
type PaymentRequest = z.output<typeof paymentRequest>

const paymentRow = z.object({
  id: z.string(),
  tenant_id: z.string(),
  order_id: z.string(),
  user_id: z.string(),
  payment_method: z.string(),
  amount_cents: z.number(),
  currency: z.string(),
  status: z.enum(['completed', 'declined']),
  fingerprint: z.string(),
})

/** A payment as it is shown, with whose it is. */
interface Payment {
  readonly id: string
  readonly tenantId: string
  readonly orderId: string
  readonly owner: string
  readonly paymentMethod: string
  readonly amountCents: number
  readonly currency: string
  readonly status: 'completed' | 'declined'
}

/**
 * Takes money, once for each idempotency key: the payment, its key and its event are one transaction. The receipt asks
 * catalog for titles and tax categories; without catalog the payment stands and the receipt is lesser.
 */
export const openPayments: OpenService = (environment) => {
  const database = openDatabase(environment, TABLES)
  const catalog = new Downstream('catalog', environment)
  const runsIn = environment.env['SHOP_ENVIRONMENT'] ?? 'development'
  const byKey = database.prepare('SELECT * FROM payments WHERE tenant_id = ? AND idempotency_key = ?')
  const byId = database.prepare('SELECT * FROM payments WHERE tenant_id = ? AND id = ?')
  const insert = database.prepare(
    'INSERT INTO payments (id, tenant_id, order_id, user_id, payment_method, amount_cents, currency, status, idempotency_key, fingerprint, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )

  /** The payment under this key, made now if there was none. Synchronous: two requests cannot both find none. */
  function pay(
    request: PaymentRequest,
    by: { readonly tenant: string; readonly userId: string },
    key: string,
    traceContext: Parameters<typeof appendEvent>[3],
  ): Payment {
    const { tenant, userId } = by
    const fingerprint = fingerprintOf({ ...request, userId })
    const found = byKey.get(tenant, key)
    if (found !== undefined) {
      const row = paymentRow.parse(found)
      if (row.fingerprint === fingerprint) return paymentOf(row)
      throw errors.SHOP_IDEMPOTENCY_KEY_REUSED('this Idempotency-Key belongs to a different payment')
    }
    return inTransaction(database, () => {
      const id = `pay_${randomHex(8)}`
      const status = request.paymentMethod === 'card-declined' ? 'declined' : 'completed'
      const { orderId, amountCents, currency, paymentMethod: method } = request
      const now = new Date().toISOString()
      insert.run(id, tenant, orderId, userId, method, amountCents, currency, status, key, fingerprint, now)
      if (status === 'completed') {
        const event = { paymentId: id, orderId, tenantId: tenant, amountCents, currency }
        appendEvent(database, paymentCompleted, event, traceContext)
      }
      return paymentOf(paymentRow.parse(byId.get(tenant, id)))
    })
  }

  const viewed = guard<Payment>(
    {
      action: 'viewPayment',
      type: 'Payment',
      entity: (payment) => ({ attrs: belongsTo(payment.tenantId, payment.owner) }),
    },
    (id, who) => {
      const found = byId.get(tenantOf(who), id)
      return found === undefined ? undefined : paymentOf(paymentRow.parse(found))
    },
  )

  const decisions = new Decisions(environment)
  const routes = new Routes(decisions)
    .tenant(
      {
        method: 'POST',
        path: '/payments',
        action: 'takePayment',
        body: paymentRequest,
        facts: (body) => ({ environment: runsIn, paymentMethod: paymentRequest.parse(body).paymentMethod }),
      },
      async (_tenant, { context, headers, body, caller, tenant }) => {
        const key = requireIdempotencyKey(headers, 'a payment')
        // A workload by itself takes no money: the policies let only users.
        const payment = pay(body, { tenant, userId: caller.user ?? '' }, key, context)
        if (payment.status === 'declined')
          throw errors.SHOP_PAYMENT_DECLINED('the provider declined this means of payment')
        const { byId: titles, degraded } = await readProductTitles(
          catalog,
          context,
          body.productIds,
          'receipt',
        )
        const receipt = body.productIds.map((id) => ({
          productId: id,
          title: titles.get(id)?.title ?? null,
          taxCategory: titles.get(id)?.taxCategory ?? null,
        }))
        return { status: 201, body: { ...payment, receipt, degraded } }
      },
    )
    .object({ method: 'GET', path: '/payments/{id}', guard: viewed, what: 'payment' }, (payment) => ({
      status: 200,
      body: payment,
    }))

  return {
    close() {
      database.close()
      decisions.close()
    },
    routes: routes.all,
  }
}

function paymentOf(row: z.output<typeof paymentRow>): Payment {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    orderId: row.order_id,
    owner: row.user_id,
    paymentMethod: row.payment_method,
    amountCents: row.amount_cents,
    currency: row.currency,
    status: row.status,
  }
}
