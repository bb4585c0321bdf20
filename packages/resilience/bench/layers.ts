import { createRequire } from 'node:module'
import {
  bulkhead as bulkheadPolicy,
  circuitBreaker as breakerPolicy,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleAll,
  retry as retryPolicy,
  SamplingBreaker,
  timeout as timeoutPolicy,
  TimeoutStrategy,
  wrap,
} from 'cockatiel'
import {
  bulkhead,
  circuitBreaker,
  createCall,
  hedge,
  protect,
  retry,
  stack,
  timeout,
} from '@breakwater/resilience'
import type { Service } from '@breakwater/resilience'
import { Bulkhead, CircuitBreaker, HedgeDelay, RetryBudget } from '@breakwater/resilience/machines'
import type { BenchCase } from './case.ts'

/** The part of opossum used here; it ships no types. */
interface OpossumBreaker {
  fire(): Promise<number>
  shutdown(): void
}
const Opossum: new (
  action: () => Promise<number>,
  options: Readonly<Record<string, unknown>>,
) => OpossumBreaker = createRequire(import.meta.url)('opossum')

const answer: Service<number, number> = async (request) => request
const plain = async (): Promise<number> => 1

const budget = new RetryBudget()
const retrying = stack(answer, [retry({ budget })])
const breaking = stack(answer, [circuitBreaker({ breaker: new CircuitBreaker() })])
const timed = stack(answer, [timeout({ timeoutMs: 1_000 })])
const bulkheaded = stack(answer, [bulkhead(new Bulkhead({ maxConcurrent: 10, maxQueue: 10 }))])
const together = protect(answer, {
  timeout: timeout({ timeoutMs: 5_000 }),
  retry: retry({ budget }),
  hedge: hedge({ delay: new HedgeDelay(), budget, replayable: () => true }),
  bulkhead: bulkhead(new Bulkhead({ maxConcurrent: 10, maxQueue: 10 })),
  breaker: circuitBreaker({ breaker: new CircuitBreaker() }),
  tryTimeout: timeout({ timeoutMs: 1_000 }),
})
/** What cockatiel and opossum can do of it: no hedge, no budget. */
const likewise = stack(answer, [
  retry({ budget }),
  circuitBreaker({ breaker: new CircuitBreaker() }),
  timeout({ timeoutMs: 1_000 }),
  bulkhead(new Bulkhead({ maxConcurrent: 10, maxQueue: 10 })),
])

const theirRetry = retryPolicy(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() })
const theirConsecutive = breakerPolicy(handleAll, {
  halfOpenAfter: 10_000,
  breaker: new ConsecutiveBreaker(5),
})
const theirSampling = (): ReturnType<typeof breakerPolicy> =>
  breakerPolicy(handleAll, {
    halfOpenAfter: 10_000,
    breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
  })
const theirTimeout = timeoutPolicy(1_000, TimeoutStrategy.Cooperative)
const theirBulkhead = bulkheadPolicy(10, 10)
const theirWrap = wrap(theirRetry, theirSampling(), theirTimeout, theirBulkhead)
const sampling = theirSampling()
const opossum = new Opossum(plain, { timeout: 1_000 })
const opossumBare = new Opossum(plain, { timeout: false, rollingPercentilesEnabled: false })

function ours(name: string, service: Service<number, number>): BenchCase {
  return {
    name,
    async run(n) {
      using call = createCall({ timeoutMs: 60_000 })
      for (let i = 0; i < n; i++) await service(i, call)
    },
  }
}

function theirs(name: string, peer: string, call: () => Promise<unknown>): BenchCase {
  return {
    name,
    peer,
    async run(n) {
      for (let i = 0; i < n; i++) await call()
    },
  }
}

export const cases: BenchCase[] = [
  ours('bare await', answer),
  ours('retry', retrying),
  theirs('retry', 'cockatiel', () => theirRetry.execute(plain)),
  ours('breaker', breaking),
  theirs('breaker', 'cockatiel consecutive', () => theirConsecutive.execute(plain)),
  theirs('breaker', 'cockatiel sampling', () => sampling.execute(plain)),
  theirs('breaker', 'opossum, timeout off', () => opossumBare.fire()),
  ours('timeout', timed),
  theirs('timeout', 'cockatiel', () => theirTimeout.execute(plain)),
  ours('bulkhead', bulkheaded),
  theirs('bulkhead', 'cockatiel', () => theirBulkhead.execute(plain)),
  ours('retry, breaker, timeout, bulkhead', likewise),
  theirs('retry, breaker, timeout, bulkhead', 'cockatiel', () => theirWrap.execute(plain)),
  theirs('breaker and timeout', 'opossum', () => opossum.fire()),
  ours('all policies: layers', together),
]

/** Ends the timers that opossum keeps. */
export function close(): void {
  opossum.shutdown()
  opossumBare.shutdown()
}
