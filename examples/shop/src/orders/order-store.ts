import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { orderCreated } from '../events.ts'
import type { OrderCreated } from '../events.ts'
import type { CallContext } from '../kit/context.ts'
import { appendEvent, inTransaction, openDatabase } from '../kit/database.ts'
import { listed } from '../kit/listed.ts'
import type { Listed, Page, SqlFilter } from '../kit/listed.ts'
import type { ServiceEnvironment } from '../kit/service.ts'

const TABLES = `
  CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('payment-pending', 'paid', 'declined', 'cancelled')),
    lines TEXT NOT NULL,
    total_cents INTEGER NOT NULL,
    currency TEXT NOT NULL,
    payment_id TEXT,
    invoice_id TEXT,
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (tenant_id, idempotency_key)
  ) STRICT`

const orderRow = z.object({
  id: z.string(),
  tenant_id: z.string(),
  user_id: z.string(),
  status: z.enum(['payment-pending', 'paid', 'declined', 'cancelled']),
  lines: z.string(),
  total_cents: z.number(),
  currency: z.string(),
  payment_id: z.string().nullable(),
  invoice_id: z.string().nullable(),
  fingerprint: z.string(),
})

const linesSchema = z.array(
  z.object({ productId: z.string(), quantity: z.number(), unitPriceCents: z.number() }),
)

export interface Order {
  readonly id: string
  readonly tenantId: string
  /** Whose it is. */
  readonly owner: string
  readonly status: 'payment-pending' | 'paid' | 'declined' | 'cancelled'
  readonly lines: z.output<typeof linesSchema>
  readonly totalCents: number
  readonly currency: string
  readonly paymentId: string | null
  readonly invoiceId: string | null
}

/** The orders in SQLite. Every method is synchronous and for one tenant, but the one that serves a background task. */
export class OrderStore {
  readonly #database: DatabaseSync

  constructor(environment: ServiceEnvironment) {
    this.#database = openDatabase(environment, TABLES)
  }

  /** The order under an idempotency key with the fingerprint of the request that made it. */
  findByKey(
    tenantId: string,
    key: string,
  ): { readonly order: Order; readonly fingerprint: string } | undefined {
    const row = this.#database
      .prepare('SELECT * FROM orders WHERE tenant_id = ? AND idempotency_key = ?')
      .get(tenantId, key)
    return row === undefined
      ? undefined
      : { order: orderOf(row), fingerprint: orderRow.parse(row).fingerprint }
  }

  find(tenantId: string, id: string): Order | undefined {
    const row = this.#database
      .prepare('SELECT * FROM orders WHERE tenant_id = ? AND id = ?')
      .get(tenantId, id)
    return row === undefined ? undefined : orderOf(row)
  }

  /** The newest first, as far as `visible` lets them be seen, and how many there are in all. */
  list(visible: SqlFilter, page: Page): Listed<Order> {
    return listed(this.#database, 'orders', visible, page, orderOf)
  }

  /** Writes the order and its ORDER_CREATED event, both or none. */
  create(order: OrderCreated, key: string, fingerprint: string, context: CallContext): Order {
    return inTransaction(this.#database, () => {
      this.#database
        .prepare(
          "INSERT INTO orders (id, tenant_id, user_id, status, lines, total_cents, currency, idempotency_key, fingerprint, created_at) VALUES (?, ?, ?, 'payment-pending', ?, ?, ?, ?, ?, ?)",
        )
        .run(
          order.orderId,
          order.tenantId,
          order.userId,
          JSON.stringify(order.lines),
          order.totalCents,
          order.currency,
          key,
          fingerprint,
          new Date().toISOString(),
        )
      appendEvent(this.#database, orderCreated, order, context)
      const { orderId: id, tenantId, userId, lines, totalCents, currency } = order
      return {
        id,
        tenantId,
        owner: userId,
        status: 'payment-pending',
        lines,
        totalCents,
        currency,
        paymentId: null,
        invoiceId: null,
      }
    })
  }

  /** Writes down how the payment ended. An order that is paid stays paid; money that was taken counts more than a cancellation. */
  settle(id: string, status: 'paid' | 'declined', paymentId: string | null): void {
    this.#database
      .prepare(
        "UPDATE orders SET status = ?1, payment_id = ?2 WHERE id = ?3 AND (status = 'payment-pending' OR (status = 'cancelled' AND ?1 = 'paid'))",
      )
      .run(status, paymentId, id)
  }

  /** Whether it was cancelled now: not when it was paid meanwhile, or cancelled before. */
  cancel(id: string): boolean {
    const { changes } = this.#database
      .prepare(
        "UPDATE orders SET status = 'cancelled' WHERE id = ? AND status IN ('payment-pending', 'declined')",
      )
      .run(id)
    return changes === 1
  }

  setInvoice(id: string, invoiceId: string): void {
    this.#database.prepare('UPDATE orders SET invoice_id = ? WHERE id = ?').run(invoiceId, id)
  }

  /** Paid orders of any tenant that billing has not invoiced yet, at most `limit`, in no order: one that it refuses blocks none. */
  withoutInvoice(limit: number): readonly Order[] {
    return this.#database
      .prepare("SELECT * FROM orders WHERE status = 'paid' AND invoice_id IS NULL ORDER BY random() LIMIT ?")
      .all(limit)
      .map(orderOf)
  }

  close(): void {
    this.#database.close()
  }
}

function orderOf(row: unknown): Order {
  const parsed = orderRow.parse(row)
  return {
    id: parsed.id,
    tenantId: parsed.tenant_id,
    owner: parsed.user_id,
    status: parsed.status,
    lines: linesSchema.parse(JSON.parse(parsed.lines)),
    totalCents: parsed.total_cents,
    currency: parsed.currency,
    paymentId: parsed.payment_id,
    invoiceId: parsed.invoice_id,
  }
}
