import { randomHex } from '@breakwater/core'
import { z } from 'zod'
import { orderLineRequest, paymentMethod, productId } from '../domain.ts'
import { readProductTitles } from '../catalog/product-titles.ts'
import { idempotencyKeyOf } from '../kit/context.ts'
import type { CallContext } from '../kit/context.ts'
import { Downstream } from '../kit/downstream.ts'
import { errors } from '../kit/errors.ts'
import { Decisions } from '../kit/decisions.ts'
import { Routes, openRoute } from '../kit/routes.ts'
import type { Answer, OpenService } from '../kit/service.ts'

const checkoutRequest = z.strictObject({
  lines: z.array(orderLineRequest).min(1).max(50),
  paymentMethod: paymentMethod.default('card-visa'),
})

const orderAnswer = z.object({
  id: z.string(),
  status: z.string(),
  totalCents: z.number(),
  currency: z.string(),
  paymentId: z.string().nullable(),
  invoiceId: z.string().nullable(),
  lines: z.array(z.object({ productId: z.string(), quantity: z.number(), unitPriceCents: z.number() })),
  degraded: z.array(z.string()),
})

const problem = z.object({ title: z.string(), code: z.string() })

/**
 * What the browser talks to. Products are catalog's; a checkout needs orders, and only decorates its answer with what catalog
 * knows: without catalog it is `partial` and names what is missing.
 */
export const openStorefront: OpenService = (environment) => {
  const catalog = new Downstream('catalog', environment)
  const orders = new Downstream('orders', environment)

  async function fromCatalog(context: CallContext, path: string): Promise<Answer> {
    const { status, body, degraded } = await catalog.call(context, { method: 'GET', path, asItself: true })
    if (status === 404) throw errors.SHOP_NOT_FOUND('there is no such product')
    if (status !== 200) throw errors.SHOP_DOWNSTREAM_UNAVAILABLE(`catalog answered ${status}`)
    return { status: 200, headers: degradedHeader(degraded), body }
  }

  const decisions = new Decisions(environment)
  const routes = new Routes(decisions).tenant(
    { method: 'POST', path: '/shop/checkout', action: 'checkout', body: checkoutRequest },
    async (_tenant, { context, headers, body }) => {
      const idempotencyKey = idempotencyKeyOf(headers) ?? randomHex(16)
      const ids = body.lines.map((line) => line.productId)
      const [placed, titles] = await Promise.all([
        orders.call(context, { method: 'POST', path: '/orders', body, idempotencyKey }),
        readProductTitles(catalog, context, ids, 'product-titles'),
      ])
      if (placed.status !== 201) return refused(placed.status, placed.body)
      const order = orderAnswer.parse(placed.body)
      const degraded = [...new Set([...order.degraded, ...titles.degraded, ...placed.degraded])]
      return {
        status: 201,
        headers: { 'cache-control': 'no-store', ...degradedHeader(degraded) },
        body: {
          orderId: order.id,
          status: order.status,
          paymentId: order.paymentId,
          invoiceId: order.invoiceId,
          totalCents: order.totalCents,
          currency: order.currency,
          lines: order.lines.map((line) => ({
            ...line,
            title: titles.byId.get(line.productId)?.title ?? null,
          })),
          completeness: degraded.length === 0 ? 'full' : 'partial',
          degraded,
        },
      }
    },
  )

  return {
    close: () => decisions.close(),
    routes: [
      openRoute('GET', '/shop/products', ({ context }) => fromCatalog(context, '/catalog/products')),
      openRoute('GET', '/shop/products/{id}', ({ context, params }) => {
        const id = params['id'] ?? ''
        if (!productId.safeParse(id).success) throw errors.SHOP_NOT_FOUND('there is no such product')
        return fromCatalog(context, `/catalog/products/${id}`)
      }),
      ...routes.all,
    ],
  }
}

/** Names of the lesser parts, for whoever does not read the body. */
function degradedHeader(degraded: readonly string[]): Readonly<Record<string, string>> {
  return degraded.length === 0 ? {} : { 'x-degraded': degraded.join(', ') }
}

/** What orders refused is the caller's to repair: its problem goes on, in the storefront's words. */
function refused(status: number, body: unknown): Answer {
  if (status === 402) throw errors.SHOP_PAYMENT_DECLINED('the means of payment was declined')
  if (status === 403) throw errors.SHOP_FORBIDDEN('this order is not allowed to you')
  const parsed = problem.safeParse(body)
  if (status === 409 && parsed.success) throw errors.SHOP_ORDER_SETTLED(parsed.data.title)
  if (status === 422 && parsed.success) {
    if (parsed.data.code === 'SHOP_IDEMPOTENCY_KEY_REUSED')
      throw errors.SHOP_IDEMPOTENCY_KEY_REUSED(parsed.data.title)
    throw errors.SHOP_BODY_INVALID(parsed.data.title)
  }
  throw errors.SHOP_DOWNSTREAM_UNAVAILABLE(`orders answered ${status}`)
}
