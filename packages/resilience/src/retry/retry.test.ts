import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getEventListeners } from 'node:events'
import { VirtualClock } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { createCall } from '../call.ts'
import type { Call } from '../call.ts'
import { RESILIENCE_CHANNEL } from '../internal/events.ts'
import { stack } from '../service.ts'
import { RetryBudget } from './budget.ts'
import { RetryPolicy, retryRefusalOf } from './policy.ts'
import { retry } from './retry.ts'
import type { RetryOptions } from './retry.ts'

const generous = (): RetryBudget => new RetryBudget({ ratio: 1, minPerSecond: 1_000 })

interface Trial {
  readonly attemptsAtMs: number[]
  readonly outcome: unknown
}

async function tryIt(
  failures: number,
  options: Partial<RetryOptions<string>> = {},
  callOptions: Parameters<typeof createCall>[0] = {},
  onAttempt: () => unknown = () => {},
): Promise<Trial> {
  const clock = new VirtualClock()
  const attemptsAtMs: number[] = []
  const service = stack<string, string>(async () => {
    attemptsAtMs.push(clock.now())
    onAttempt()
    if (attemptsAtMs.length <= failures) throw new Error(`failure ${attemptsAtMs.length}`)
    return 'answer'
  }, [retry({ budget: generous(), retryable: () => true, ...options }, { random: () => 0.5 })])
  using call = createCall(callOptions, { clock })
  const outcome = service('', call).catch((error: unknown) => error)
  await clock.advance(600_000)
  return { attemptsAtMs, outcome: await outcome }
}

describe('retry', () => {
  test('waits longer each time, half of the bound with even luck', async () => {
    const { attemptsAtMs, outcome } = await tryIt(3, {
      maxAttempts: 4,
      initialBackoffMs: 100,
      maxBackoffMs: 300,
    })
    expect(attemptsAtMs).toEqual([0, 50, 150, 300])
    expect(outcome).toBe('answer')
  })

  test('gives up after the last attempt with its error', async () => {
    const { attemptsAtMs, outcome } = await tryIt(9)
    expect(attemptsAtMs).toHaveLength(3)
    expect(outcome).toEqual(new Error('failure 3'))
  })

  test('tries nothing again unless it is told that it may', async () => {
    const clock = new VirtualClock()
    let attempts = 0
    const service = stack<string, string>(async () => {
      attempts++
      throw new Error('down')
    }, [retry({ budget: generous() })])
    using call = createCall({}, { clock })
    await expect(service('', call)).rejects.toThrow('down')
    expect(attempts).toBe(1)
  })

  test('begins no attempt after the elapsed cap', async () => {
    const { attemptsAtMs } = await tryIt(9, {
      maxAttempts: 9,
      initialBackoffMs: 100,
      backoffGrowth: 1,
      maxElapsedMs: 120,
    })
    expect(attemptsAtMs).toEqual([0, 50, 100])
  })

  test('begins no attempt after the deadline of the call, and does not wait for it', async () => {
    const { attemptsAtMs, outcome } = await tryIt(
      9,
      { maxAttempts: 9, initialBackoffMs: 100, backoffGrowth: 1 },
      { timeoutMs: 120 },
    )
    expect(attemptsAtMs).toEqual([0, 50, 100])
    expect(outcome).toEqual(new Error('failure 3'))
  })

  test('waits at least as long as the server asks', async () => {
    const { attemptsAtMs } = await tryIt(1, { retryAfterMsOf: () => 2_000, initialBackoffMs: 100 })
    expect(attemptsAtMs).toEqual([0, 2_050])
  })

  test('gives up at once when the server asks for too much patience', async () => {
    const { attemptsAtMs } = await tryIt(1, { retryAfterMsOf: () => 30_001 })
    expect(attemptsAtMs).toEqual([0])
  })

  test('lets each attempt know its number and the endpoints tried before', async () => {
    const clock = new VirtualClock()
    const seen: (readonly [number, readonly string[]])[] = []
    const service = stack<string, string>(
      async (_request, inner: Call) => {
        seen.push([inner.attempt, [...inner.attempted]])
        inner.noteAttempt(`endpoint ${inner.attempt}`)
        throw new Error('down')
      },
      [retry({ budget: generous(), retryable: () => true })],
    )
    using call = createCall({}, { clock })
    const outcome = service('', call).catch((error: unknown) => error)
    await clock.advance(60_000)
    await outcome
    expect(seen).toEqual([
      [1, []],
      [2, ['endpoint 1']],
      [3, ['endpoint 1', 'endpoint 2']],
    ])
  })

  test('leaves no listener on the caller’s signal after its waits', async () => {
    const caller = new AbortController()
    const listening: number[] = []
    await tryIt(2, {}, { signal: caller.signal }, () =>
      listening.push(getEventListeners(caller.signal, 'abort').length),
    )
    expect(listening).toEqual([0, 0, 0])
  })

  test('counts a call once in a budget that two layers share', async () => {
    const clock = new VirtualClock()
    const budget = new RetryBudget()
    const service = stack(async (request: string) => request, [retry({ budget }), retry({ budget })])
    using call = createCall({}, { clock })
    await service('', call)
    await service('', call)
    expect(budget.counters.deposits).toBe(2)
  })

  test('says why a retry was not made', async () => {
    const reasons: unknown[] = []
    const listen = (message: unknown): void => {
      if (typeof message === 'object' && message !== null && 'reason' in message) reasons.push(message.reason)
    }
    subscribe(RESILIENCE_CHANNEL, listen)
    try {
      const policy = new RetryPolicy({ budget: new RetryBudget({ ratio: 0, minPerSecond: 0 }) })
      await tryIt(1, { policy })
      expect(policy.counters).toMatchObject({ budget: 1, retried: 0 })
      await tryIt(1, { dark: true })
      await tryIt(1, { retryAfterMsOf: () => 60_000 })
      await tryIt(1, { retryable: () => false })
    } finally {
      unsubscribe(RESILIENCE_CHANNEL, listen)
    }
    expect(reasons).toEqual(['budget', 'dark', 'retry-after', 'not-replayable'])
  })

  test('takes nothing from the budget for a retry that will not happen', () => {
    const budget = generous()
    const policy = new RetryPolicy({ budget, maxElapsedMs: 10, initialBackoffMs: 100 }, { random: () => 0.5 })
    expect(retryRefusalOf(policy.decide(1, 0, Infinity, true, -1, 0))).toBe('elapsed')
    expect(retryRefusalOf(policy.decide(3, 0, Infinity, true, -1, 0))).toBe('attempts')
    expect(budget.counters.granted).toBe(0)
  })

  test('says all that is wrong with its options at once', () => {
    expect(() => retry({ budget: generous(), maxAttempts: 0, initialBackoffMs: -1 })).toThrow(
      /maxAttempts must be a whole number, 1 or more, got 0; initialBackoffMs must be 0 or more, got -1/,
    )
  })
})
