import type { RequestHead } from '@breakwater/http'

/**
 * The key under which an answer may be shared: everything that it may depend on. Tenant and the named fields are part of
 * it, so that nobody gets what was made for somebody else.
 */
export function sharedKey(
  request: RequestHead,
  path: string,
  tenant: string,
  varyBy: readonly string[],
): string {
  const { authority, query = '', fields } = request
  return JSON.stringify([authority, path, query, tenant, ...varyBy.map((name) => fields.getAll(name))])
}

/** Only reads without a body are shared, and none that asks for a part or has a condition. */
export function isShareable({ method, body, fields }: RequestHead): boolean {
  return method === 'GET' && body === 'none' && !fields.has('range') && !fields.has('if-range')
}

/** What the answer itself allows: a private or personal one is never given to another caller (RFC 9111 §5.2.2). */
export function mayStore(status: number, cacheControl: string | undefined, setsCookie: boolean): boolean {
  if (status !== 200 || setsCookie) return false
  return cacheControl === undefined || !/\b(?:no-store|private)\b/i.test(cacheControl)
}
