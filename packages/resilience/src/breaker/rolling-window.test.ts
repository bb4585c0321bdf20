import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RollingWindow } from './rolling-window.ts'

describe('a rolling window', () => {
  test('counts what the last buckets hold, and nothing older', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 700 }), fc.boolean(), fc.boolean()), {
          maxLength: 200,
          size: 'max',
        }),
        (script) => {
          const window = new RollingWindow(1_000, 10)
          const seen: (readonly [tick: number, failed: boolean, slow: boolean])[] = []
          let nowMs = 0
          for (const [ms, failed, slow] of script) {
            nowMs += ms
            window.record(failed, slow, nowMs)
            const tick = Math.floor(nowMs / 100)
            seen.push([tick, failed, slow])
            const live = seen.filter(([then]) => then > tick - 10)
            expect(window.calls).toBe(live.length)
            expect(window.failures).toBe(live.filter((call) => call[1]).length)
            expect(window.slow).toBe(live.filter((call) => call[2]).length)
          }
        },
      ),
    )
  })

  test('crosses a year of silence at once', () => {
    const window = new RollingWindow(1_000, 10)
    window.record(true, true, 0)
    window.advance(365 * 86_400_000)
    expect([window.calls, window.failures, window.slow]).toEqual([0, 0, 0])
  })

  test('takes a time before the last one for the last one', () => {
    const window = new RollingWindow(1_000, 10)
    window.record(true, false, 5_000)
    window.record(true, false, 4_000)
    expect(window.failures).toBe(2)
  })
})
