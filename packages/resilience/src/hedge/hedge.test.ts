import { VirtualClock } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { createCall } from '../call.ts'
import { wait } from '../internal/wait.ts'
import { RetryBudget } from '../retry/budget.ts'
import { retry } from '../retry/retry.ts'
import { stack } from '../service.ts'
import { HedgeDelay } from './hedge-delay.ts'
import { hedge } from './hedge.ts'
import type { HedgeOptions } from './hedge.ts'
import { QuantileSketch } from './quantile-sketch.ts'

/** A delay that knows calls of `ms`. */
function usual(ms: number): HedgeDelay {
  const delay = new HedgeDelay({ minSamples: 10 })
  for (let sample = 0; sample < 10; sample++) delay.record('', ms, 0)
  return delay
}

/** Runs one call whose attempts take `durations`; answers which attempt won. */
async function race(
  durations: readonly number[],
  options: Partial<HedgeOptions<string, string>> = {},
): Promise<{ winner: unknown; started: number; aborted: boolean[] }> {
  const clock = new VirtualClock()
  const aborted: boolean[] = []
  const service = stack<string, string>(
    async (_request, call) => {
      const number = aborted.push(false)
      call.onAbort(() => (aborted[number - 1] = true))
      await wait(call, durations[number - 1] ?? 1)
      return `attempt ${number}`
    },
    [hedge({ delay: usual(10), budget: new RetryBudget(), replayable: () => true, ...options })],
  )
  using call = createCall({}, { clock })
  const outcome = service('', call).catch((error: unknown) => error)
  await clock.advance(10_000)
  return { winner: await outcome, started: aborted.length, aborted }
}

describe('hedge', () => {
  test('starts no second attempt for a call of usual speed', async () => {
    expect(await race([9])).toEqual({ winner: 'attempt 1', started: 1, aborted: [false] })
  })

  test('commits to the first answer and aborts the other attempt', async () => {
    expect(await race([1_000, 20])).toEqual({ winner: 'attempt 2', started: 2, aborted: [true, false] })
    expect(await race([15, 1_000])).toEqual({ winner: 'attempt 1', started: 2, aborted: [false, true] })
  })

  test('starts as many as it may, each after the delay', async () => {
    expect(await race([1_000, 1_000, 20], { maxHedges: 2 })).toMatchObject({
      winner: 'attempt 3',
      started: 3,
    })
  })

  test('never runs a request twice that does not allow it', async () => {
    expect(await race([1_000, 20], { replayable: () => false })).toMatchObject({
      winner: 'attempt 1',
      started: 1,
    })
  })

  test('starts nothing while it does not know what is usual', async () => {
    expect(await race([1_000, 20], { delay: new HedgeDelay() })).toMatchObject({
      winner: 'attempt 1',
      started: 1,
    })
  })

  test('in dark mode starts nothing', async () => {
    expect(await race([1_000, 20], { dark: true })).toMatchObject({ winner: 'attempt 1', started: 1 })
  })

  test('shares its budget with the retries around it', async () => {
    const clock = new VirtualClock()
    const budget = new RetryBudget({ ratio: 0, minPerSecond: 0.2 })
    let attempts = 0
    const service = stack<string, string>(
      async (_request, inner) => {
        attempts++
        await wait(inner, 50)
        throw new Error('down')
      },
      [
        retry({ budget, retryable: () => true, maxAttempts: 10, initialBackoffMs: 1 }, { random: () => 0 }),
        hedge({ delay: usual(10), budget, replayable: () => true }),
      ],
    )
    using call = createCall({}, { clock })
    const outcome = service('', call).catch((error: unknown) => error)
    await clock.advance(5_000)
    expect(await outcome).toEqual(new Error('down'))
    expect(attempts).toBe(3)
    expect(budget.counters).toMatchObject({ deposits: 1, granted: 2 })
  })

  test('ends at once when the caller goes away, even when the service does not listen', async () => {
    const clock = new VirtualClock()
    using call = createCall({}, { clock })
    const service = stack<string, string>(
      () => new Promise(() => {}),
      [hedge({ delay: usual(10), budget: new RetryBudget(), replayable: () => true })],
    )
    const outcome = service('', call).catch((error: unknown) => error)
    await clock.advance(5)
    call.abort('gone')
    expect(await outcome).toBe('gone')
    expect(clock.nextDueMs()).toBe(Infinity)
  })

  test('hands over the answer of a loser that ignored its abort', async () => {
    const clock = new VirtualClock()
    const late: string[] = []
    let attempts = 0
    const service = stack<string, string>(
      (_request, inner) => {
        const number = ++attempts
        return new Promise((resolve) =>
          inner.clock.schedule(number === 1 ? 100 : 5, () => resolve(`attempt ${number}`)),
        )
      },
      [
        hedge({
          delay: usual(10),
          budget: new RetryBudget(),
          replayable: () => true,
          onLate: (answer) => late.push(answer),
        }),
      ],
    )
    using call = createCall({}, { clock })
    const outcome = service('', call)
    await clock.advance(1_000)
    expect(await outcome).toBe('attempt 2')
    expect(late).toEqual(['attempt 1'])
  })

  test('turns a service that throws before its first await into a failure', async () => {
    const service = stack<string, string>(() => {
      throw new Error('synchronous')
    }, [hedge({ delay: usual(10), budget: new RetryBudget(), replayable: () => true })])
    using call = createCall({}, { clock: new VirtualClock() })
    await expect(service('', call)).rejects.toThrow('synchronous')
  })
})

