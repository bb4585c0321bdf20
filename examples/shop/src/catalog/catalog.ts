import { productId, products } from '../domain.ts'
import type { Product } from '../domain.ts'
import { errors } from '../kit/errors.ts'
import { openRoute } from '../kit/routes.ts'
import type { OpenService } from '../kit/service.ts'
import { ConnectionPool } from './connection-pool.ts'

const MAX_IDS = 50

/** Titles, descriptions, prices and stock of the products, the same for every tenant. Read only. */
export const openCatalog: OpenService = ({ env, faults }) => {
  const pool = new ConnectionPool(
    {
      connections: Number(env['CATALOG_CONNECTIONS'] ?? 16),
      queryMs: Number(env['CATALOG_QUERY_MS'] ?? 3),
      acquireTimeoutMs: Number(env['CATALOG_ACQUIRE_TIMEOUT_MS'] ?? 30_000),
    },
    faults,
  )
  const byId = new Map<string, Product>(products.map((product) => [product.id, product]))
  const headers = { 'cache-control': 'public, max-age=1' }
  return {
    state: () => ({ busyConnections: pool.busy, waitingQueries: pool.waiting }),
    routes: [
      // `?ids=a,b` reads some of them in one query; ids that nobody knows are left out.
      openRoute('GET', '/catalog/products', async ({ query, context }) => {
        const ids = query.get('ids')?.split(',')
        if (
          ids !== undefined &&
          (ids.length > MAX_IDS || !ids.every((id) => productId.safeParse(id).success))
        ) {
          throw errors.SHOP_BODY_INVALID(`ids must be 1 to ${MAX_IDS} product ids, separated by commas`)
        }
        const read = (): readonly Product[] =>
          ids === undefined ? products : ids.flatMap((id) => byId.get(id) ?? [])
        return { status: 200, headers, body: { products: await pool.query(read, context.signal) } }
      }),
      openRoute('GET', '/catalog/products/{id}', async ({ params, context }) => {
        const product = await pool.query(() => byId.get(params['id'] ?? ''), context.signal)
        if (product === undefined) throw errors.SHOP_NOT_FOUND('there is no such product')
        return { status: 200, headers, body: product }
      }),
    ],
  }
}
