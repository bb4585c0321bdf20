import { describe, expect, test } from 'vitest'
import { MemoryTiming } from '../../test/support/memory-transport.ts'
import { LazyTimer } from './lazy-timer.ts'

function start() {
  const timing = new MemoryTiming()
  const fired: number[] = []
  const timer = new LazyTimer(timing.wheel, (nowMs) => fired.push(nowMs))
  return { timing, timer, fired }
}

describe('a lazy timer', () => {
  test('fires once, at the time set last, however often it was moved', async () => {
    const { timing, timer, fired } = start()
    timer.set(100)
    timer.set(500)
    timer.set(300)
    await timing.advance(280)
    expect(fired).toEqual([])
    await timing.advance(1_000)
    expect(fired).toHaveLength(1)
    expect(fired[0]).toBeGreaterThanOrEqual(300)
    expect(fired[0]).toBeLessThan(330)
  })

  test('stays silent when cleared, and can be set again', async () => {
    const { timing, timer, fired } = start()
    timer.set(100)
    timer.clear()
    await timing.advance(200)
    expect(fired).toEqual([])
    timer.set(250)
    await timing.advance(100)
    expect(fired).toHaveLength(1)
  })

  test('leaves nothing behind when released', () => {
    const { timing, timer } = start()
    timer.set(100)
    timer.release()
    expect(timing.wheel.size).toBe(0)
  })
})
