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

const answer: Service<number, number> = async (request) => request
const budget = new RetryBudget()

/** Around one call object, as a request handler that calls its dependency has it. */
function measured(name: string, service: Service<number, number>): BenchCase {
  return {
    name,
    async run(n) {
      using call = createCall({ timeoutMs: 60_000 })
      for (let i = 0; i < n; i++) await service(i, call)
    },
  }
}

/** The layers, as application code uses them. Names match those of the peers. */
export const cases: BenchCase[] = [
  measured('bare await', answer),
  measured('retry', stack(answer, [retry({ budget })])),
  measured('breaker', stack(answer, [circuitBreaker({ breaker: new CircuitBreaker() })])),
  measured('timeout', stack(answer, [timeout({ timeoutMs: 1_000 })])),
  measured('bulkhead', stack(answer, [bulkhead(new Bulkhead({ maxConcurrent: 10, maxQueue: 10 }))])),
  measured(
    'breaker and timeout',
    stack(answer, [circuitBreaker({ breaker: new CircuitBreaker() }), timeout({ timeoutMs: 1_000 })]),
  ),
  measured(
    'retry, breaker, timeout, bulkhead',
    stack(answer, [
      retry({ budget }),
      circuitBreaker({ breaker: new CircuitBreaker() }),
      timeout({ timeoutMs: 1_000 }),
      bulkhead(new Bulkhead({ maxConcurrent: 10, maxQueue: 10 })),
    ]),
  ),
  measured(
    'all policies: layers',
    protect(answer, {
      timeout: timeout({ timeoutMs: 5_000 }),
      retry: retry({ budget }),
      hedge: hedge({ delay: new HedgeDelay(), budget, replayable: () => true }),
      bulkhead: bulkhead(new Bulkhead({ maxConcurrent: 10, maxQueue: 10 })),
      breaker: circuitBreaker({ breaker: new CircuitBreaker() }),
      tryTimeout: timeout({ timeoutMs: 1_000 }),
    }),
  ),
]
