/**
 * The header of W3C Trace Context (Recommendation, §3.2):
 *
 *     version "-" trace-id (32 hex) "-" parent-id (16 hex) "-" trace-flags (2 hex)
 *
 * Lower-case hex only; version ff and ids of all zeros are invalid.
 */
export interface Traceparent {
  readonly traceId: string
  readonly parentId: string
  /** Bit 0 of the flags: the caller may have recorded this trace. */
  readonly sampled: boolean
}

const LENGTH_00 = 55
const DASH = 0x2d

/**
 * Reads a `traceparent` value, `undefined` when the specification calls it invalid. Version 00 has exactly 55
 * characters; a later version may go on after a dash (§3.2.4), and only what version 00 knows is read from it.
 */
export function parseTraceparent(value: string): Traceparent | undefined {
  if (value.length < LENGTH_00) return undefined
  if (value.charCodeAt(2) !== DASH || value.charCodeAt(35) !== DASH || value.charCodeAt(52) !== DASH)
    return undefined
  if (!isHex(value, 0, 2) || !isHex(value, 3, 35) || !isHex(value, 36, 52) || !isHex(value, 53, 55))
    return undefined
  if (value.startsWith('ff')) return undefined
  if (value.length > LENGTH_00 && (value.startsWith('00') || value.charCodeAt(LENGTH_00) !== DASH))
    return undefined
  if (isZero(value, 3, 35) || isZero(value, 36, 52)) return undefined
  return {
    traceId: value.slice(3, 35),
    parentId: value.slice(36, 52),
    sampled: (hexDigit(value.charCodeAt(54)) & 1) === 1,
  }
}

/** Writes version 00. The ids must be ones that `parseTraceparent` or `startTrace` gave. */
export function formatTraceparent(traceId: string, parentId: string, sampled: boolean): string {
  return '00-' + traceId + '-' + parentId + (sampled ? '-01' : '-00')
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1
}

function isHex(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (hexDigit(text.charCodeAt(at)) < 0) return false
  return true
}

function isZero(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (text.charCodeAt(at) !== 0x30) return false
  return true
}
