import type { GatewayConfig, RouteConfig } from '@breakwater/contract'
import type { RequestHead } from '@breakwater/http'

import { whyForeign } from './objects.ts'
import type { Cast, Person, Thing, Types } from './objects.ts'
import type { SimGateway } from './sim-gateway.ts'

/** One way to an object that should not have been. */
export interface Leak {
  readonly user: string
  readonly workload: string | undefined
  readonly route: string
  readonly method: string
  readonly path: string
  readonly why: string
}

export interface SweepReport {
  /** Names of the guarded routes that were tried. */
  readonly routes: readonly string[]
  readonly users: number
  readonly objects: number
  readonly requests: number
  /** Requests that reached the service and held nothing of others, such as an id that it looks up within the asker's tenant. */
  readonly harmless: number
  readonly leaks: readonly Leak[]
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
/** Spellings that one server or another reads as the same path. */
const SPELLINGS: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => `${path}/`,
  (path) => path.replace('/', '//'),
  (path) => path.toUpperCase(),
  (path) => path.replace(/\/(?=[^/]*$)/, '/x/../'),
  (path) => path.replace(/.$/, (last) => `%${last.charCodeAt(0).toString(16)}`),
]

interface Attempt {
  readonly person: Person
  readonly workload: string | undefined
  readonly route: RouteConfig
  readonly method: string
  readonly path: string
  readonly fields: readonly string[]
}

const HOST = 'gateway'
const BATCH = 200

/**
 * Every user, alone and through every workload, asks for every object of everybody else: by every guarded route, verb and spelling,
 * with every field that might help. A leak is what the service behind gets to see.
 */
export async function sweep(
  sim: SimGateway,
  config: GatewayConfig,
  cast: Cast,
  types: Types,
): Promise<SweepReport> {
  const guarded = config.routes.filter(({ authorize }) => authorize !== undefined)
  const attempts = [...attemptsOf(guarded, cast)]
  const leaks: Leak[] = []
  const tokens = new Map<string, string>()
  let harmless = 0
  for (let from = 0; from < attempts.length; from += BATCH) {
    const batch = attempts.slice(from, from + BATCH)
    sim.reached.length = 0
    await sim.send(batch.map((attempt, index) => bytesOf(attempt, from + index, sim, config, tokens)))
    for (const head of sim.reached) {
      const attempt = attempts[Number(head.fields.get('x-attempt'))]
      const why = attempt === undefined ? 'nobody asked for it' : leakOf(attempt, head, cast, types)
      if (why === undefined) harmless++
      if (why === undefined || attempt === undefined) continue
      const { person, workload, route, method, path } = attempt
      leaks.push({ user: person.id, workload, route: route.name, method, path, why })
    }
  }
  return {
    routes: guarded.map(({ name }) => name),
    users: cast.people.length,
    objects: cast.things.length,
    requests: attempts.length,
    harmless,
    leaks,
  }
}

function* attemptsOf(routes: readonly RouteConfig[], cast: Cast): Generator<Attempt> {
  for (const route of routes) {
    const claimed = route.tenant?.header ?? 'x-tenant-id'
    for (const person of cast.people) {
      const foreign = cast.things.filter((thing) => whyForeign(person, thing, cast.people) !== undefined)
      // A path without an id is the same for many objects.
      const tried = new Set<string>()
      for (const thing of foreign) {
        const path = pathOf(route, thing)
        if (path === undefined) continue
        const honest = [`${claimed}: ${person.tenant}`]
        const owner = thing.owner ?? ''
        const helping: readonly (readonly string[])[] = [
          [],
          honest,
          [`${claimed}: ${thing.tenant}`],
          [...honest, `${claimed}: ${thing.tenant}`],
          [...honest, `x-authenticated-tenant: ${thing.tenant}`, `x-authenticated-user: ${owner}`],
          [...honest, `x_authenticated_user: ${owner}`, `x-user-id: ${owner}`],
          [...honest, 'x-http-method-override: GET', `x-original-url: ${path}`, `x-rewrite-url: ${path}`],
        ]
        const isNew = (fields: readonly string[]): boolean => {
          const before = tried.size
          return tried.add(JSON.stringify([path, fields])).size > before
        }
        const fresh = helping.filter(isNew)
        if (fresh.length === 0) continue
        for (const workload of [undefined, ...cast.workloads]) {
          const base = { person, workload, route }
          for (const method of METHODS) for (const fields of fresh) yield { ...base, method, path, fields }
          for (const spelling of SPELLINGS) {
            const spelt = spelling(path)
            if (spelt !== path) yield { ...base, method: 'GET', path: spelt, fields: honest }
          }
        }
      }
    }
  }
}

/** The path of a route for an object: its id in every parameter. Undefined when the route is about objects of another type. */
function pathOf({ match, authorize }: RouteConfig, thing: Thing): string | undefined {
  const { id: named = '', type } = authorize?.resource ?? {}
  if (named.startsWith('{') && type !== thing.type) return undefined
  const pieces = match.path.segments.map((segment) =>
    segment.kind === 'literal' ? segment.value : encodeURIComponent(thing.id),
  )
  return `/${[...pieces, ...(match.path.isPrefix ? [encodeURIComponent(thing.id)] : [])].join('/')}`
}

function bytesOf(
  { person, workload, method, path, fields, route }: Attempt,
  index: number,
  sim: SimGateway,
  config: GatewayConfig,
  tokens: Map<string, string>,
): string {
  const { authorization } = config
  if (authorization.mode === 'off') return ''
  const { audience = config.name, workloadHeader } = authorization.identity
  const token = (kind: 'user' | 'workload', subject: string): string => {
    const key = `${kind} ${subject} ${person.tenant}`
    const claims = { kind, subject, tenant: person.tenant, audience, validForMs: 3_600_000 }
    const made = tokens.get(key) ?? sim.issuer.sign(claims, sim.nowMs)
    tokens.set(key, made)
    return made
  }
  return [
    `${method} ${path} HTTP/1.1`,
    `host: ${route.match.hosts[0] ?? HOST}`,
    'connection: close',
    'content-length: 0',
    `x-attempt: ${index}`,
    `authorization: Bearer ${token('user', person.id)}`,
    ...(workload === undefined ? [] : [`${workloadHeader}: Bearer ${token('workload', workload)}`]),
    ...fields,
    '',
    '',
  ].join('\r\n')
}

/** Why what arrived should not have; undefined when it holds nothing of others. */
function leakOf(
  { person, route }: Attempt,
  { path, fields }: RequestHead,
  cast: Cast,
  { tenantType }: Types,
): string | undefined {
  const { id = '', type } = route.authorize?.resource ?? {}
  const user = fields.get('x-authenticated-user')
  if (user !== person.id) return `it says that ${user ?? 'nobody'} asks`
  const claimed = [fields.get('x-authenticated-tenant'), fields.get(route.tenant?.header ?? 'x-tenant-id')]
  const wrong = claimed.find((tenant) => tenant !== undefined && tenant !== person.tenant)
  if (wrong !== undefined) return `it says that it is for the tenant ${wrong}`
  // Of a tenant or user as a whole the gateway has handed on who asks; which of their objects, the service looks up among those.
  if (!id.startsWith('{')) return undefined
  const last = decodeURIComponent(path.replace(/\/+$/, '')).toLowerCase()
  const thing = cast.things.find((one) => one.type === type && last.split('/').includes(one.id.toLowerCase()))
  const why = thing === undefined ? undefined : whyForeign(person, thing, cast.people)
  return why === undefined ? undefined : `${why}${type === tenantType ? ' as a whole' : ''}`
}
