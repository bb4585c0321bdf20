import type { FieldList, RequestHead } from '@breakwater/http'
import type { PathPattern, PathSegment, RouteConfig } from '@breakwater/contract'
import { withoutDotSegments } from '../routing/path.ts'
import { Router } from '../routing/router.ts'

const SLASH = 0x2f
const PERCENT = 0x25
const SEMICOLON = 0x3b
const BACKSLASH = 0x5c

/**
 * Whether some server behind may read the path as another one: capitals, `%`, `;`, `\\`, `//`, `/.` or a slash at the end. Most
 * paths have none of them.
 */
export function isSuspicious(path: string): boolean {
  const last = path.length - 1
  for (let at = 0; at <= last; at++) {
    const code = path.charCodeAt(at)
    if (code === SLASH) {
      if (at > 0 && (at === last || path.charCodeAt(at - 1) === SLASH)) return true
      if (path.charCodeAt(at + 1) === 0x2e) return true
    } else if (code === PERCENT || code === SEMICOLON || code === BACKSLASH) return true
    else if (code >= 0x41 && code <= 0x5a) return true
  }
  return false
}

/**
 * Finds requests whose path a lenient server behind would take for that of another route: `/Admin`, `/admin/`, `//admin`,
 * `/admin;x`, `/a%2fdmin`. A rule for `/admin` is worth nothing when its other spellings fall to a route for everybody.
 */
export class Spelling {
  readonly #router: Router<RouteConfig>

  constructor(routes: readonly RouteConfig[]) {
    this.#router = new Router(
      routes.map((plan) => ({
        match: { ...plan.match, path: foldPattern(plan.match.path) },
        plan,
      })),
    )
  }

  /** The other route that may be meant, or undefined. */
  rival(request: RequestHead, path: string, route: RouteConfig): RouteConfig | undefined {
    if (!isSuspicious(path)) return undefined
    const { method, authority, fields } = request
    return this.#other(method, foldPath(path), authority, fields, route)
  }

  #other(
    method: string,
    path: string,
    authority: string,
    fields: FieldList,
    route: RouteConfig,
  ): RouteConfig | undefined {
    const routed = this.#router.route(method, path, authority, fields)
    return routed.kind === 'found' && routed.plan !== route ? routed.plan : undefined
  }
}

/** As the most lenient server would read it. */
export function foldPath(path: string): string {
  let text = path
  for (let round = 0; round < 3 && text.includes('%'); round++) {
    text = text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    )
  }
  const pieces = withoutDotSegments(text.toLowerCase().replaceAll('\\', '/').replaceAll(/\/+/g, '/'))
    .split('/')
    .map((piece) => piece.split(';', 1)[0] ?? '')
    .filter((piece) => piece !== '')
  return `/${pieces.join('/')}`
}

function foldPattern(pattern: PathPattern): PathPattern {
  const segments = pattern.segments.flatMap((segment, index): PathSegment[] => {
    if (segment.kind === 'parameter') return [segment]
    if (segment.value === '') return index === 0 && pattern.segments.length === 1 ? [segment] : []
    return [{ kind: 'literal', value: segment.value.toLowerCase() }]
  })
  return { ...pattern, segments }
}
