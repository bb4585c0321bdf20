import fc from 'fast-check'
import { createRandom, VirtualClock } from '@breakwater/core'
import { hedge, stack } from '@breakwater/resilience'
import { HedgeDelay, RetryBudget } from '@breakwater/resilience/machines'
import { describe, expect, test } from 'vitest'
import { callOn, sleep } from '../support/calls.ts'

describe('hedging, whatever happens', () => {
  test('knows the percentile to within a few per cent', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(0.9, 0.95, 0.99), (seed, quantile) => {
        const random = createRandom(seed)
        const delay = new HedgeDelay({ quantile, minSamples: 10, maxDelayMs: 1e6, minDelayMs: 0.01 })
        const values = Array.from({ length: 2_000 }, () => Math.exp(random() * 8))
        for (const value of values) delay.record('', value, 0)
        // The delay is re-read after every 6 % more samples, so it may be that of a slightly earlier moment.
        const sorted = values.sort((a, b) => a - b)
        const lower = sorted[Math.floor((quantile - 0.02) * 2_000)] ?? 0
        const upper = sorted[Math.min(1_999, Math.floor((quantile + 0.009) * 2_000))] ?? 0
        expect(delay.delayMs('', 0)).toBeGreaterThan(lower * 0.97)
        expect(delay.delayMs('', 0)).toBeLessThan(upper * 1.03)
      }),
    )
  })

  test('cuts the tail by more than ten times for about the share of calls that are late', async () => {
    const clock = new VirtualClock()
    const random = createRandom(42)
    const budget = new RetryBudget({ ratio: 0.1, minPerSecond: 0 })
    const delay = new HedgeDelay({ quantile: 0.98, minSamples: 100 })
    let attempts = 0
    const service = stack<string, string>(
      async (_request, call) => {
        attempts++
        await sleep(call, random() < 0.01 ? 2_000 : 5 + random() * 10)
        return 'answer'
      },
      [hedge({ delay, budget, replayable: () => true })],
    )
    const tookMs: number[] = []
    const calls = 3_000
    for (let index = 0; index < calls; index++) {
      const startMs = clock.now()
      const answer = service('', callOn(clock)).then(() => tookMs.push(clock.now() - startMs))
      while (tookMs.length <= index) await clock.advance(Math.max(0.1, clock.nextDueMs() - clock.now()))
      await answer
    }
    const settled = tookMs.slice(500).sort((a, b) => a - b)
    expect(settled[Math.floor(settled.length * 0.995)]).toBeLessThan(200)
    expect(attempts / calls).toBeLessThan(1.05)
  })
})
