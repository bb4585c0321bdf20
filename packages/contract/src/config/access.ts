import type { ActionByMethod } from './schema/authorization.ts'
import type { RouteConfig } from './schema/schema.ts'

/** What a route asks of a method. */
export type MethodAccess =
  | { readonly kind: 'public' }
  | { readonly kind: 'action'; readonly action: string }
  /** Nothing was said about it: refused. */
  | { readonly kind: 'undeclared' }

type Declared = Pick<RouteConfig, 'public' | 'authorize'>

const PUBLIC: MethodAccess = { kind: 'public' }
const UNDECLARED: MethodAccess = { kind: 'undeclared' }

/** What must be allowed for `method` on a route. HEAD asks what GET asks, unless it has an answer of its own. */
export function accessOf(route: Declared, method: string): MethodAccess {
  const isPublic = route.public === true || (route.public !== false && route.public.includes(method))
  if (isPublic) return PUBLIC
  const actions: ActionByMethod = route.authorize?.action ?? {}
  const action = Object.hasOwn(actions, method) ? actions[method] : undefined
  if (action !== undefined) return { kind: 'action', action }
  if (method === 'HEAD') return accessOf(route, 'GET')
  const all = actions['*']
  return all === undefined ? UNDECLARED : { kind: 'action', action: all }
}
