import { describe, expect, test } from 'vitest'
import { BreakwaterError, VirtualClock, defineErrors, isBreakwaterError } from '@breakwater/core'

describe('virtual time', () => {
  test('runs tasks by due time, ties in the order in which they were scheduled', () => {
    const clock = new VirtualClock()
    const seen: string[] = []
    clock.schedule(20, () => seen.push('late'))
    clock.schedule(10, () => seen.push('first'))
    clock.schedule(10, () => seen.push('second'))
    clock.schedule(15, () => seen.push('cancelled')).cancel()
    clock.runUntil(30)
    expect(seen).toEqual(['first', 'second', 'late'])
    expect(clock.now()).toBe(30)
  })

  test('shows a task the time at which it was due, and runs what the task schedules in the same sweep', () => {
    const clock = new VirtualClock(100)
    const seen: number[] = []
    clock.schedule(5, () => {
      seen.push(clock.now())
      clock.schedule(5, () => seen.push(clock.now()))
    })
    clock.runUntil(200)
    expect(seen).toEqual([105, 110])
  })

  test('lets promise chains settle between two timers', async () => {
    const clock = new VirtualClock()
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.schedule(ms, resolve))
    const seen: number[] = []
    const walk = async (): Promise<void> => {
      for (let step = 0; step < 3; step++) {
        await sleep(10)
        seen.push(clock.now())
      }
    }
    const walking = walk()
    await clock.advance(30)
    await walking
    expect(seen).toEqual([10, 20, 30])
  })
})

describe('errors', () => {
  const errors = defineErrors({
    BW_TEST_LIMIT_EXCEEDED: { fault: 'caller', retry: 'never', status: 413, fix: 'Send less.' },
  })

  test('carry their code, whose fault it is, the fix, and the cause', () => {
    const cause = new Error('root')
    const error = errors.BW_TEST_LIMIT_EXCEEDED('20 is above 10', { details: { limit: 10 }, cause })
    expect(error).toBeInstanceOf(BreakwaterError)
    expect(error).toMatchObject({
      code: 'BW_TEST_LIMIT_EXCEEDED',
      message: '20 is above 10',
      spec: { fault: 'caller', status: 413, fix: 'Send less.' },
      details: { limit: 10 },
      cause,
    })
  })

  test('are recognised across two copies of the library, and nothing else is', () => {
    const foreign = Object.defineProperty(new Error('x'), Symbol.for('breakwater.error'), { value: true })
    expect(isBreakwaterError(foreign)).toBe(true)
    expect(isBreakwaterError(new Error('x'))).toBe(false)
    expect(isBreakwaterError({ code: 'BW_TEST_LIMIT_EXCEEDED' })).toBe(false)
  })
})
