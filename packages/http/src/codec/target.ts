import { errors } from '../errors.ts'
import { isAuthority } from './authority.ts'
import { quoted } from './field-section.ts'
import type { ResolvedLimits } from './limits.ts'
import { HEX } from './tables.ts'

/** The parts of a request target. */
export interface TargetParts {
  readonly path: string
  readonly query: string | undefined
  readonly scheme: string | undefined
  readonly authority: string | undefined
}

const ASTERISK: TargetParts = { path: '*', query: undefined, scheme: undefined, authority: undefined }

/**
 * Every form but the common one (`/path?query`), RFC 9112 §3.2.
 *
 * @throws `BW_HTTP_TARGET_INVALID`.
 */
export function unusualTarget(method: string, target: string): TargetParts {
  if (target === '*' && method === 'OPTIONS') return ASTERISK
  const match = /^(https?):\/\/([^/?]*)([^?]*)(?:\?(.*))?$/i.exec(target)
  if (match === null) {
    throw errors.BW_HTTP_TARGET_INVALID(
      `the target is not in origin, absolute or asterisk form: ${quoted(target)}`,
    )
  }
  const [, scheme = '', authority = '', path = '', query] = match
  if (!isAuthority(authority))
    throw errors.BW_HTTP_TARGET_INVALID(`the authority of the target is not valid: ${quoted(authority)}`)
  // RFC 9112 §3.2.4: OPTIONS on an absolute target without a path means the server as a whole.
  const empty = method === 'OPTIONS' && query === undefined ? '*' : '/'
  return { path: path === '' ? empty : path, query, scheme: scheme.toLowerCase(), authority }
}

/**
 * Refuses paths that two parsers may read as two paths. Called only for paths that hold `%`, `\`, `/.` or `//`.
 *
 * @throws `BW_HTTP_TARGET_AMBIGUOUS`.
 */
export function checkPath(path: string, limits: ResolvedLimits): void {
  if (limits.refuseBackslash && path.includes('\\')) throw ambiguous('a backslash', path)
  if (limits.refuseEmptySegments && path.includes('//')) throw ambiguous('an empty segment', path)
  let dots = path.includes('/.')
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', at + 1)) {
    const high = hexAt(path, at + 1)
    const low = hexAt(path, at + 2)
    const code = high > 15 || low > 15 ? -1 : high * 16 + low
    if (limits.refuseBadPercent && (code < 0x20 || code === 0x7f))
      throw ambiguous('a broken percent code', path)
    if (limits.refuseEncodedSlash && (code === 0x2f || code === 0x5c))
      throw ambiguous('an encoded slash', path)
    if (code === 0x2e) dots = true
  }
  if (dots && limits.refuseDotSegments && hasDotSegment(path)) throw ambiguous('a dot segment', path)
}

function hexAt(text: string, at: number): number {
  // Past the end charCodeAt is NaN, and NaN | 0 is byte 0: no hex digit.
  return HEX[(text.charCodeAt(at) | 0) & 0xff] as number
}

function hasDotSegment(path: string): boolean {
  for (const segment of path.split(/[/\\]|%2f|%5c/i)) {
    // Some servers cut parameters off before they resolve: `..;x` is `..` to them.
    const plain = (segment.split(';', 1)[0] ?? '').replaceAll(/%2e/gi, '.')
    if (plain === '.' || plain === '..') return true
  }
  return false
}

function ambiguous(what: string, path: string): Error {
  return errors.BW_HTTP_TARGET_AMBIGUOUS(`the path holds ${what}: ${quoted(path)}`)
}
