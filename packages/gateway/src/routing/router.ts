import type { FieldList } from '@breakwater/http'
import { compareSpecificity, compilePath, fitsHeaders, specificityOf } from './match.ts'
import type { PathTest, RouteMatch } from './match.ts'

interface Candidate<Plan> {
  readonly host: string | undefined
  readonly suffix: string | undefined
  readonly testPath: PathTest
  readonly methods: ReadonlySet<string> | undefined
  readonly headers: readonly (readonly [string, string])[]
  readonly specificity: readonly number[]
  /** The first path segment when every path that fits begins with it. */
  readonly segment: string | undefined
  readonly found: { readonly kind: 'found'; readonly plan: Plan }
}

/** What routing found: the plan, or why there is none. */
export type Routed<Plan> =
  | { readonly kind: 'found'; readonly plan: Plan }
  | { readonly kind: 'method'; readonly allow: string }
  | { readonly kind: 'none' }

const NONE = { kind: 'none' } as const

/**
 * Finds the plan for a request: the most specific route that fits. Candidates are bucketed by the first path segment
 * and sorted once, so a request meets only the routes that can fit, best first. Immutable: a reload builds a new one.
 */
export class Router<Plan> {
  readonly #bySegment = new Map<string, Candidate<Plan>[]>()
  readonly #anySegment: readonly Candidate<Plan>[]

  constructor(routes: readonly { readonly match: RouteMatch; readonly plan: Plan }[]) {
    const candidates = routes.map(({ match, plan }) => candidateOf(match, plan))
    candidates.sort((a, b) => compareSpecificity(a.specificity, b.specificity))
    for (const segment of new Set(candidates.map((candidate) => candidate.segment))) {
      if (segment === undefined) continue
      const fits = candidates.filter(
        (candidate) => candidate.segment === segment || candidate.segment === undefined,
      )
      this.#bySegment.set(segment, fits)
    }
    this.#anySegment = candidates.filter((candidate) => candidate.segment === undefined)
  }

  /** `path` in its canonical spelling; `authority` as the client sent it. */
  route(method: string, path: string, authority: string, fields: FieldList): Routed<Plan> {
    const slash = path.indexOf('/', 1)
    const segment = slash < 0 ? path.slice(1) : path.slice(1, slash)
    const candidates = this.#bySegment.get(segment) ?? this.#anySegment
    let refused: Candidate<Plan>[] | undefined
    for (const candidate of candidates) {
      if (candidate.host !== undefined && !fitsHost(candidate, authority)) continue
      if (!candidate.testPath(path) || !fitsHeaders(candidate.headers, fields)) continue
      if (candidate.methods === undefined || candidate.methods.has(method)) {
        return candidate.found
      }
      ;(refused ??= []).push(candidate)
    }
    if (refused === undefined) return NONE
    const allow = new Set(refused.flatMap(({ methods }) => [...(methods ?? [])]))
    return { kind: 'method', allow: [...allow].toSorted((a, b) => (a < b ? -1 : 1)).join(', ') }
  }
}

function candidateOf<Plan>(match: RouteMatch, plan: Plan): Candidate<Plan> {
  return {
    host: match.host,
    suffix: match.host?.startsWith('*.') === true ? match.host.slice(1) : undefined,
    testPath: compilePath(match.path),
    methods: match.methods === undefined ? undefined : new Set(match.methods),
    headers: Object.entries(match.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    specificity: specificityOf(match),
    segment: fixedFirstSegment(match),
    found: { kind: 'found', plan },
  }
}

function fixedFirstSegment({ path: { kind, value } }: RouteMatch): string | undefined {
  const [, first = ''] = value.split('/')
  if (kind === 'template') return first.startsWith('{') ? undefined : first
  if (kind === 'exact') return first
  return first === '' ? undefined : first
}

function fitsHost(
  candidate: { host: string | undefined; suffix: string | undefined },
  authority: string,
): boolean {
  const host = hostOf(authority)
  return candidate.suffix === undefined ? host === candidate.host : host.endsWith(candidate.suffix)
}

/** The name in an authority, lower case, without port; IPv6 literals keep their brackets; a final dot is dropped. */
export function hostOf(authority: string): string {
  const end = authority.startsWith('[') ? authority.indexOf(']') + 1 : authority.indexOf(':')
  const name = (end <= 0 ? authority : authority.slice(0, end)).toLowerCase()
  return name.endsWith('.') ? name.slice(0, -1) : name
}
