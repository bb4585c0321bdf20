import type { DatabaseSync } from 'node:sqlite'
import { randomHex } from '@breakwater/core'
import { z } from 'zod'
import { fingerprintOf, inTransaction, openDatabase } from '../kit/database.ts'
import { errors } from '../kit/errors.ts'
import { conditionOf, listed } from '../kit/listed.ts'
import type { Listed, Page, SqlFilter } from '../kit/listed.ts'
import type { ServiceEnvironment } from '../kit/service.ts'

const TABLES = `
  CREATE TABLE IF NOT EXISTS invoices (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    currency TEXT NOT NULL,
    created_at TEXT NOT NULL,
    refunded_cents INTEGER NOT NULL DEFAULT 0 CHECK (refunded_cents BETWEEN 0 AND amount_cents),
    UNIQUE (tenant_id, order_id)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS refunds (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    invoice_id TEXT NOT NULL REFERENCES invoices (id),
    refunded_by TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    refunded_before_cents INTEGER NOT NULL,
    reason TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (tenant_id, idempotency_key)
  ) STRICT`

const invoiceRow = z.object({
  id: z.string(),
  tenant_id: z.string(),
  order_id: z.string(),
  user_id: z.string(),
  amount_cents: z.number(),
  currency: z.string(),
  refunded_cents: z.number(),
})
const refundRow = z.object({
  id: z.string(),
  invoice_id: z.string(),
  amount_cents: z.number(),
  refunded_before_cents: z.number(),
  reason: z.string(),
  fingerprint: z.string(),
})

/** What somebody has to pay, with whose it is. */
export interface Invoice {
  readonly id: string
  readonly tenantId: string
  readonly orderId: string
  readonly owner: string
  readonly amountCents: number
  readonly currency: string
  /** The sum of its refunds. */
  readonly refundedCents: number
}

export interface Refund {
  readonly id: string
  readonly invoiceId: string
  readonly amountCents: number
  readonly reason: string
}

/**
 * Invoices, one for each order, and refunds, one for each idempotency key. What is refunded of an invoice is counted on it, and never
 * more than the invoice (the control refund-total of the threat register). Synchronous.
 */
export class BillingStore {
  readonly #database: DatabaseSync

  constructor(environment: ServiceEnvironment) {
    this.#database = openDatabase(environment, TABLES)
  }

  /** The invoice of an order, made now if there was none. Throws `SHOP_IDEMPOTENCY_KEY_REUSED` for another amount or user. */
  invoice(request: Omit<Invoice, 'id' | 'refundedCents'>): Invoice {
    const { tenantId, orderId, owner, amountCents, currency } = request
    const found = this.#database
      .prepare('SELECT * FROM invoices WHERE tenant_id = ? AND order_id = ?')
      .get(tenantId, orderId)
    if (found !== undefined) {
      const known = invoiceOf(found)
      if (known.amountCents === amountCents && known.owner === owner) return known
      throw errors.SHOP_IDEMPOTENCY_KEY_REUSED('this order has an invoice over another amount or user')
    }
    const id = `inv_${randomHex(8)}`
    this.#database
      .prepare('INSERT INTO invoices VALUES (?, ?, ?, ?, ?, ?, ?, 0)')
      .run(id, tenantId, orderId, owner, amountCents, currency, new Date().toISOString())
    return { ...request, id, refundedCents: 0 }
  }

  find(tenantId: string, id: string): Invoice | undefined {
    const row = this.#database
      .prepare('SELECT * FROM invoices WHERE tenant_id = ? AND id = ?')
      .get(tenantId, id)
    return row === undefined ? undefined : invoiceOf(row)
  }

  /**
   * The invoice as a refund under this key meets it. One that was made already meets it as it did then: a repetition is decided on like
   * the first request.
   */
  findForRefund(tenantId: string, id: string, key: string): Invoice | undefined {
    const invoice = this.find(tenantId, id)
    const made = this.#refundByKey(tenantId, key)
    if (invoice === undefined || made?.invoice_id !== id) return invoice
    return { ...invoice, refundedCents: made.refunded_before_cents }
  }

