import fc from 'fast-check'
import { createRandom, VirtualClock } from '@breakwater/core'
import { idempotency, protect, retry } from '@breakwater/resilience'
import { IdempotencyStore, RetryBudget } from '@breakwater/resilience/machines'
import { describe, expect, test } from 'vitest'
import { callOn, sleep } from '../support/calls.ts'

describe('idempotency keys, whatever happens', () => {
  test('each key has at most one effect, and everybody who gets an answer gets the same one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(
          fc.record({
            key: fc.constantFrom('a', 'b', 'c'),
            atMs: fc.integer({ min: 0, max: 500 }),
            leavesAfterMs: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
          }),
          { minLength: 1, maxLength: 30 },
        ),
        async (seed, posts) => {
          const clock = new VirtualClock()
          const random = createRandom(seed)
          const effects = new Map<string, number>()
          const service = protect<string, string>(
            async (key, call) => {
              await sleep(call, random() * 50)
              effects.set(key, (effects.get(key) ?? 0) + 1)
              await sleep(call, random() * 50)
              if (random() < 0.3) throw new Error('connection lost after the effect')
              return `effect ${effects.get(key)} of ${key}`
            },
            {
              idempotency: idempotency({
                store: new IdempotencyStore<string>(),
                keyOf: (key) => key,
                fingerprintOf: (key) => key,
              }),
              // The request is not replayable below the key: the effect may have happened.
              retry: retry({ budget: new RetryBudget() }),
            },
          )
          const answers = posts.map(async ({ key, atMs, leavesAfterMs }) => {
            const call = callOn(clock, { tenant: 'acme' })
            await sleep(call, atMs)
            if (leavesAfterMs !== undefined) clock.schedule(leavesAfterMs, () => call.abort('gone'))
            return service(key, call).catch(() => undefined)
          })
          await clock.advance(2_000)
          const outcomes = await Promise.all(answers)
          for (const [key, count] of effects) expect([key, count]).toEqual([key, 1])
          for (const [index, outcome] of outcomes.entries())
            if (outcome !== undefined) expect(outcome).toBe(`effect 1 of ${posts[index]?.key}`)
        },
      ),
      { numRuns: 60 },
    )
  })
})
