/** A piece of a path between two slashes: fixed text, or any one non-empty piece that gets a name. */
export type PathSegment =
  | { readonly kind: 'literal'; readonly value: string }
  | { readonly kind: 'parameter'; readonly name: string }

/**
 * Which paths a route answers. `/orders` is exact; `/orders/*` is a prefix and answers `/orders` as well as all below
 * it; `/orders/{id}` is a template; `/orders/{id}/*` is a template and a prefix.
 */
export interface PathPattern {
  readonly kind: 'exact' | 'prefix' | 'template'
  /** As written in the configuration. */
  readonly text: string
  /** The pieces without the closing `*`. `/` has one literal piece, the empty one; `/*` has none. */
  readonly segments: readonly PathSegment[]
  /** Whether paths below the pattern match too. */
  readonly isPrefix: boolean
}

/** Reads a pattern; `failure` says what is wrong with it, for people. */
export function parsePathPattern(
  text: string,
): { readonly pattern: PathPattern } | { readonly failure: string } {
  if (!text.startsWith('/')) return { failure: 'a path starts with /' }
  if (/[?#\s\\]/.test(text)) return { failure: 'a path holds no query, fragment, space or backslash' }
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return { failure: 'a % is followed by two hexadecimal digits' }
  const isPrefix = text.endsWith('/*')
  const base = isPrefix ? text.slice(0, -2) : text
  const segments: PathSegment[] = []
  for (const piece of base === '' ? [] : base.slice(1).split('/')) {
    if (/^(\.|%2e){1,2}$/i.test(piece)) return { failure: `a path holds no ${piece}` }
    const name = /^\{([A-Za-z][A-Za-z0-9_]*)\}$/.exec(piece)?.[1]
    if (name !== undefined) {
      if (segments.some((segment) => segment.kind === 'parameter' && segment.name === name)) {
        return { failure: `the parameter {${name}} is named twice` }
      }
      segments.push({ kind: 'parameter', name })
    } else if (/[{}*]/.test(piece)) {
      return { failure: `"${piece}" is neither text, nor {name}, nor a closing /*` }
    } else {
      segments.push({ kind: 'literal', value: canonical(piece) })
    }
  }
  const isTemplate = segments.some((segment) => segment.kind === 'parameter')
  return {
    pattern: { kind: isTemplate ? 'template' : isPrefix ? 'prefix' : 'exact', text, segments, isPrefix },
  }
}

/**
 * Negative when `a` is more specific. Segment by segment from the left a literal beats a parameter; then the longer
 * pattern wins; then the exact one beats the prefix. 0: both patterns answer the same paths.
 */
export function comparePathPatterns(a: PathPattern, b: PathPattern): number {
  const shared = Math.min(a.segments.length, b.segments.length)
  for (let index = 0; index < shared; index += 1) {
    const left = a.segments[index]
    const right = b.segments[index]
    if (left?.kind !== right?.kind) return left?.kind === 'literal' ? -1 : 1
  }
  if (a.segments.length !== b.segments.length) return b.segments.length - a.segments.length
  if (a.isPrefix !== b.isPrefix) return a.isPrefix ? 1 : -1
  return 0
}

/** RFC 3986 §6.2.2: unreserved characters stand for themselves, escapes are in capitals. */
function canonical(piece: string): string {
  return piece.replaceAll(/%([0-9A-Fa-f]{2})/g, (escape, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16))
    return /[A-Za-z0-9\-._~]/.test(character) ? character : escape.toUpperCase()
  })
}
