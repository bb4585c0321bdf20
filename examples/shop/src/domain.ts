import { z } from 'zod'

/** The business that owns the data. Every order, payment and invoice has one; a missing tenant is an error. */
export const tenantId: z.ZodString = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'expected a tenant such as acme')
export const userId: z.ZodString = z.string().regex(/^usr_[a-z0-9]{1,40}$/, 'expected a user such as usr_ada')
export const productId: z.ZodString = z
  .string()
  .regex(/^prd_[a-z0-9-]{1,60}$/, 'expected a product such as prd_mug')
export const orderId: z.ZodString = z.string().regex(/^ord_[0-9a-f]{16}$/, 'expected an order id')
export const paymentId: z.ZodString = z.string().regex(/^pay_[0-9a-f]{16}$/, 'expected a payment id')
/** Money is whole cents: floating point has no place in it. */
export const cents: z.ZodInt = z.int().min(0).max(100_000_000)

/** One currency is enough for the play. */
export const CURRENCY = 'EUR'

export interface Tenant {
  readonly id: string
  readonly name: string
}

export interface User {
  readonly id: string
  readonly tenantId: string
  readonly name: string
  readonly email: string
}

export interface Product {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly priceCents: number
  readonly taxCategory: 'standard' | 'reduced'
  readonly stock: number
}

export const tenants: readonly Tenant[] = [
  { id: 'acme', name: 'Acme Supplies' },
  { id: 'globex', name: 'Globex Books' },
]

export const users: readonly User[] = [
  { id: 'usr_ada', tenantId: 'acme', name: 'Ada', email: 'ada@acme.example' },
  { id: 'usr_grace', tenantId: 'acme', name: 'Grace', email: 'grace@acme.example' },
  { id: 'usr_edsger', tenantId: 'globex', name: 'Edsger', email: 'edsger@globex.example' },
]

const product = (
  id: string,
  title: string,
  description: string,
  priceCents: number,
  stock: number,
  taxCategory: Product['taxCategory'] = 'standard',
): Product => ({ id, title, description, priceCents, taxCategory, stock })

export const products: readonly Product[] = [
  product('prd_mug', 'Enamel mug', 'Holds 350 ml and survives a fall.', 1450, 120),
  product('prd_lamp', 'Desk lamp', 'Warm light, folding arm.', 5900, 35),
  product('prd_notebook', 'Notebook', '192 pages, dotted, lies flat.', 990, 400),
  product('prd_pen', 'Fountain pen', 'Steel nib, medium.', 3200, 60),
  product('prd_chair', 'Reading chair', 'Oak and wool.', 34900, 8),
  product('prd_tea', 'Black tea', '250 g of Assam, loose.', 1290, 250, 'reduced'),
  product(
    'prd_book-systems',
    'A book about systems',
    'Why the parts are not the whole.',
    2800,
    90,
    'reduced',
  ),
  product('prd_bag', 'Canvas bag', 'Carries all of the above but the chair.', 2400, 75),
]

/** What somebody wants to buy. */
export const orderLineRequest: z.ZodType<{ readonly productId: string; readonly quantity: number }> =
  z.strictObject({
    productId,
    quantity: z.int().min(1).max(100),
  })

/** A reference to a means of payment, as a payment provider would give out. `card-declined` is always declined. */
export const paymentMethod: z.ZodString = z
  .string()
  .regex(/^card-[a-z0-9-]{1,40}$/, 'expected a token such as card-visa')
