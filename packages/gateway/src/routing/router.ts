import type { FieldList } from '@breakwater/http'
import { comparePathPatterns } from '@breakwater/contract'
import type { HeaderCondition, PathPattern } from '@breakwater/contract'
import { compilePath } from './path.ts'
import type { PathTest } from './path.ts'

/** Which requests a route answers. An empty list matches anything. */
export interface RouteMatch {
  readonly path: PathPattern
  /** `shop.example`, or `*.example` for every name below it. Lower case, without port. */
  readonly hosts: readonly string[]
  readonly methods: readonly string[]
  readonly headers: readonly HeaderCondition[]
}

interface Candidate<Plan> {
  readonly host: string | undefined
  readonly suffix: string | undefined
  readonly match: RouteMatch
  readonly testPath: PathTest
  readonly methods: ReadonlySet<string> | undefined
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
 * Finds the plan for a request: the most specific route that fits, by host (exact, then the longest wildcard), path,
 * method named, number of fields named. Candidates are bucketed by the first path segment and sorted once, so a
 * request meets only the routes that can fit, best first. Immutable: a reload builds a new one.
 */
export class Router<Plan> {
  readonly #bySegment = new Map<string, readonly Candidate<Plan>[]>()
  readonly #anySegment: readonly Candidate<Plan>[]

  constructor(routes: readonly { readonly match: RouteMatch; readonly plan: Plan }[]) {
    const candidates = routes
      .flatMap(({ match, plan }) => candidatesOf(match, plan))
      .toSorted(compareCandidates)
    for (const { segment } of candidates) {
      if (segment === undefined || this.#bySegment.has(segment)) continue
      const fits = candidates.filter((other) => other.segment === segment || other.segment === undefined)
      this.#bySegment.set(segment, fits)
    }
    this.#anySegment = candidates.filter((candidate) => candidate.segment === undefined)
  }

  /**
   * `path` in its canonical spelling; `authority` as the client sent it. TRACE shows a client the fields that were added on
   * the way (RFC 9110 §9.3.8): only a route that names it answers it.
   */
  route(method: string, path: string, authority: string, fields: FieldList): Routed<Plan> {
    const candidates = this.#candidates(path)
    let refused: Set<string> | undefined
    for (const candidate of candidates) {
      if (candidate.host !== undefined && !fitsHost(candidate, authority)) continue
      if (!candidate.testPath(path) || !fitsHeaders(candidate.match.headers, fields)) continue
      if (candidate.methods === undefined ? method !== 'TRACE' : candidate.methods.has(method))
        return candidate.found
      refused ??= new Set()
      for (const allowed of candidate.methods ?? []) refused.add(allowed)
    }
    return refused === undefined ? NONE : { kind: 'method', allow: [...refused].join(', ') }
  }

  #candidates(path: string): readonly Candidate<Plan>[] {
    if (this.#bySegment.size === 0) return this.#anySegment
    const slash = path.indexOf('/', 1)
    const segment = slash < 0 ? path.slice(1) : path.slice(1, slash)
    return this.#bySegment.get(segment) ?? this.#anySegment
  }
}

function candidatesOf<Plan>(match: RouteMatch, plan: Plan): Candidate<Plan>[] {
  const hosts = match.hosts.length === 0 ? [undefined] : match.hosts
  return hosts.map((host) => ({
    host,
    suffix: host?.startsWith('*.') === true ? host.slice(1) : undefined,
    match,
    testPath: compilePath(match.path),
    methods: match.methods.length === 0 ? undefined : new Set(match.methods),
    segment: firstSegmentOf(match.path),
    found: { kind: 'found', plan },
  }))
}

function firstSegmentOf({ segments: [first] }: PathPattern): string | undefined {
  return first?.kind === 'literal' ? first.value : undefined
}

function compareCandidates(a: Candidate<unknown>, b: Candidate<unknown>): number {
  return (
    hostRank(b.host) - hostRank(a.host) ||
    comparePathPatterns(a.match.path, b.match.path) ||
    Number(b.methods !== undefined) - Number(a.methods !== undefined) ||
    b.match.headers.length - a.match.headers.length
  )
}

/** Exact hosts before wildcards, longer wildcards before shorter ones, any host last. */
function hostRank(host: string | undefined): number {
  if (host === undefined) return 0
  return host.startsWith('*.') ? host.length : Number.MAX_SAFE_INTEGER
}

function fitsHost(
  candidate: { host: string | undefined; suffix: string | undefined },
  authority: string,
): boolean {
  const host = hostOf(authority)
  return candidate.suffix === undefined ? host === candidate.host : host.endsWith(candidate.suffix)
}

function fitsHeaders(conditions: readonly HeaderCondition[], fields: FieldList): boolean {
  for (const { name, value } of conditions) {
    const actual = fields.get(name)
    if (actual === undefined || (value !== undefined && value !== actual)) return false
  }
  return true
}

/** The name in an authority, lower case, without port; IPv6 literals keep their brackets; a final dot is dropped. */
export function hostOf(authority: string): string {
  const end = authority.startsWith('[') ? authority.indexOf(']') + 1 : authority.indexOf(':')
  const name = (end <= 0 ? authority : authority.slice(0, end)).toLowerCase()
  return name.endsWith('.') ? name.slice(0, -1) : name
}
