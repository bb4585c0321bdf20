import { comparePathPatterns } from './path-pattern.ts'
import type { RouteConfig } from './schema/schema.ts'

type Match = RouteConfig['match']

/**
 * Negative when `a` is more specific than `b`: by host (exact, longer wildcard, any), then path, then a named method,
 * then the number of fields that are asked for.
 */
export function compareRoutes(a: { readonly match: Match }, b: { readonly match: Match }): number {
  return (
    hostRank(b.match) - hostRank(a.match) ||
    comparePathPatterns(a.match.path, b.match.path) ||
    Number(b.match.methods.length > 0) - Number(a.match.methods.length > 0) ||
    b.match.headers.length - a.match.headers.length
  )
}

function hostRank({ hosts }: Match): number {
  return Math.max(0, ...hosts.map((host) => (host.startsWith('*') ? host.length : 1000 + host.length)))
}

/** Whether a request exists that both routes answer and neither answers better. */
export function isConflict(a: { readonly match: Match }, b: { readonly match: Match }): boolean {
  const [left, right] = [a.match, b.match]
  return (
    sharesHost(left, right) &&
    samePaths(left, right) &&
    sharesMethod(left, right) &&
    left.headers.length === right.headers.length &&
    !left.headers.some((condition) =>
      right.headers.some(
        (other) =>
          other.name === condition.name &&
          other.value !== condition.value &&
          other.value !== undefined &&
          condition.value !== undefined,
      ),
    )
  )
}

function sharesHost(a: Match, b: Match): boolean {
  if (a.hosts.length === 0 || b.hosts.length === 0) return a.hosts.length === b.hosts.length
  return a.hosts.some((host) => b.hosts.includes(host))
}

function samePaths(a: Match, b: Match): boolean {
  if (comparePathPatterns(a.path, b.path) !== 0) return false
  return a.path.segments.every((segment, index) => {
    const other = b.path.segments[index]
    return segment.kind === 'parameter' || (other?.kind === 'literal' && other.value === segment.value)
  })
}

function sharesMethod(a: Match, b: Match): boolean {
  if (a.methods.length === 0 || b.methods.length === 0) return a.methods.length === b.methods.length
  return a.methods.some((method) => b.methods.includes(method))
}
