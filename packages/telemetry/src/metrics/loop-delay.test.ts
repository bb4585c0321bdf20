import { setTimeout as pauseUnseen } from 'node:timers/promises'
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
  block(600)
  await pause(60)
  expect(first.percentileMs(100)).toBeGreaterThan(300)
  first.reset()
  expect(first.percentileMs(100)).toBe(0)
  expect(second.percentileMs(100)).toBeGreaterThan(300)
  expect(second.percentileMs(1)).toBeLessThan(300)
})

test('looks often while the loop is busy, seldom while it is not', async () => {
  using looks = vi.spyOn(globalThis, 'setTimeout')
  using delay = watchLoopDelay()
  const looksIn = async (ms: number, work: () => Promise<void>): Promise<number> => {
    looks.mockClear()
    for (const endMs = performance.now() + ms; performance.now() < endMs;) await work()
    return looks.mock.calls.filter(([task]) => task.name === 'sample').length
  }
  const idle = await looksIn(1_000, () => pauseUnseen(1_000))
  const busy = await looksIn(1_000, async () => {
    block(20)
    await pauseUnseen(1)
  })
  expect(idle).toBeLessThan(8)
  expect(busy).toBeGreaterThan(idle)
  expect(delay.percentileMs(100)).toBeGreaterThan(0)
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
