import type { FieldList } from '@breakwater/http'
import { fitsTemplate, parseTemplate } from './path.ts'

/** Which requests a route answers. Everything that is left out matches anything. */
export interface RouteMatch {
  /** `shop.example`, or `*.example` for every name one label or more below. Lower case, without port. */
  readonly host?: string | undefined
  readonly path: PathMatch
  /** Upper case. */
  readonly methods?: readonly string[] | undefined
  /** Every named field must be there with exactly this value. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Prefixes match whole segments: `/orders` answers `/orders` and `/orders/7`, not `/ordersx`. */
export interface PathMatch {
  readonly kind: 'exact' | 'prefix' | 'template'
  readonly value: string
}

/** A compiled path test. */
export type PathTest = (path: string) => boolean

export function compilePath({ kind, value }: PathMatch): PathTest {
  if (kind === 'exact') return (path) => path === value
  if (kind === 'template') {
    const segments = parseTemplate(value)
    return (path) => fitsTemplate(segments, path)
  }
  const stem = value.endsWith('/') ? value.slice(0, -1) : value
  if (stem === '') return () => true
  return (path) =>
    path.startsWith(stem) && (path.length === stem.length || path.charCodeAt(stem.length) === 0x2f)
}

export function fitsHeaders(wanted: readonly (readonly [string, string])[], fields: FieldList): boolean {
  for (const [name, value] of wanted) if (fields.get(name) !== value) return false
  return true
}

/**
 * How specific a match is; larger wins, compared from the first number on: host (exact, then the longest wildcard),
 * path (exact, then template by literal text, then the longest prefix), method named, headers named.
 */
export function specificityOf({ host, path, methods, headers }: RouteMatch): readonly number[] {
  const hostRank = host === undefined ? 0 : host.startsWith('*.') ? host.length : 10_000
  return [hostRank, ...pathRank(path), methods === undefined ? 0 : 1, Object.keys(headers ?? {}).length]
}

function pathRank({ kind, value }: PathMatch): readonly [kind: number, length: number] {
  if (kind === 'exact') return [2, value.length]
  if (kind === 'prefix') return [0, value.length]
  const literals = parseTemplate(value).map((segment) =>
    segment.kind === 'literal' ? segment.text.length + 1 : 1,
  )
  return [1, literals.reduce((sum, length) => sum + length, 0)]
}

export function compareSpecificity(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < a.length; index++) {
    const difference = (b[index] ?? 0) - (a[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
