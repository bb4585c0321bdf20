import { z } from 'zod'
import { CURRENCY, cents, orderId, paymentId, productId, tenantId, userId } from './domain.ts'

const line = z.strictObject({ productId, quantity: z.int().min(1).max(100), unitPriceCents: cents })

/** Somebody ordered: `orders` wrote it down in the same transaction as the order. */
export const orderCreated = {
  name: 'ORDER_CREATED',
  version: 1,
  payload: z.strictObject({
    orderId,
    tenantId,
    userId,
    lines: z.array(line).min(1).max(50),
    totalCents: cents,
    currency: z.literal(CURRENCY),
  }),
} as const

/** The money of an order was taken: `payments` wrote it down in the same transaction as the payment. */
export const paymentCompleted = {
  name: 'PAYMENT_COMPLETED',
  version: 1,
  payload: z.strictObject({
    paymentId,
    orderId,
    tenantId,
    amountCents: cents,
    currency: z.literal(CURRENCY),
  }),
} as const

export type OrderCreated = Readonly<z.output<typeof orderCreated.payload>>
export type PaymentCompleted = Readonly<z.output<typeof paymentCompleted.payload>>

/** Every event of the shop by its name. Defined here and nowhere else. */
export const shopEvents = {
  [orderCreated.name]: orderCreated,
  [paymentCompleted.name]: paymentCompleted,
} as const

export type ShopEventName = keyof typeof shopEvents
/** A definition as the outbox takes it. */
export interface ShopEventDefinition<Payload> {
  readonly name: ShopEventName
  readonly version: number
  readonly payload: z.ZodType<Payload>
}
