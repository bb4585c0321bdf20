import { expect, test, vi } from 'vitest'
import { watchLoopDelay } from './loop-delay.ts'

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
  block(300)
  await pause(60)
  expect(first.percentileMs(100)).toBeGreaterThan(240)
  first.reset()
  expect(first.percentileMs(100)).toBe(0)
  expect(second.percentileMs(100)).toBeGreaterThan(240)
  expect(second.percentileMs(1)).toBeLessThan(240)
})

test('has one timer for all, which is stopped when nobody looks any more', () => {
  using start = vi.spyOn(globalThis, 'setInterval')
  using stop = vi.spyOn(globalThis, 'clearInterval')
  const first = watchLoopDelay()
  const second = watchLoopDelay()
  expect(start).toHaveBeenCalledOnce()
  first[Symbol.dispose]()
  expect(stop).not.toHaveBeenCalled()
  second[Symbol.dispose]()
  expect(stop).toHaveBeenCalledExactlyOnceWith(start.mock.results[0]?.value)
})