describe('the hedge delay', () => {
  test('follows the latency when it moves', () => {
    const delay = new HedgeDelay({ minSamples: 100, windowMs: 1_000, maxDelayMs: 10_000 })
    for (let i = 0; i < 1_000; i++) delay.record('a', 10, i)
    expect(delay.delayMs('a', 999)).toBeCloseTo(10, 0)
    for (let i = 0; i < 2_000; i++) delay.record('a', 200, 1_000 + i)
    expect(delay.delayMs('a', 2_999)).toBeGreaterThan(190)
  })

  test('knows nothing again after two quiet windows', () => {
    const delay = new HedgeDelay({ minSamples: 10, windowMs: 1_000 })
    for (let i = 0; i < 100; i++) delay.record('a', 10, 0)
    expect(delay.delayMs('a', 500)).toBeLessThan(Infinity)
    expect(delay.delayMs('a', 2_000)).toBe(Infinity)
  })

  test('keeps within its bounds', () => {
    const delay = new HedgeDelay({ minSamples: 10, minDelayMs: 5, maxDelayMs: 50 })
    for (let i = 0; i < 20; i++) {
      delay.record('fast', 0.1, 0)
      delay.record('slow', 10_000, 0)
    }
    expect([delay.delayMs('fast', 0), delay.delayMs('slow', 0)]).toEqual([5, 50])
  })

  test('forgets the least recently used key when there are too many', () => {
    const delay = new HedgeDelay({ minSamples: 10, maxKeys: 2 })
    for (const key of ['a', 'b', 'c']) for (let i = 0; i < 20; i++) delay.record(key, 10, 0)
    expect(['a', 'b', 'c'].map((key) => delay.delayMs(key, 0) < Infinity)).toEqual([false, true, true])
  })
})

describe('the quantile sketch', () => {
  test('does not remember what was before a silence', () => {
    const sketch = new QuantileSketch(1_000)
    for (let call = 0; call < 100; call++) sketch.record(10, 500)
    sketch.record(200, 5_500)
    expect(sketch.count).toBe(1)
    expect(sketch.quantile(0.01)).toBeGreaterThan(190)
  })

  test('answers Infinity for nothing and keeps to its range', () => {
    const sketch = new QuantileSketch(1_000)
    expect(sketch.quantile(0.5)).toBe(Infinity)
    sketch.record(0, 0)
    sketch.record(NaN, 0)
    expect(sketch.quantile(0.5)).toBe(0.01)
    sketch.record(1e12, 0)
    expect(sketch.quantile(1)).toBeGreaterThan(500_000)
  })
})
