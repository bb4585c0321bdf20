import { isBreakwaterError } from '@breakwater/core'
import type { BreakwaterError } from '@breakwater/core'
import { errors } from './errors.ts'

/** RFC 9457 problem details. What nobody foresaw tells nothing of the inside. */
export function problemResponse(error: unknown, traceId: string): Response {
  const known: BreakwaterError = isBreakwaterError(error)
    ? error
    : errors.BW_CONTROL_INTERNAL('the admin API failed unexpectedly')
  const { code, message, details, spec } = known
  const { status, fault, fix } = spec
  const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
  const { allow } = details
  if (typeof allow === 'string') headers.set('allow', allow)
  if (status === 401) headers.set('www-authenticate', 'Bearer')
  return new Response(
    JSON.stringify({ type: 'about:blank', title: message, status, code, fault, fix, traceId, ...details }),
    { status, headers },
  )
}
