import { randomHex } from '@breakwater/core'
import { z } from 'zod'
import type { CallContext } from '../kit/context.ts'
import type { Downstream } from '../kit/downstream.ts'
import type { Order, OrderStore } from './order-store.ts'

const INTERVAL_MS = 5000
const BATCH = 20
const OWN_TIMEOUT_MS = 4000

const invoiceAnswer = z.object({ id: z.string() })

/** Has paid orders invoiced by billing: at once when it can, later when billing was down. An order never waits for it to be up. */
export class Invoicing {
  readonly #store: OrderStore
  readonly #billing: Downstream
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout

  constructor(store: OrderStore, billing: Downstream) {
    this.#store = store
    this.#billing = billing
    this.#timer = this.#later()
  }

  /** The id of the order's invoice, `undefined` when billing could not make it now. */
  async invoice(order: Order, context: CallContext): Promise<string | undefined> {
    try {
      const { status, body } = await this.#billing.call(context, {
        method: 'POST',
        path: '/invoices',
        idempotencyKey: `invoice-${order.id}`,
        body: {
          orderId: order.id,
          userId: order.owner,
          amountCents: order.totalCents,
          currency: order.currency,
        },
      })
      const parsed = invoiceAnswer.safeParse(body)
      if (status >= 300 || !parsed.success || this.#stopping.signal.aborted) return undefined
      this.#store.setInvoice(order.id, parsed.data.id)
      return parsed.data.id
    } catch (error) {
      if (context.signal.aborted) throw error
      return undefined
    }
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#stopping.abort(new Error('the service stops'))
  }

  /** Jittered, so that many instances do not come at billing together when it is back. */
  #later(): NodeJS.Timeout {
    return setTimeout(() => void this.#round(), INTERVAL_MS * (0.5 + Math.random())).unref()
  }

  /** A round that fails, on a full disk for example, is made up for by the next one. */
  async #round(): Promise<void> {
    await this.#catchUp().catch((error: unknown) =>
      console.error(`invoices are not caught up: ${String(error)}`),
    )
    if (!this.#stopping.signal.aborted) this.#timer = this.#later()
  }

  async #catchUp(): Promise<void> {
    for (const order of this.#store.withoutInvoice(BATCH)) {
      const context = {
        traceparent: `00-${randomHex(16)}-${randomHex(8)}-01`,
        requestId: randomHex(16),
        deadlineAtMs: performance.now() + OWN_TIMEOUT_MS,
        signal: this.#stopping.signal,
        // By itself: nobody's token is kept for later.
        caller: undefined,
        userToken: undefined,
        tenant: order.tenantId,
      }
      // The first failure ends the round: billing is likely still down.
      const made = await this.invoice(order, context).catch(() => undefined)
      if (made === undefined) break
    }
  }
}
