import type { FieldList, RequestHead } from '@breakwater/http'
import { requestIdFrom, startTrace, traceparentOf } from '@breakwater/telemetry'
import type { TraceContext } from '@breakwater/telemetry'

/** The names by which a request is found again: in logs, in the answer, at the upstream. */
export class Identity {
  readonly requestId: string
  readonly trace: TraceContext | undefined

  constructor(request: RequestHead, traces: { readonly isOn: boolean; readonly isSampled: boolean }) {
    const given = request.fields.get('x-request-id')
    this.trace = traces.isOn ? traceOf(request.fields, traces.isSampled) : undefined
    // A trace that begins here has one request: one id names both.
    const own = given === undefined && this.trace?.parentId === undefined ? this.trace?.traceId : undefined
    this.requestId = own ?? requestIdFrom(given)
  }

  /** What problem documents and logs carry. Without traces the request's id serves. */
  get traceId(): string {
    return this.trace?.traceId ?? this.requestId
  }

  /** Tells the next hop, in place of `identityFields`. Ids are hex digits or were checked when they came in. */
  get lines(): string {
    const { requestId, trace } = this
    if (trace === undefined) return `\r\nx-request-id: ${requestId}`
    const lines = '\r\nx-request-id: ' + requestId + '\r\ntraceparent: ' + traceparentOf(trace)
    return trace.tracestate === undefined ? lines : `${lines}\r\ntracestate: ${trace.tracestate}`
  }
}

/** Fields of a request that do not go on, because the next hop is told by `lines`. */
export function identityFields(traces: { readonly mode: string }): readonly string[] {
  return traces.mode === 'off' ? ['x-request-id'] : ['x-request-id', 'traceparent', 'tracestate']
}

/** More than one `traceparent` is as good as none (W3C Trace Context §3.2). */
function traceOf(fields: FieldList, isSampled: boolean): TraceContext {
  if (!fields.has('traceparent')) return startTrace({ sampled: isSampled })
  const parents = fields.getAll('traceparent')
  const states = fields.getAll('tracestate')
  return startTrace({
    traceparent: parents.length === 1 ? parents[0] : undefined,
    tracestate: states.length === 0 ? undefined : states.join(','),
    sampled: isSampled,
  })
}
