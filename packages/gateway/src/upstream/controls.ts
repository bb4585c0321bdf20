import type { Random } from '@breakwater/core'
import type { GatewayConfig, UpstreamConfig } from '@breakwater/contract'
import { Bulkhead, CircuitBreaker, RetryBudget } from '@breakwater/resilience/machines'
import { AdaptiveLimit, ClientThrottle, OutlierDetector, SlowStart } from '@breakwater/resilience/load'
import type { LoadShedderOptions, OutlierDetectorDeps } from '@breakwater/resilience/load'

// One function a control: the configuration of an upstream in, its state machine out; undefined when it is off.

export function breakerOf(
  { name, breaker }: Pick<UpstreamConfig, 'name' | 'breaker'>,
  random: Random,
): CircuitBreaker | undefined {
  if (breaker.mode === 'off') return undefined
  return new CircuitBreaker(
    {
      key: name,
      consecutiveFailures: breaker.consecutiveFailures,
      failureRatio: breaker.failureRatio,
      slowRatio: breaker.slowCallRatio,
      slowCallMs: breaker.slowCallAfterMs,
      minCalls: breaker.minCalls,
      windowMs: breaker.windowMs,
      openMs: breaker.openForMs,
      maxOpenMs: Math.max(breaker.openForMs, breaker.maxOpenForMs),
      probes: breaker.probes,
      maxConcurrentProbes: breaker.maxConcurrentProbes,
      probeLeaseMs: breaker.probeTimeoutMs,
      dark: breaker.mode === 'dark',
    },
    { random },
  )
}

export function bulkheadOf({ name, bulkhead }: UpstreamConfig): Bulkhead | undefined {
  if (bulkhead.mode === 'off') return undefined
  const { maxConcurrent, maxQueue, maxWaitMs } = bulkhead
  return new Bulkhead({
    key: name,
    maxConcurrent,
    maxQueue: maxWaitMs > 0 ? maxQueue : 0,
    maxWaitMs: Math.max(1, maxWaitMs),
    dark: bulkhead.mode === 'dark',
  })
}

export function adaptiveLimitOf({ adaptiveLimit }: UpstreamConfig, nowMs: number): AdaptiveLimit | undefined {
  if (adaptiveLimit.mode === 'off') return undefined
  const { mode, initialLimit, minLimit, maxLimit } = adaptiveLimit
  return new AdaptiveLimit({ initialLimit, minLimit, maxLimit, dark: mode === 'dark' }, nowMs)
}

/** The queue in front of bulkhead and adaptive limit. Without a queue there is nothing to shed. */
export function shedOf(
  shed: GatewayConfig['shed'],
  { bulkhead, adaptiveLimit }: UpstreamConfig,
): LoadShedderOptions | undefined {
  if (shed.mode === 'off' || (bulkhead.mode === 'off' && adaptiveLimit.mode === 'off')) return undefined
  const maxQueued = bulkhead.mode === 'off' ? 1024 : bulkhead.maxQueue
  const maxWaitMs = bulkhead.mode === 'off' ? 500 : bulkhead.maxWaitMs
  if (maxQueued === 0 || maxWaitMs === 0) return undefined
  const overloadDelayMs = Math.min(maxWaitMs, shed.targetQueueDelayMs * 2)
  return {
    maxQueued,
    targetDelayMs: Math.min(overloadDelayMs, shed.targetQueueDelayMs),
    intervalMs: shed.intervalMs,
    maxDelayMs: maxWaitMs,
    overloadDelayMs,
    tenantBuckets: shed.tenantFairness ? 128 : 1,
    dark: shed.mode === 'dark',
  }
}

export function throttleOf(
  { clientThrottle }: UpstreamConfig,
  random: Random,
  nowMs: number,
): ClientThrottle | undefined {
  if (clientThrottle.mode === 'off') return undefined
  const { mode, factor, windowMs } = clientThrottle
  return new ClientThrottle(
    {
      multiplier: Math.max(1.01, factor),
      windowMs,
      graceMs: Math.min(2000, windowMs / 2),
      dark: mode === 'dark',
    },
    { random },
    nowMs,
  )
}

/** With the control off the budget never runs out. */
export function retryBudgetOf({ name, retryBudget }: UpstreamConfig): RetryBudget {
  if (retryBudget.mode === 'off') return new RetryBudget({ key: name, ratio: 1, minPerSecond: 1e9 })
  return new RetryBudget({
    key: name,
    ratio: retryBudget.ratio,
    minPerSecond: retryBudget.minPerSecond,
    ttlMs: retryBudget.windowMs,
    dark: retryBudget.mode === 'dark',
  })
}

export function slowStartOf({ slowStart }: UpstreamConfig): SlowStart | undefined {
  if (slowStart.mode !== 'enforce') return undefined
  return new SlowStart({ windowMs: slowStart.windowMs, minShare: Math.max(0.01, slowStart.minShare) })
}

export function outlierDetectorOf(
  { outlierEjection }: UpstreamConfig,
  nowMs: number,
  deps: OutlierDetectorDeps,
): OutlierDetector | undefined {
  if (outlierEjection.mode === 'off') return undefined
  const { consecutiveFailures, failureRatio, maxEjectionMs, baseEjectionMs } = outlierEjection
  const inARow = consecutiveFailures === Infinity ? 0 : consecutiveFailures
  return new OutlierDetector(
    {
      consecutiveErrors: inARow,
      consecutiveGatewayErrors: inARow,
      consecutiveLocalErrors: inARow,
      intervalMs: outlierEjection.windowMs,
      minRequests: outlierEjection.minCalls,
      failureRatio: Math.min(1, Math.max(0.01, failureRatio)),
      ejectionMs: baseEjectionMs,
      maxEjectionMs: Math.max(baseEjectionMs, maxEjectionMs),
      maxEjectedRatio: outlierEjection.maxEjectedRatio,
      dark: outlierEjection.mode === 'dark',
    },
    nowMs,
    deps,
  )
}
