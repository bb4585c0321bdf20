import fc from 'fast-check'
import { VirtualClock } from '@breakwater/core'
import {
  bulkhead,
  circuitBreaker,
  fallback,
  POLICY_ORDER,
  protect,
  retry,
  timeout,
} from '@breakwater/resilience'
import type { Layer } from '@breakwater/resilience'
import { Bulkhead, CircuitBreaker, RetryBudget } from '@breakwater/resilience/machines'
import { describe, expect, test } from 'vitest'
import { callOn, failureOf, sleep } from '../support/calls.ts'

const noting =
  (seen: string[], name: string): Layer<string, string> =>
  (inner) =>
  (request, call) => {
    seen.push(name)
    return inner(request, call)
  }

describe('the order of the policies', () => {
  test('is the same whichever are given, and however they are written down', async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...POLICY_ORDER]), async (names) => {
        const seen: string[] = []
        const policies = Object.fromEntries(names.map((name) => [name, noting(seen, name)] as const))
        await protect(async (request: string) => request, policies)('', callOn(new VirtualClock()))
        expect(seen).toEqual(POLICY_ORDER.filter((name) => names.includes(name)))
      }),
    )
  })

  test('the rate limit, the bulkhead and the breaker see each try', async () => {
    const clock = new VirtualClock()
    const seen: string[] = []
    const breaker = new CircuitBreaker({ consecutiveFailures: 2 })
    const limit = new Bulkhead({ maxConcurrent: 5 })
    const service = protect<string, string>(async () => Promise.reject(new Error('down')), {
      rateLimit: noting(seen, 'limited'),
      bulkhead: bulkhead(limit),
      breaker: circuitBreaker({ breaker }),
      retry: retry({
        budget: new RetryBudget(),
        retryable: (error) => error instanceof Error && error.message === 'down',
        maxAttempts: 3,
      }),
    })
    const failure = failureOf(service('', callOn(clock)))
    await clock.advance(60_000)
    // The breaker opened at the second try and refused the third, which is then no failure to retry.
    expect(await failure).toMatchObject({ code: 'BW_RESILIENCE_CIRCUIT_OPEN' })
    expect(seen).toHaveLength(3)
    expect(limit.counters.admitted).toBe(3)
    expect(breaker.counters.opened).toBe(1)
  })

  test('a try that takes too long is evidence for the breaker, the end of the whole call is the fallback’s', async () => {
    const clock = new VirtualClock()
    const breaker = new CircuitBreaker({ consecutiveFailures: 10 })
    const service = protect<string, string>((_request, call) => sleep(call, 60_000).then(() => 'answer'), {
      tryTimeout: timeout({ timeoutMs: 100 }),
      breaker: circuitBreaker({ breaker }),
      retry: retry({
        budget: new RetryBudget(),
        retryable: () => true,
        maxAttempts: 99,
        initialBackoffMs: 0,
      }),
      timeout: timeout({ timeoutMs: 350 }),
      fallback: fallback({ key: 'catalog', serve: () => 'lesser' }),
    })
    const call = callOn(clock)
    const answer = service('', call)
    await clock.advance(350)
    expect(await answer).toBe('lesser')
    expect(clock.now()).toBe(350)
    expect(call.degraded).toEqual(['catalog'])
    expect(breaker.state(350)).toMatchObject({ kind: 'closed', consecutiveFailures: 4 })
  })
})
