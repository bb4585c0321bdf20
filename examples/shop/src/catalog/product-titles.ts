import { z } from 'zod'
import type { CallContext } from '../kit/context.ts'
import type { Downstream } from '../kit/downstream.ts'

const answerSchema = z.object({
  products: z.array(z.object({ id: z.string(), title: z.string(), taxCategory: z.string() })),
})

export interface ProductTitles {
  readonly byId: ReadonlyMap<string, { readonly title: string; readonly taxCategory: string }>
  /** Names of the parts that are lesser: `part` when catalog did not answer, what the gateway named when it helped out. */
  readonly degraded: readonly string[]
}

/** Asks catalog for the titles. Never throws because of catalog: without an answer all titles are missing, and said to be. */
export async function readProductTitles(
  catalog: Downstream,
  context: CallContext,
  ids: readonly string[],
  part: string,
): Promise<ProductTitles> {
  try {
    const path = `/catalog/products?ids=${[...new Set(ids)].map(encodeURIComponent).join(',')}`
    const { status, body, degraded } = await catalog.call(context, { method: 'GET', path, asItself: true })
    const parsed = answerSchema.safeParse(body)
    if (status !== 200 || !parsed.success) return { byId: new Map(), degraded: [part] }
    return { byId: new Map(parsed.data.products.map((product) => [product.id, product])), degraded }
  } catch (error) {
    if (context.signal.aborted) throw error
    return { byId: new Map(), degraded: [part] }
  }
}
