import fc from 'fast-check'
import { createRandom, VirtualClock } from '@breakwater/core'
import { retry, stack } from '@breakwater/resilience'
import { RetryBudget, RetryPolicy } from '@breakwater/resilience/machines'
import { describe, expect, test } from 'vitest'
import { callOn, failureOf } from '../support/calls.ts'

describe('retry, whatever happens', () => {
  test('keeps to its attempts, its elapsed time, its jitter bounds and what the server asks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.integer(),
          maxAttempts: fc.integer({ min: 1, max: 8 }),
          maxElapsedMs: fc.integer({ min: 1, max: 20_000 }),
          initialBackoffMs: fc.integer({ min: 0, max: 500 }),
          maxBackoffMs: fc.integer({ min: 500, max: 5_000 }),
          retryAfterMs: fc.array(fc.option(fc.integer({ min: 0, max: 3_000 }), { nil: undefined }), {
            minLength: 8,
            maxLength: 8,
          }),
          failures: fc.integer({ min: 0, max: 10 }),
        }),
        async ({ seed, retryAfterMs, failures, ...options }) => {
          const clock = new VirtualClock()
          const startedMs: number[] = []
          const budget = new RetryBudget({ ratio: 1, minPerSecond: 1_000 })
          const service = stack<string, string>(async () => {
            const attempt = startedMs.push(clock.now())
            if (attempt > failures) return 'answer'
            throw Object.assign(new Error('down'), { attempt, retryAfterMs: retryAfterMs[attempt - 1] })
          }, [
            retry<string, string>(
              { ...options, budget, retryable: () => true },
              { random: createRandom(seed) },
            ),
          ])
          const outcome = service('', callOn(clock)).catch(() => 'failed')
          await clock.advance(200_000)
          expect(await outcome).toBe(startedMs.length > failures ? 'answer' : 'failed')
          expect(startedMs.length).toBeLessThanOrEqual(options.maxAttempts)
          for (let attempt = 1; attempt < startedMs.length; attempt++) {
            const asked = retryAfterMs[attempt - 1] ?? 0
            const bound = Math.min(options.maxBackoffMs, options.initialBackoffMs * 2 ** (attempt - 1))
            const waited = (startedMs[attempt] ?? 0) - (startedMs[attempt - 1] ?? 0)
            expect(waited).toBeGreaterThanOrEqual(asked)
            expect(waited).toBeLessThanOrEqual(asked + bound)
            expect(startedMs[attempt]).toBeLessThan(options.maxElapsedMs)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test('ends the moment the caller goes away, with its reason, and tries no more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 0, max: 5_000 }), async (seed, leavesAtMs) => {
        const clock = new VirtualClock()
        const call = callOn(clock)
        const reason = { leavesAtMs }
        let attempts = 0
        const service = stack<string, string>(async () => {
          attempts++
          throw new Error('down')
        }, [
          retry(
            {
              budget: new RetryBudget({ minPerSecond: 1_000 }),
              retryable: () => true,
              maxAttempts: 1_000,
              initialBackoffMs: 400,
            },
            { random: createRandom(seed) },
          ),
        ])
        const failure = failureOf(service('', call))
        await clock.advance(leavesAtMs)
        call.abort(reason)
        const before = attempts
        expect(await failure).toBe(reason)
        expect(clock.now()).toBe(leavesAtMs)
        await clock.advance(60_000)
        expect(attempts).toBe(before)
      }),
      { numRuns: 40 },
    )
  })

  test('spreads its waits evenly below the bound', () => {
    const policy = new RetryPolicy(
      { budget: new RetryBudget({ minPerSecond: 1e6 }), initialBackoffMs: 1_000 },
      { random: createRandom(7) },
    )
    const waits = Array.from({ length: 10_000 }, () => policy.decide(1, 0, Infinity, true, -1, 0))
    const tenths = Array.from(
      { length: 10 },
      (_, tenth) => waits.filter((ms) => Math.floor(ms / 100) === tenth).length,
    )
    for (const count of tenths) expect(count).toBeGreaterThan(850)
  })
})

describe('a retry budget, whatever happens', () => {
  test('grants in no window more than its ratio of the calls plus its floor', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 5 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 900 }), fc.boolean()), { maxLength: 400, size: 'max' }),
        (ratio, minPerSecond, script) => {
          const budget = new RetryBudget({ ratio, minPerSecond, ttlMs: 10_000 })
          const deposits: number[] = []
          const grants: number[] = []
          let nowMs = 0
          for (const [ms, isDeposit] of script) {
            nowMs += ms
            if (isDeposit) {
              budget.deposit(nowMs)
              deposits.push(nowMs)
            } else if (budget.withdraw(nowMs)) {
              grants.push(nowMs)
              const within = (times: readonly number[]): number =>
                times.filter((time) => time > nowMs - 9_000).length
              const paid = deposits.filter((time) => time > nowMs - 10_000).length
              expect(within(grants)).toBeLessThanOrEqual(ratio * paid + minPerSecond * 10 + 1e-6)
            }
          }
        },
      ),
    )
  })

  test.each([
    [0.1, 1.1],
    [0.2, 1.2],
  ])('with ratio %d bounds the load of a total failure to %d times', (ratio, bound) => {
    const budget = new RetryBudget({ ratio, minPerSecond: 0 })
    const policy = new RetryPolicy({ budget, maxAttempts: 5, initialBackoffMs: 0 })
    let attempts = 0
    const calls = 5_000
    for (let call = 0; call < calls; call++) {
      const nowMs = call * 2
      policy.begin(nowMs)
      attempts++
      for (let attempt = 1; policy.decide(attempt, nowMs, Infinity, true, -1, nowMs) >= 0; attempt++)
        attempts++
    }
    expect(attempts / calls).toBeLessThanOrEqual(bound + 0.001)
    expect(attempts / calls).toBeGreaterThan(bound - 0.02)
    expect(policy.counters.budget).toBeGreaterThan(0)
  })

  test('adds no more load than allowed at every depth of a chain of five services', async () => {
    const clock = new VirtualClock()
    let atTheLeaf = 0
    let service = async (_request: string): Promise<string> => {
      atTheLeaf++
      throw new Error('down')
    }
    for (let depth = 0; depth < 5; depth++) {
      const inner = service
      const budget = new RetryBudget({ ratio: 0.1, minPerSecond: 0 })
      const layer = retry<string, string>({
        budget,
        retryable: () => true,
        initialBackoffMs: 0,
        maxAttempts: 3,
      })
      const hop = layer((request) => inner(request))
      service = (request) => hop(request, callOn(clock))
    }
    for (let call = 0; call < 400; call++) {
      const outcome = service('').catch(() => 'failed')
      await clock.advance(5)
      await outcome
    }
    // Without budgets 3 tries at 5 depths are 243 calls for each one.
    expect(atTheLeaf / 400).toBeLessThanOrEqual(1.1 ** 5 + 0.01)
  })
})
