import { FieldList } from '@breakwater/http'
import type { Refusal } from './refusal.ts'

/** The body of an answer that the gateway gives by itself: RFC 9457, with `code`, `fault`, `fix` and `traceId`. */
export function problemBody(refusal: Refusal, traceId: string): string {
  const { code, spec, detail } = refusal
  return JSON.stringify({
    type: `urn:breakwater:error:${code}`,
    title: spec.fix,
    status: spec.status,
    detail,
    code,
    fault: spec.fault,
    traceId,
  })
}

/** The fields of such an answer. */
export function problemFields(refusal: Refusal): FieldList {
  const fields = new FieldList()
  fields.append('content-type', 'application/problem+json')
  fields.append('cache-control', 'no-store')
  fields.append('breakwater-fault', refusal.spec.fault)
  if (refusal.retryAfterMs !== undefined && Number.isFinite(refusal.retryAfterMs)) {
    fields.append('retry-after', String(Math.max(1, Math.ceil(refusal.retryAfterMs / 1000))))
  }
  if (refusal.allow !== undefined) fields.append('allow', refusal.allow)
  return fields
}
