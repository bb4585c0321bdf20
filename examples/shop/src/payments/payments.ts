import { randomHex } from '@breakwater/core'
import { z } from 'zod'
import { CURRENCY, cents, orderId, paymentMethod, productId } from '../domain.ts'
import { paymentCompleted } from '../events.ts'
import { readProductTitles } from '../catalog/product-titles.ts'
import { idempotencyKeyOf, requireTenant } from '../kit/context.ts'
import { appendEvent, fingerprintOf, inTransaction, openDatabase } from '../kit/database.ts'
import { Downstream } from '../kit/downstream.ts'
import { errors } from '../kit/errors.ts'
import type { OpenService } from '../kit/service.ts'

const TABLES = `
  CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
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
  order_id: z.string(),
  amount_cents: z.number(),
  currency: z.string(),
  status: z.enum(['completed', 'declined']),
  fingerprint: z.string(),
})
type PaymentRow = z.output<typeof paymentRow>

/**
 * Takes money, once for each idempotency key: the payment, its key and its event are one transaction. The receipt asks
 * catalog for titles and tax categories; without catalog the payment stands and the receipt is lesser.
 */
export const openPayments: OpenService = (environment) => {
  const database = openDatabase(environment, TABLES)
  const catalog = new Downstream('catalog', environment.env)
  const byKey = database.prepare('SELECT * FROM payments WHERE tenant_id = ? AND idempotency_key = ?')
  const byId = database.prepare('SELECT * FROM payments WHERE tenant_id = ? AND id = ?')
  const insert = database.prepare(
    'INSERT INTO payments (id, tenant_id, order_id, amount_cents, currency, status, idempotency_key, fingerprint, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )

  /** The payment under this key, made now if there was none. Synchronous: two requests cannot both find none. */
  function pay(
    request: PaymentRequest,
    tenant: string,
    key: string,
    traceContext: Parameters<typeof appendEvent>[3],
  ): PaymentRow {
    const fingerprint = fingerprintOf(request)
    const found = byKey.get(tenant, key)
    if (found !== undefined) {
      const row = paymentRow.parse(found)
      if (row.fingerprint === fingerprint) return row
      throw errors.SHOP_IDEMPOTENCY_KEY_REUSED('this Idempotency-Key belongs to a different payment')
    }
    return inTransaction(database, () => {
      const id = `pay_${randomHex(8)}`
      const status = request.paymentMethod === 'card-declined' ? 'declined' : 'completed'
      const { orderId, amountCents, currency } = request
      insert.run(
        id,
        tenant,
        orderId,
        amountCents,
        currency,
        status,
        key,
        fingerprint,
        new Date().toISOString(),
      )
      if (status === 'completed') {
        const event = { paymentId: id, orderId, tenantId: tenant, amountCents, currency }
        appendEvent(database, paymentCompleted, event, traceContext)
      }
      return { id, order_id: orderId, amount_cents: amountCents, currency, status, fingerprint }
    })
  }

  return {
    close: () => database.close(),
    routes: [
      {
        method: 'POST',
        path: '/payments',
        async handle({ context, headers, body }) {
          const tenant = requireTenant(context)
          const key = idempotencyKeyOf(headers)
          if (key === undefined)
            throw errors.SHOP_IDEMPOTENCY_KEY_MISSING('a payment needs an Idempotency-Key')
          const request = await body(paymentRequest)
          const row = pay(request, tenant, key, context)
          if (row.status === 'declined')
            throw errors.SHOP_PAYMENT_DECLINED('the provider declined this means of payment')
          const { byId: titles, degraded } = await readProductTitles(
            catalog,
            context,
            request.productIds,
            'receipt',
          )
          const receipt = request.productIds.map((id) => ({
            productId: id,
            title: titles.get(id)?.title ?? null,
            taxCategory: titles.get(id)?.taxCategory ?? null,
          }))
          return { status: 201, body: { ...paymentOf(row), receipt, degraded } }
        },
      },
      {
        method: 'GET',
        path: '/payments/{id}',
        handle({ context, params }) {
          const found = byId.get(requireTenant(context), params['id'] ?? '')
          if (found === undefined) throw errors.SHOP_NOT_FOUND('there is no such payment')
          return { status: 200, body: paymentOf(paymentRow.parse(found)) }
        },
      },
    ],
  }
}

function paymentOf(row: PaymentRow) {
  return {
    id: row.id,
    orderId: row.order_id,
    amountCents: row.amount_cents,
    currency: row.currency,
    status: row.status,
  }
}