  /** The newest first, as far as `visible` lets them be seen, and how many there are in all. */
  list(visible: SqlFilter, page: Page): Listed<Invoice> {
    return listed(this.#database, 'invoices', visible, page, invoiceOf)
  }

  /** Sums over what may be seen. */
  report(visible: SqlFilter): {
    readonly invoices: number
    readonly amountCents: number
    readonly refundedCents: number
  } {
    const { text, values } = conditionOf(visible)
    const sums = this.#database
      .prepare(
        `SELECT count(*) AS n, coalesce(sum(amount_cents), 0) AS billed, coalesce(sum(refunded_cents), 0) AS refunded
          FROM invoices WHERE ${text}`,
      )
      .get(...values)
    return {
      invoices: Number(sums?.['n']),
      amountCents: Number(sums?.['billed']),
      refundedCents: Number(sums?.['refunded']),
    }
  }

  refundsOf({ id }: Pick<Invoice, 'id'>): readonly Refund[] {
    return this.#database
      .prepare('SELECT * FROM refunds WHERE invoice_id = ? ORDER BY created_at')
      .all(id)
      .map((row) => refundOf(refundRow.parse(row)))
  }

  /**
   * The refund under this key, made now if there was none. `billed` is what was decided on: when another refund has come in between,
   * nothing is done, because nobody has decided about the sum of both.
   *
   * Throws `SHOP_REFUND_OVERTAKEN`, `SHOP_REFUND_TOO_LARGE`, `SHOP_IDEMPOTENCY_KEY_REUSED`.
   */
  refund(
    billed: Pick<Invoice, 'id' | 'tenantId' | 'amountCents' | 'refundedCents'>,
    wanted: { readonly amountCents: number; readonly reason: string },
    by: string,
    key: string,
  ): Refund {
    return inTransaction(this.#database, () => {
      const { id: invoiceId, tenantId, refundedCents } = billed
      const { amountCents, reason } = wanted
      const fingerprint = fingerprintOf({ ...wanted, invoiceId })
      const found = this.#refundByKey(tenantId, key)
      if (found !== undefined) {
        if (found.fingerprint === fingerprint) return refundOf(found)
        throw errors.SHOP_IDEMPOTENCY_KEY_REUSED('this Idempotency-Key belongs to a different refund')
      }
      const leftCents = billed.amountCents - refundedCents
      if (amountCents > leftCents)
        throw errors.SHOP_REFUND_TOO_LARGE(`${amountCents} cents asked, ${leftCents} left on the invoice`)
      const { changes } = this.#database
        .prepare(
          `UPDATE invoices SET refunded_cents = refunded_cents + ?
            WHERE tenant_id = ? AND id = ? AND refunded_cents = ?`,
        )
        .run(amountCents, tenantId, invoiceId, refundedCents)
      if (changes === 0)
        throw errors.SHOP_REFUND_OVERTAKEN('another refund of this invoice came first: nothing was refunded')
      const [id, now] = [`ref_${randomHex(8)}`, new Date().toISOString()]
      this.#database
        .prepare('INSERT INTO refunds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
        .run(id, tenantId, invoiceId, by, amountCents, refundedCents, reason, key, fingerprint, now)
      return { id, invoiceId, amountCents, reason }
    })
  }

  #refundByKey(tenantId: string, key: string): z.output<typeof refundRow> | undefined {
    const row = this.#database
      .prepare('SELECT * FROM refunds WHERE tenant_id = ? AND idempotency_key = ?')
      .get(tenantId, key)
    return row === undefined ? undefined : refundRow.parse(row)
  }

  close(): void {
    this.#database.close()
  }
}

function invoiceOf(row: unknown): Invoice {
  const parsed = invoiceRow.parse(row)
  return {
    id: parsed.id,
    tenantId: parsed.tenant_id,
    orderId: parsed.order_id,
    owner: parsed.user_id,
    amountCents: parsed.amount_cents,
    currency: parsed.currency,
    refundedCents: parsed.refunded_cents,
  }
}

function refundOf(row: z.output<typeof refundRow>): Refund {
  return { id: row.id, invoiceId: row.invoice_id, amountCents: row.amount_cents, reason: row.reason }
}
