import type { RequestHead } from '@breakwater/http'
import type { Caller } from '../authorization/caller.ts'
import type { StoredAnswer } from './capture.ts'

/** What says who may share an answer. */
interface ScopedRequest {
  readonly tenantName: string
  readonly caller: Caller | undefined
}

/**
 * The key under which an answer may be shared: everything that it may depend on. Tenant and the named fields are part of
 * it, so that nobody gets what was made for somebody else.
 */
export function sharedKey(
  request: RequestHead,
  path: string,
  scope: string,
  varyBy: readonly string[],
): string {
  const { authority, query = '', fields } = request
  return JSON.stringify([authority, path, query, scope, ...varyBy.map((name) => fields.getAll(name))])
}

/** Makes the answer depend on more than the key tells (RFC 9110 §13.1, §14.2). */
const CONDITIONS = [
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
]

/** Only reads without a body are shared, and none that asks for a part, has a condition or leaves HTTP. */
export function isShareable({ method, body, fields, upgrade }: RequestHead): boolean {
  if (method !== 'GET' || body !== 'none' || upgrade !== undefined) return false
  return !CONDITIONS.some((name) => fields.has(name))
}

/**
 * Whether an answer may be given to another caller with the same key: it is not private or personal (RFC 9111 §5.2.2),
 * and what it says it depends on (`Vary`) is part of the key.
 */
export function isPublic({ fields }: StoredAnswer, keyFields: ReadonlySet<string>): boolean {
  for (let at = 0; at < fields.length; at += 2) {
    const value = fields[at + 1] ?? ''
    switch (fields[at] ?? '') {
      case 'set-cookie':
        return false
      case 'cache-control':
        if (/\b(?:no-store|private)\b/i.test(value)) return false
        break
      case 'vary':
        if (!value.split(',').every((name) => keyFields.has(name.trim().toLowerCase()))) return false
        break
      default:
    }
  }
  return true
}

/** Whether a public answer may be served when it is old and its upstream cannot be asked (RFC 9111 §4.2.4). */
export function mayBeServedStale({ status, fields }: StoredAnswer): boolean {
  if (status !== 200) return false
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] !== 'cache-control') continue
    if (/\b(?:no-cache|must-revalidate|proxy-revalidate)\b/i.test(fields[at + 1] ?? '')) return false
  }
  return true
}

/**
 * Within which answers and keys may be shared: one tenant and, once somebody is known, one caller. Whatever a field names as
 * the tenant, it never equals the scope of somebody who is known.
 */
export function shareScopeOf({ tenantName, caller }: ScopedRequest): string {
  if (caller === undefined) return JSON.stringify([tenantName])
  return JSON.stringify([tenantName, caller.tenant, caller.user, caller.workload])
}

/** Within which answers may be shared: the same, and what the upstream has to withhold from them, which may change for one caller. */
export function answerScopeOf(
  exchange: ScopedRequest & { readonly obligations: string | undefined },
): string {
  const { obligations } = exchange
  const scope = shareScopeOf(exchange)
  return obligations === undefined ? scope : `${scope} ${obligations}`
}
