import type { PathPattern, PathSegment } from '@breakwater/contract'

const ESCAPE = /%([0-9A-Fa-f]{2})/g
const UNRESERVED = /[A-Za-z0-9\-._~]/

/**
 * The one spelling of a path that routing, policy and the upstream all see: percent-encoded unreserved characters are
 * decoded and the other escapes written in upper case (RFC 3986 §6.2.2). A path that means the same after that compares
 * equal, so no spelling slips past a rule. Paths without `%`, nearly all, come back untouched.
 */
export function canonicalPath(path: string): string {
  if (!path.includes('%')) return path
  return path.replace(ESCAPE, (escape, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16))
    return UNRESERVED.test(character) ? character : escape.toUpperCase()
  })
}

/** A compiled path test. Reads the path in place: no array, no copies. */
export type PathTest = (path: string) => boolean

/** Prefixes match whole segments: `/orders/*` answers `/orders` and `/orders/7`, not `/ordersx`. */
export function compilePath({ kind, segments, isPrefix }: PathPattern): PathTest {
  if (kind === 'template') return (path) => fitsTemplate(segments, isPrefix, path)
  const stem = segments.map((segment) => `/${segment.kind === 'literal' ? segment.value : ''}`).join('')
  if (!isPrefix) return (path) => path === stem
  if (stem === '') return () => true
  return (path) =>
    path.startsWith(stem) && (path.length === stem.length || path.charCodeAt(stem.length) === 0x2f)
}

function fitsTemplate(segments: readonly PathSegment[], isPrefix: boolean, path: string): boolean {
  let start = 1
  for (let index = 0; index < segments.length; index++) {
    if (start > path.length) return false
    const segment = segments[index] as PathSegment
    const slash = path.indexOf('/', start)
    const end = slash < 0 ? path.length : slash
    if (segment.kind === 'parameter') {
      if (end === start) return false
    } else if (end - start !== segment.value.length || !path.startsWith(segment.value, start)) return false
    start = end + 1
  }
  return isPrefix || start === path.length + 1
}

/** The values that a template's parameters take in a path that fits it, still percent-encoded. */
export function parametersOf({ segments }: PathPattern, path: string): ReadonlyMap<string, string> {
  const parts = path.slice(1).split('/')
  return new Map(
    segments.flatMap((segment, index) =>
      segment.kind === 'parameter' ? [[segment.name, parts[index] ?? ''] as const] : [],
    ),
  )
}

/** Removes `.` and `..` segments of a canonical path (RFC 3986 §5.2.4). Never climbs above the root. */
export function withoutDotSegments(path: string): string {
  if (!path.includes('/.')) return path
  const kept: string[] = []
  const segments = path.slice(1).split('/')
  for (const [index, segment] of segments.entries()) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
    if ((segment === '.' || segment === '..') && index === segments.length - 1) kept.push('')
  }
  return `/${kept.join('/')}`
}
