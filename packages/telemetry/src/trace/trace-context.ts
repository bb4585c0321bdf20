import { randomHex } from '@breakwater/core'
import { formatTraceparent, parseTraceparent } from './traceparent.ts'
import { parseTracestate } from './tracestate.ts'

/** Where one piece of work stands in a distributed trace. Immutable. */
export interface TraceContext {
  readonly traceId: string
  /** The span of the work done here; the next hop sees it as its parent. */
  readonly spanId: string
  /** The caller's span, when the trace was continued. */
  readonly parentId?: string
  readonly sampled: boolean
  /** Vendor state to pass on unchanged, already checked. */
  readonly tracestate?: string
}

export interface TraceDeps {
  /** `bytes` of randomness as lower-case hex. Default `randomHex`. */
  readonly randomHex?: (bytes: number) => string
}

export interface IncomingTrace {
  /** Values of every `traceparent` header that came in. More than one is as good as none. */
  readonly traceparent?: string | undefined
  /** Values of the `tracestate` headers, joined by commas. */
  readonly tracestate?: string | undefined
  /** What the sampled flag of a new trace is. A continued one keeps its caller's. Default `true`. */
  readonly sampled?: boolean
}

/**
 * Continues the caller's trace when its `traceparent` is valid, else starts a new one; an invalid `tracestate` is
 * dropped and the trace goes on (W3C Trace Context §4.2). Pass no headers from callers whose ids are not trusted.
 */
export function startTrace(incoming: IncomingTrace = {}, deps: TraceDeps = {}): TraceContext {
  const hex = deps.randomHex ?? randomHex
  const parent = incoming.traceparent === undefined ? undefined : parseTraceparent(incoming.traceparent)
  if (parent === undefined) {
    return { traceId: nonZero(hex, 16), spanId: nonZero(hex, 8), sampled: incoming.sampled ?? true }
  }
  const tracestate = incoming.tracestate === undefined ? undefined : parseTracestate(incoming.tracestate)
  return {
    traceId: parent.traceId,
    spanId: nonZero(hex, 8),
    parentId: parent.parentId,
    sampled: parent.sampled,
    ...(tracestate === undefined ? undefined : { tracestate }),
  }
}

/** The same trace with a span of its own, as each try of a retried call has. */
export function childSpan(trace: TraceContext, deps: TraceDeps = {}): TraceContext {
  return { ...trace, spanId: nonZero(deps.randomHex ?? randomHex, 8), parentId: trace.spanId }
}

/** The `traceparent` that goes to the next hop. */
export function traceparentOf(trace: TraceContext): string {
  return formatTraceparent(trace.traceId, trace.spanId, trace.sampled)
}

const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._~-]{7,127}$/

/**
 * The id that a request goes by in logs and answers: the caller's when it is 8 to 128 characters of `A-Z a-z 0-9 . _ ~ -`
 * (nothing that could break out of a log line or a header), else 32 new hex digits. Pass `undefined` from callers that
 * are not trusted.
 */
export function requestIdFrom(incoming: string | undefined, deps: TraceDeps = {}): string {
  if (incoming !== undefined && REQUEST_ID.test(incoming)) return incoming
  return (deps.randomHex ?? randomHex)(16)
}

function nonZero(hex: (bytes: number) => string, bytes: number): string {
  const id = hex(bytes)
  return id.charCodeAt(0) !== 0x30 || /[^0]/.test(id) ? id : `${id.slice(0, -1)}1`
}
