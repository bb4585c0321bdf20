import { getEventListeners } from 'node:events'
import { VirtualClock } from '@breakwater/core'
import { bulkhead, protect, retry, stack, timeout } from '@breakwater/resilience'
import type { Layer } from '@breakwater/resilience'
import { Bulkhead, CircuitBreaker, RetryBudget } from '@breakwater/resilience/machines'
import { describe, expect, test } from 'vitest'
import { callOn, failureOf, pass, sleep, takes } from '../support/calls.ts'

describe('bugs seen in cockatiel', () => {
  test('a thousand calls under one caller leave no listener on its signal', async () => {
    // https://github.com/connor4312/cockatiel/issues/69 and https://github.com/connor4312/cockatiel/issues/81
    const clock = new VirtualClock()
    const caller = new AbortController()
    using call = callOn(clock, { signal: caller.signal })
    const service = stack(takes(1, 'answer'), [
      retry({ budget: new RetryBudget() }),
      timeout({ timeoutMs: 50 }),
    ])
    for (let round = 0; round < 1_000; round++) {
      const answer = service('', call)
      if (round === 0) expect(getEventListeners(caller.signal, 'abort')).toHaveLength(1)
      await clock.advance(1)
      await answer
    }
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0)
  })

  test('a finished call leaves no timer behind', async () => {
    // https://github.com/connor4312/cockatiel/blob/master/changelog.md (3.2.0)
    const clock = new VirtualClock()
    const service = stack(takes(1, 'answer'), [timeout({ timeoutMs: 30_000 })])
    const answer = service('', callOn(clock))
    await clock.advance(1)
    await answer
    expect(clock.nextDueMs()).toBe(Infinity)
  })

  test('a queued call that is aborted makes room and holds no slot', async () => {
    // https://github.com/connor4312/cockatiel/pull/114
    const clock = new VirtualClock()
    const limit = new Bulkhead({ maxConcurrent: 1, maxQueue: 2, maxWaitMs: 10_000 })
    const service = stack(takes(100, 'answer'), [bulkhead(limit)])
    const first = service('', callOn(clock))
    const leaving = callOn(clock)
    const second = failureOf(service('', leaving))
    const third = service('', callOn(clock))
    leaving.abort(new Error('gone'))
    expect(await second).toMatchObject({ message: 'gone' })
    expect(limit.queued).toBe(1)
    await clock.advance(200)
    await expect(Promise.all([first, third])).resolves.toEqual(['answer', 'answer'])
    expect(limit.inFlight).toBe(0)
  })

  test('an aborted wait rejects with the very reason the caller gave', async () => {
    // https://github.com/connor4312/cockatiel/blob/master/changelog.md (4.0.0)
    const clock = new VirtualClock()
    const reason = { because: 'the tab was closed' }
    const caller = new AbortController()
    const limit = new Bulkhead({ maxConcurrent: 1, maxQueue: 1 })
    limit.tryAcquire()
    const service = stack(takes(1, 'answer'), [bulkhead(limit)])
    const answer = service('', callOn(clock, { signal: caller.signal })).catch((error: unknown) => error)
    caller.abort(reason)
    expect(await answer).toBe(reason)
  })

  test('a retry gives up waiting the moment the caller goes away', async () => {
    // https://github.com/connor4312/cockatiel/blob/master/changelog.md (abort during backoff); the same bug:
    // https://github.com/openai/openai-node/issues/2580
    const clock = new VirtualClock()
    const caller = new AbortController()
    const failing = async (): Promise<string> => Promise.reject(new Error('upstream down'))
    const service = stack(failing, [
      retry<string, string>(
        { budget: new RetryBudget(), retryable: () => true, initialBackoffMs: 60_000, maxBackoffMs: 60_000 },
        { random: () => 0.9 },
      ),
    ])
    const answer = service('', callOn(clock, { signal: caller.signal }))
    const settled = failureOf(answer)
    await clock.advance(10)
    caller.abort(new Error('client closed the connection'))
    expect(await settled).toMatchObject({ message: 'client closed the connection' })
    expect(clock.now()).toBe(10)
    expect(clock.nextDueMs()).toBe(Infinity)
  })

  test('half-open is decided by a sample, not by one lucky call', () => {
    // https://github.com/connor4312/cockatiel/issues/73 and https://github.com/nodeshift/opossum/issues/613
    const breaker = new CircuitBreaker(
      { consecutiveFailures: 1, openMs: 1_000, probes: 3, probeSuccesses: 2 },
      { random: () => 0 },
    )
    pass(breaker, 0, false)
    pass(breaker, 1_000, true)
    expect(breaker.state(1_000).kind).toBe('half-open')
    pass(breaker, 1_001, false)
    expect(breaker.state(1_001).kind).toBe('half-open')
    pass(breaker, 1_002, false)
    expect(breaker.state(1_002).kind).toBe('open')
  })

  test('policies stand in one order, whatever order they were written in', async () => {
    // https://github.com/connor4312/cockatiel/issues/107
    const clock = new VirtualClock()
    const seen: string[] = []
    const note =
      (name: string): Layer<string, string> =>
      (inner) =>
      (request, call) => {
        seen.push(name)
        return inner(request, call)
      }
    const service = protect(async (request: string) => request, {
      tryTimeout: note('tryTimeout'),
      breaker: note('breaker'),
      retry: note('retry'),
      timeout: note('timeout'),
      fallback: note('fallback'),
      rateLimit: note('rateLimit'),
    })
    await service('', callOn(clock))
    expect(seen).toEqual(['fallback', 'timeout', 'retry', 'rateLimit', 'breaker', 'tryTimeout'])
  })

  test('a timeout inside another ends by the shorter one and says whose it was', async () => {
    // https://github.com/connor4312/cockatiel/issues/107
    const clock = new VirtualClock()
    const service = stack<string, void>(
      (_request, call) => sleep(call, 1_000),
      [timeout({ timeoutMs: 100 }), timeout({ timeoutMs: 500 })],
    )
    const answer = failureOf(service('', callOn(clock)))
    await clock.advance(100)
    expect(await answer).toMatchObject({ details: { timeoutMs: 100 } })
  })
})
