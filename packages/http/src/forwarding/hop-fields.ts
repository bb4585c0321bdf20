import type { FieldList } from '../fields.ts'

/** Meant for one connection only (RFC 9110 §7.6.1), and what old clients invented for the same end. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * What `Connection` may not take away, whoever names it: framing, routing, identity. A client could otherwise make us strip
 * what the next hop relies on (`Connection: close, X-Forwarded-For`).
 */
const PROTECTED: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'forwarded',
  'host',
  'set-cookie',
  'traceparent',
  'tracestate',
  'via',
  'x-request-deadline-ms',
])

/** Whether a field describes who called before us: believed from trusted proxies only. */
export function isForwardedField(name: string): boolean {
  const first = name.charCodeAt(0)
  // `f` or `x`: keeps the common names away from the comparisons.
  if (first !== 0x66 && first !== 0x78) return false
  return (
    name === 'forwarded' ||
    name === 'x-real-ip' ||
    name.startsWith('x-forwarded') ||
    name.startsWith('x_forwarded')
  )
}

/** The field names that `Connection` nominates and that may be removed; undefined when there are none. */
export function nominated(fields: FieldList): ReadonlySet<string> | undefined {
  const value = fields.get('connection')
  if (value === undefined || value === 'close' || value === 'keep-alive') return undefined
  const names = new Set<string>()
  for (const line of fields.getAll('connection')) {
    for (const option of line.split(',')) {
      const name = option.trim().toLowerCase()
      if (name !== '' && !PROTECTED.has(name) && !isForwardedField(name)) names.add(name)
    }
  }
  return names
}

/** Whether a field stays behind at this hop. */
export function staysBehind(name: string, nominatedNames: ReadonlySet<string> | undefined): boolean {
  return HOP_BY_HOP.has(name) || (nominatedNames !== undefined && nominatedNames.has(name))
}
