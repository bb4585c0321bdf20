import type { BreakwaterError } from '@breakwater/core'
import { retryRefusalOf } from '@breakwater/resilience/machines'
import type { RetryPlan } from '../plan/route-plan.ts'
import type { Attempt } from './attempt.ts'
import type { Exchange } from './exchange.ts'

const KIND_OF: Readonly<Record<string, 'connect' | 'reset' | 'timeout' | undefined>> = {
  BW_HTTP_UPSTREAM_UNREACHABLE: 'connect',
  BW_HTTP_UPSTREAM_CONNECT_TIMEOUT: 'connect',
  BW_HTTP_UPSTREAM_CLOSED: 'reset',
  BW_HTTP_RESPONSE_INCOMPLETE: 'reset',
  BW_HTTP_UPSTREAM_FIRST_BYTE_TIMEOUT: 'timeout',
  BW_HTTP_UPSTREAM_IDLE_TIMEOUT: 'timeout',
  BW_GATEWAY_UPSTREAM_TIMEOUT: 'timeout',
}

/** How long to wait before the next try after this failure or bad status; negative when there is none. */
export function retryDelayMs(
  exchange: Exchange,
  attempt: Attempt,
  error: BreakwaterError | undefined,
  nowMs: number,
): number {
  const { retry, meters, name } = exchange.plan
  if (retry === undefined || !isWorthRetrying(retry, attempt, error)) return -1
  const delayMs = retry.policy.decide(
    exchange.attempts.count,
    exchange.inbound.startedMs,
    exchange.deadlineMs,
    isReplayable(exchange, retry, attempt),
    attempt.retryAfterMs,
    nowMs,
  )
  if (delayMs < 0) meters.suppressed.labels(name, retryRefusalOf(delayMs)).inc()
  return delayMs
}

function isWorthRetrying(retry: RetryPlan, attempt: Attempt, error: BreakwaterError | undefined): boolean {
  if (error === undefined) return retry.statuses.has(attempt.status)
  const kind = KIND_OF[error.code]
  return kind !== undefined && retry.errors.has(kind)
}

/**
 * What never left may be sent whatever it is. What may have had its effect is repeated only when the method, or a key by
 * which the upstream knows it again, makes that harmless (RFC 9110 §9.2.2). Either way its body must still be here.
 */
function isReplayable(exchange: Exchange, retry: RetryPlan, attempt: Attempt): boolean {
  const { request } = exchange.inbound
  if (exchange.body?.isReplayable === false) return false
  if (!attempt.wasSent || retry.methods.has(request.method)) return true
  return request.fields.has(exchange.plan.idempotency?.header ?? 'idempotency-key')
}
