/**
 * What a process tells about itself: metrics under a label budget, an access log that never blocks, trace context and
 * the log of the process.
 *
 * @module
 */

export { errors } from './errors.ts'

export { MetricsRegistry } from './metrics/registry.ts'
export { METRICS_CONTENT_TYPE } from './metrics/exposition.ts'
export { latencyBucketsSeconds } from './metrics/family.ts'
export type { HistogramOptions, MetricFamily, MetricOptions } from './metrics/family.ts'
export type { Counter, Gauge, Histogram } from './metrics/series.ts'
export { watchLoopDelay } from './metrics/loop-delay.ts'
export { collectProcessMetrics } from './metrics/process.ts'
export { subscribeToMechanisms } from './mechanisms.ts'
export type { MechanismMetric } from './mechanisms.ts'
export { resilienceMetrics } from './resilience-metrics.ts'

export { childSpan, requestIdFrom, startTrace, traceparentOf } from './trace/trace-context.ts'
export type { TraceContext } from './trace/trace-context.ts'

export { AccessLog } from './access-log/access-log.ts'
export type { AccessLogOptions, WriteBatch } from './access-log/access-log.ts'
export type { AccessLogEntry } from './access-log/line.ts'
export { openFileSink, writeToStdout } from './access-log/sinks.ts'

export { openLogger } from './logger.ts'
