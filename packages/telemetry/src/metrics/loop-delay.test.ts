import { expect, test, vi } from 'vitest'
import { intervalFor, watchLoopDelay } from './loop-delay.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

function block(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs);
}

test('sees how long the event loop was held, once for each who looks', async () => {
  using first = watchLoopDelay()
  using second = watchLoopDelay()
  expect(first.percentileMs(100)).toBe(0)
  await pause(60)
  block(600)
  await pause(60)
  expect(first.percentileMs(100)).toBeGreaterThan(300)
  first.reset()
  expect(first.percentileMs(100)).toBe(0)
  expect(second.percentileMs(100)).toBeGreaterThan(300)
  expect(second.percentileMs(1)).toBeLessThan(300)
})

test('looks often while the loop is busy, seldom while it is not', () => {
  expect([0.25, 0.9, 1].map(intervalFor)).toEqual([50, 50, 50])
  expect([0, 0.05, 0.24].map(intervalFor)).toEqual([250, 250, 250])
})

test('has one timer for all, which is stopped when nobody looks any more', () => {
  using start = vi.spyOn(globalThis, 'setTimeout')
  using stop = vi.spyOn(globalThis, 'clearTimeout')
  const first = watchLoopDelay()
  const second = watchLoopDelay()
  expect(start).toHaveBeenCalledOnce()
  first[Symbol.dispose]()
  expect(stop).not.toHaveBeenCalled()
  second[Symbol.dispose]()
  expect(stop).toHaveBeenCalledExactlyOnceWith(start.mock.results[0]?.value)
})
