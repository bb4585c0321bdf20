import { randomHex } from '@breakwater/core'
import { z } from 'zod'
import { CURRENCY, orderLineRequest, paymentMethod, products } from '../domain.ts'
import { requireIdempotencyKey } from '../kit/context.ts'
import type { CallContext } from '../kit/context.ts'
import { fingerprintOf } from '../kit/database.ts'
import { Decisions } from '../kit/decisions.ts'
import { Downstream } from '../kit/downstream.ts'
import { errors } from '../kit/errors.ts'
import { pageOf } from '../kit/listed.ts'
import { Routes } from '../kit/routes.ts'
import type { OpenService } from '../kit/service.ts'
import { Invoicing } from './invoicing.ts'
import { orderGuard, viewedOrder, visibleOrders } from './order-access.ts'
import { OrderStore } from './order-store.ts'
import type { Order } from './order-store.ts'

const orderRequest = z.strictObject({ lines: z.array(orderLineRequest).min(1).max(50), paymentMethod })
type OrderRequest = z.output<typeof orderRequest>

const paymentAnswer = z.object({
  id: z.string(),
  status: z.string(),
  receipt: z.array(z.unknown()),
  degraded: z.array(z.string()),
})

/**
 * Takes orders and has them paid. Whose an order is, the token says; prices come from its own price list, not from the caller and not
 * from catalog, so an order needs no catalog. An order whose payment got no answer stays pending: the same request with the same key
 * pays it, once.
 */
export const openOrders: OpenService = (environment) => {
  const store = new OrderStore(environment)
  const payments = new Downstream('payments', environment)
  const invoicing = new Invoicing(store, new Downstream('billing', environment))
  const prices = new Map(products.map(({ id, priceCents }) => [id, priceCents]))

  function place(
    request: OrderRequest,
    by: { readonly tenant: string; readonly userId: string },
    key: string,
    context: CallContext,
  ): Order {
    const { tenant, userId } = by
    // Whose it is belongs to what a key stands for: another user's order is not found under it.
    const fingerprint = fingerprintOf({ ...request, userId })
    const known = store.findByKey(tenant, key)
    if (known !== undefined) {
      if (known.fingerprint !== fingerprint)
        throw errors.SHOP_IDEMPOTENCY_KEY_REUSED('this Idempotency-Key belongs to a different order')
      if (known.order.status === 'cancelled') throw errors.SHOP_ORDER_SETTLED('this order was cancelled')
      return known.order
    }
    const lines = request.lines.map(({ productId, quantity }) => {
      const unitPriceCents = prices.get(productId)
      if (unitPriceCents === undefined)
        throw errors.SHOP_BODY_INVALID(`${productId} is not a product of the shop`)
      return { productId, quantity, unitPriceCents }
    })
    const totalCents = lines.reduce((sum, line) => sum + line.quantity * line.unitPriceCents, 0)
    const orderId = `ord_${randomHex(8)}`
    const event = { orderId, tenantId: tenant, userId, lines, totalCents, currency: CURRENCY } as const
    return store.create(event, key, fingerprint, context)
  }

  async function pay(
    order: Order,
    method: string,
    context: CallContext,
  ): Promise<z.output<typeof paymentAnswer>> {
    const { status, body } = await payments.call(context, {
      method: 'POST',
      path: '/payments',
      // One key for each order: however often this is sent, the order is paid once.
      idempotencyKey: `order-${order.id}`,
      body: {
        orderId: order.id,
        amountCents: order.totalCents,
        currency: order.currency,
        paymentMethod: method,
        productIds: order.lines.map(({ productId }) => productId),
      },
    })
    if (status === 402) {
      store.settle(order.id, 'declined', null)
      throw errors.SHOP_PAYMENT_DECLINED('the means of payment was declined')
    }
    if (status === 403) throw errors.SHOP_FORBIDDEN('this payment is not allowed to you')
    const parsed = paymentAnswer.safeParse(body)
    if (status !== 201 || !parsed.success) {
      throw errors.SHOP_DOWNSTREAM_UNAVAILABLE(`payments answered ${status}, expected 201 with a payment`)
    }
    store.settle(order.id, 'paid', parsed.data.id)
    return parsed.data
  }

  const decisions = new Decisions(environment)
  const routes = new Routes(decisions)
    .tenant(
      { method: 'POST', path: '/orders', action: 'placeOrder', body: orderRequest },
      async (_tenant, { context, headers, body, caller, tenant }) => {
        const key = requireIdempotencyKey(headers, 'an order')
        // A workload by itself places no orders: the policies let only users.
        const order = place(body, { tenant, userId: caller.user ?? '' }, key, context)
        const payment = await pay(order, body.paymentMethod, context)
        const invoiceId = order.invoiceId ?? (await invoicing.invoice(order, context))
        const degraded = [...payment.degraded, ...(invoiceId === undefined ? ['invoice'] : [])]
        const paid = store.find(tenant, order.id) ?? order
        return { status: 201, body: { ...paid, receipt: payment.receipt, degraded } }
      },
    )
    .list(
      { method: 'GET', path: '/orders', guard: visibleOrders, each: viewedOrder },
      (rows, { query }) => store.list(rows.where('sqlite'), pageOf(query)),
      (orders, total) => ({ status: 200, body: { orders, total } }),
    )
    .object(
      { method: 'GET', path: '/orders/{id}', guard: orderGuard('viewOrder', store), what: 'order' },
      (order) => ({ status: 200, body: order }),
    )
    .object(
      { method: 'POST', path: '/orders/{id}/cancel', guard: orderGuard('cancelOrder', store), what: 'order' },
      (order) => {
        if (!store.cancel(order.id)) throw errors.SHOP_ORDER_SETTLED('this order can no longer be cancelled')
        return { status: 200, body: { ...order, status: 'cancelled' } }
      },
    )

  return {
    close() {
      invoicing.stop()
      store.close()
      decisions.close()
    },
    routes: routes.all,
  }
}
