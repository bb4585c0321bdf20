import { randomHex } from '@breakwater/core'
import { z } from 'zod'
import { CURRENCY, cents, invoiceId, orderId, userId } from '../domain.ts'
import { idempotencyKeyOf, maskedParts, requireTenant } from '../kit/context.ts'
import { fingerprintOf, inTransaction, openDatabase } from '../kit/database.ts'
import { errors } from '../kit/errors.ts'
import type { OpenService } from '../kit/service.ts'

const TABLES = `
  CREATE TABLE IF NOT EXISTS invoices (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    currency TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (tenant_id, order_id)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS refunds (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    invoice_id TEXT NOT NULL REFERENCES invoices (id),
    amount_cents INTEGER NOT NULL,
    reason TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (tenant_id, idempotency_key)
  ) STRICT`

const invoiceRequest = z.strictObject({ orderId, userId, amountCents: cents, currency: z.literal(CURRENCY) })
const refundRequest = z.strictObject({
  invoiceId,
  amountCents: cents.min(1),
  reason: z.string().min(1).max(500),
})

const invoiceRow = z.object({
  id: z.string(),
  order_id: z.string(),
  user_id: z.string(),
  amount_cents: z.number(),
  currency: z.string(),
})
const refundRow = z.object({
  id: z.string(),
  invoice_id: z.string(),
  amount_cents: z.number(),
  reason: z.string(),
  fingerprint: z.string(),
})

/** Invoices, one for each order, and refunds, never more than the invoice and one for each idempotency key. */
export const openBilling: OpenService = (environment) => {
  const database = openDatabase(environment, TABLES)
  const invoiceOfOrder = database.prepare('SELECT * FROM invoices WHERE tenant_id = ? AND order_id = ?')
  const invoiceById = database.prepare('SELECT * FROM invoices WHERE tenant_id = ? AND id = ?')
  const refundsOf = database.prepare(
    'SELECT * FROM refunds WHERE tenant_id = ? AND invoice_id = ? ORDER BY created_at',
  )
  const refundByKey = database.prepare('SELECT * FROM refunds WHERE tenant_id = ? AND idempotency_key = ?')

  function invoice(request: z.output<typeof invoiceRequest>, tenant: string) {
    const found = invoiceOfOrder.get(tenant, request.orderId)
    if (found !== undefined) {
      const row = invoiceRow.parse(found)
      if (row.amount_cents === request.amountCents && row.user_id === request.userId) return row
      throw errors.SHOP_IDEMPOTENCY_KEY_REUSED('this order has an invoice over another amount or user')
    }
    const id = `inv_${randomHex(8)}`
    database
      .prepare('INSERT INTO invoices VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(
        id,
        tenant,
        request.orderId,
        request.userId,
        request.amountCents,
        request.currency,
        new Date().toISOString(),
      )
    return invoiceRow.parse(invoiceById.get(tenant, id))
  }

  function refund(request: z.output<typeof refundRequest>, tenant: string, key: string) {
    return inTransaction(database, () => {
      const fingerprint = fingerprintOf(request)
      const found = refundByKey.get(tenant, key)
      if (found !== undefined) {
        const row = refundRow.parse(found)
        if (row.fingerprint === fingerprint) return row
        throw errors.SHOP_IDEMPOTENCY_KEY_REUSED('this Idempotency-Key belongs to a different refund')
      }
      const billed = invoiceById.get(tenant, request.invoiceId)
      if (billed === undefined) throw errors.SHOP_NOT_FOUND('there is no such invoice')
      const refundedCents = refundsOf
        .all(tenant, request.invoiceId)
        .reduce((sum, row) => sum + refundRow.parse(row).amount_cents, 0)
      const leftCents = invoiceRow.parse(billed).amount_cents - refundedCents
      if (request.amountCents > leftCents) {
        throw errors.SHOP_REFUND_TOO_LARGE(
          `${request.amountCents} cents asked, ${leftCents} left on the invoice`,
        )
      }
      const id = `ref_${randomHex(8)}`
      database
        .prepare('INSERT INTO refunds VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
        .run(
          id,
          tenant,
          request.invoiceId,
          request.amountCents,
          request.reason,
          key,
          fingerprint,
          new Date().toISOString(),
        )
      return refundRow.parse(refundByKey.get(tenant, key))
    })
  }

  return {
    close: () => database.close(),
    routes: [
      {
        method: 'POST',
        path: '/invoices',
        async handle({ context, body }) {
          const tenant = requireTenant(context)
          return { status: 201, body: invoiceOf(invoice(await body(invoiceRequest), tenant)) }
        },
      },
      {
        method: 'GET',
        path: '/invoices/{id}',
        handle({ context, params, headers }) {
          const tenant = requireTenant(context)
          const found = invoiceById.get(tenant, params['id'] ?? '')
          if (found === undefined) throw errors.SHOP_NOT_FOUND('there is no such invoice')
          const row = invoiceRow.parse(found)
          const refunds = refundsOf.all(tenant, row.id).map((refunded) => refundOf(refundRow.parse(refunded)))
          const { userId, ...rest } = invoiceOf(row)
          const owner = maskedParts(headers).has('owner') ? {} : { userId }
          return { status: 200, body: { ...rest, ...owner, refunds } }
        },
      },
      {
        method: 'POST',
        path: '/refunds',
        async handle({ context, headers, body }) {
          const tenant = requireTenant(context)
          const key = idempotencyKeyOf(headers)
          if (key === undefined)
            throw errors.SHOP_IDEMPOTENCY_KEY_MISSING('a refund needs an Idempotency-Key')
          return { status: 201, body: refundOf(refund(await body(refundRequest), tenant, key)) }
        },
      },
    ],
  }
}

function invoiceOf(row: z.output<typeof invoiceRow>) {
  const { id, order_id: orderId, user_id: userId, amount_cents: amountCents, currency } = row
  return { id, orderId, userId, amountCents, currency }
}

function refundOf(row: z.output<typeof refundRow>) {
  const { id, invoice_id: invoiceId, amount_cents: amountCents, reason } = row
  return { id, invoiceId, amountCents, reason }
}
