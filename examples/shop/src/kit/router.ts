import { errors } from './errors.ts'
import type { ServiceRoute } from './service.ts'

export interface Match {
  readonly route: ServiceRoute
  readonly params: Readonly<Record<string, string>>
}

/** Finds the route of a request. Throws `SHOP_ROUTE_UNKNOWN` or `SHOP_METHOD_NOT_ALLOWED`. */
export function findRoute(routes: readonly ServiceRoute[], method: string, path: string): Match {
  const onPath = routes.flatMap((route) => {
    const params = paramsOf(route.path, path)
    return params === undefined ? [] : [{ route, params }]
  })
  const match = onPath.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method))
  if (match !== undefined) return match
  if (onPath.length === 0) throw errors.SHOP_ROUTE_UNKNOWN('this service has no such path')
  const allow = onPath.map(({ route }) => route.method).join(', ')
  throw errors.SHOP_METHOD_NOT_ALLOWED(`${method} is not allowed here, only ${allow}`, { details: { allow } })
}

function paramsOf(template: string, path: string): Record<string, string> | undefined {
  const names = template.split('/')
  const pieces = path.split('/')
  if (names.length !== pieces.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, name] of names.entries()) {
    const piece = pieces[index] ?? ''
    if (name.startsWith('{') && piece !== '') params[name.slice(1, -1)] = decoded(piece)
    else if (name !== piece) return undefined
  }
  return params
}

function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece)
  } catch {
    throw errors.SHOP_ROUTE_UNKNOWN('the path holds a broken escape')
  }
}
