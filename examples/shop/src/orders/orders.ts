import { randomHex } from '@breakwater/core'
import { z } from 'zod'
import { CURRENCY, orderLineRequest, paymentMethod, products, userId, users } from '../domain.ts'
import { idempotencyKeyOf, requireTenant } from '../kit/context.ts'
import type { CallContext } from '../kit/context.ts'
import { fingerprintOf } from '../kit/database.ts'
import { Downstream } from '../kit/downstream.ts'
import { errors } from '../kit/errors.ts'
import type { OpenService } from '../kit/service.ts'
import { Invoicing } from './invoicing.ts'
import { OrderStore } from './order-store.ts'
import type { Order } from './order-store.ts'

const orderRequest = z.strictObject({
  userId,
  lines: z.array(orderLineRequest).min(1).max(50),
  paymentMethod,
})
type OrderRequest = z.output<typeof orderRequest>

const paymentAnswer = z.object({
  id: z.string(),
  status: z.string(),
  receipt: z.array(z.unknown()),
  degraded: z.array(z.string()),
})

/**
 * Takes orders and has them paid. Prices come from its own price list, not from the caller and not from catalog, so an
 * order needs no catalog. An order whose payment got no answer stays pending: the same request with the same key
 * pays it, once.
 */
export const openOrders: OpenService = (environment) => {
  const store = new OrderStore(environment)
  const payments = new Downstream('payments', environment.env)
  const invoicing = new Invoicing(store, new Downstream('billing', environment.env))
  const prices = new Map(products.map(({ id, priceCents }) => [id, priceCents]))

  function place(request: OrderRequest, tenant: string, key: string, context: CallContext): Order {
    const fingerprint = fingerprintOf(request)
    const known = store.findByKey(tenant, key)
    if (known !== undefined) {
      if (known.fingerprint === fingerprint) return known.order
      throw errors.SHOP_IDEMPOTENCY_KEY_REUSED('this Idempotency-Key belongs to a different order')
    }
    if (!users.some((user) => user.id === request.userId && user.tenantId === tenant)) {
      throw errors.SHOP_BODY_INVALID(`${request.userId} is not a user of ${tenant}`)
    }
    const lines = request.lines.map(({ productId, quantity }) => {
      const unitPriceCents = prices.get(productId)
      if (unitPriceCents === undefined)
        throw errors.SHOP_BODY_INVALID(`${productId} is not a product of the shop`)
      return { productId, quantity, unitPriceCents }
    })
    const totalCents = lines.reduce((sum, line) => sum + line.quantity * line.unitPriceCents, 0)
    const orderId = `ord_${randomHex(8)}`
    const event = {
      orderId,
      tenantId: tenant,
      userId: request.userId,
      lines,
      totalCents,
      currency: CURRENCY,
    } as const
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
    const parsed = paymentAnswer.safeParse(body)
    if (status !== 201 || !parsed.success) {
      throw errors.SHOP_DOWNSTREAM_UNAVAILABLE(`payments answered ${status}, expected 201 with a payment`)
    }
    store.settle(order.id, 'paid', parsed.data.id)
    return parsed.data
  }

  return {
    close() {
      invoicing.stop()
      store.close()
    },
    routes: [
      {
        method: 'POST',
        path: '/orders',
        async handle({ context, headers, body }) {
          const tenant = requireTenant(context)
          const key = idempotencyKeyOf(headers)
          if (key === undefined)
            throw errors.SHOP_IDEMPOTENCY_KEY_MISSING('an order needs an Idempotency-Key')
          const request = await body(orderRequest)
          const order = place(request, tenant, key, context)
          const payment = await pay(order, request.paymentMethod, context)
          const invoiceId = order.invoiceId ?? (await invoicing.invoice(order, context))
          const degraded = [...payment.degraded, ...(invoiceId === undefined ? ['invoice'] : [])]
          const paid = store.find(tenant, order.id) ?? order
          return { status: 201, body: { ...paid, receipt: payment.receipt, degraded } }
        },
      },
      {
        method: 'GET',
        path: '/orders/{id}',
        handle({ context, params }) {
          const order = store.find(requireTenant(context), params['id'] ?? '')
          if (order === undefined) throw errors.SHOP_NOT_FOUND('there is no such order')
          return { status: 200, body: order }
        },
      },
    ],
  }
}
