import { VirtualClock } from '@breakwater/core'
import { bulkhead, hedge, stack, timeout } from '@breakwater/resilience'
import type { Call } from '@breakwater/resilience'
import { Bulkhead, HedgeDelay, RetryBudget } from '@breakwater/resilience/machines'
import { describe, expect, test } from 'vitest'
import { callOn, failureOf, sleep, takes } from '../support/calls.ts'

function knownDelay(ms: number, nowMs: number): HedgeDelay {
  const delay = new HedgeDelay({ minSamples: 10 })
  for (let sample = 0; sample < 10; sample++) delay.record('', ms, nowMs)
  return delay
}

describe('bugs seen in failsafe-go', () => {
  test('a budget allows its floor at the very start and at low traffic', () => {
    // https://github.com/failsafe-go/failsafe-go/issues/139
    const budget = new RetryBudget({ ratio: 0.1, minPerSecond: 1, ttlMs: 10_000 })
    budget.deposit(0)
    const granted = Array.from({ length: 20 }, () => budget.withdraw(0))
    expect(granted.filter(Boolean)).toHaveLength(10)
  })

  test('a budget counts the calls of the last seconds, not only those under way', () => {
    // https://github.com/failsafe-go/failsafe-go/issues/106
    const budget = new RetryBudget({ ratio: 0.5, minPerSecond: 0, ttlMs: 10_000 })
    for (let nowMs = 0; nowMs < 8_000; nowMs += 1_000) budget.deposit(nowMs)
    expect(budget.available(8_000)).toBeCloseTo(4)
    expect(budget.available(60_000)).toBeCloseTo(0)
  })

  test('an exhausted budget starts no hedge and leaves the first attempt alone', async () => {
    // https://github.com/failsafe-go/failsafe-go/issues/141
    const clock = new VirtualClock()
    let attempts = 0
    const service = stack<string, string>(
      (request, call) => {
        attempts++
        return takes(100, 'answer')(request, call)
      },
      [
        hedge({
          delay: knownDelay(10, 0),
          budget: new RetryBudget({ ratio: 0, minPerSecond: 0 }),
          replayable: () => true,
        }),
      ],
    )
    const answer = service('', callOn(clock))
    await clock.advance(100)
    await expect(answer).resolves.toBe('answer')
    expect(attempts).toBe(1)
  })

  test('the body of an answer stays readable after the timeout and the hedge have returned it', async () => {
    // https://github.com/failsafe-go/failsafe-go/issues/123 and https://github.com/failsafe-go/failsafe-go/issues/65
    const clock = new VirtualClock()
    let signal: AbortSignal | undefined
    const caller = callOn(clock)
    const service = stack<string, string>(
      async (_request, call) => {
        ;({ signal } = call)
        await sleep(call, 20)
        return 'head'
      },
      [
        hedge({ delay: knownDelay(10, 0), budget: new RetryBudget(), replayable: () => true }),
        timeout({ timeoutMs: 1_000 }),
      ],
    )
    const answer = service('', caller)
    await clock.advance(5)
    const winners = signal
    await clock.advance(100)
    await expect(answer).resolves.toBe('head')
    await clock.advance(60_000)
    expect(winners?.aborted).toBe(false)
  })

  test('a body being read still ends when the caller goes away', async () => {
    // https://github.com/failsafe-go/failsafe-go/issues/123, the other side of it
    const clock = new VirtualClock()
    let signal: AbortSignal | undefined
    const caller = callOn(clock)
    const service = stack<string, string>(
      async (_request, call) => {
        ;({ signal } = call)
        return 'head'
      },
      [timeout({ timeoutMs: 1_000 }), timeout({ timeoutMs: 500 })],
    )
    await service('', caller)
    expect(signal?.aborted).toBe(false)
    caller.abort(new Error('gone'))
    expect(signal?.reason).toEqual(new Error('gone'))
  })

  test('a call that is cancelled gives its permit back', async () => {
    // https://github.com/failsafe-go/failsafe-go/blob/master/CHANGELOG.md (permits not released on cancel)
    const clock = new VirtualClock()
    const limit = new Bulkhead({ maxConcurrent: 1 })
    const call = callOn(clock)
    const service = stack(takes(1_000, 'answer'), [bulkhead(limit)])
    const answer = failureOf(service('', call))
    call.abort(new Error('gone'))
    expect(await answer).toMatchObject({ message: 'gone' })
    expect(limit.inFlight).toBe(0)
  })

  test('the losers of a race are aborted, the winner is not', async () => {
    // https://github.com/failsafe-go/failsafe-go/blob/master/CHANGELOG.md (contexts leaked)
    const clock = new VirtualClock()
    const calls: Call[] = []
    const service = stack<string, string>(
      (_request, call) => {
        calls.push(call)
        return sleep(call, calls.length === 1 ? 1_000 : 5).then(() => `attempt ${call.attempt}`)
      },
      [hedge({ delay: knownDelay(10, 0), budget: new RetryBudget(), replayable: () => true })],
    )
    const answer = service('', callOn(clock))
    await clock.advance(30)
    await expect(answer).resolves.toBe('attempt 2')
    expect(calls.map((call) => call.aborted)).toEqual([true, false])
    expect(calls[0]?.abortReason).toMatchObject({ code: 'BW_RESILIENCE_HEDGE_LOST' })
    expect(clock.nextDueMs()).toBe(Infinity)
  })

  test('an attempt that fails does not end the race while another is under way', async () => {
    // https://github.com/erpc/erpc/pull/418
    const clock = new VirtualClock()
    let attempts = 0
    const service = stack<string, string>(
      async (_request, call) => {
        const isFirst = ++attempts === 1
        await sleep(call, isFirst ? 15 : 20)
        if (isFirst) throw new Error('first failed')
        return 'second answered'
      },
      [hedge({ delay: knownDelay(10, 0), budget: new RetryBudget(), replayable: () => true })],
    )
    const answer = service('', callOn(clock))
    await clock.advance(60)
    await expect(answer).resolves.toBe('second answered')
  })
})
