import { describe, expect, test } from 'vitest'
import { CircuitBreaker } from '../breaker/circuit-breaker.ts'
import { RetryBudget } from '../retry/budget.ts'
import { Guard, guardRefusalOf } from './guard.ts'
import type { GuardOptions } from './guard.ts'

function made(options: Partial<GuardOptions> = {}): Guard {
  return new Guard({
    breaker: new CircuitBreaker({ consecutiveFailures: 1, openMs: 1_000, openJitterRatio: 0, probes: 1 }),
    budget: new RetryBudget({ ratio: 1, minPerSecond: 0 }),
    ...options,
  })
}

const reasonOf = (permit: number): string => (permit < 0 ? guardRefusalOf(permit) : 'admitted')

describe('the guard', () => {
  test('refuses calls without time', () => {
    const guard = made({ minRemainingMs: 10 })
    expect([10, 9, 0, -5].map((leftMs) => reasonOf(guard.enter(100, 100 + leftMs)))).toEqual([
      'admitted',
      'deadline',
      'deadline',
      'deadline',
    ])
  })

  test('keeps to the rate after the burst', () => {
    const guard = made({ ratePerSecond: 10, burst: 2 })
    const at = (nowMs: number): string => reasonOf(guard.enter(nowMs, Infinity))
    expect([at(0), at(0), at(0)]).toEqual(['admitted', 'admitted', 'rate'])
    expect(guard.retryAfterMs(0)).toBe(100)
    expect([at(99), at(100), at(100)]).toEqual(['rate', 'admitted', 'rate'])
  })

  test('bounds the calls under way', () => {
    const guard = made({ maxInFlight: 1 })
    const permit = guard.enter(0, Infinity)
    expect(reasonOf(guard.enter(0, Infinity))).toBe('in-flight')
    guard.leave(permit, 'success', 1, 1)
    expect(reasonOf(guard.enter(1, Infinity))).toBe('admitted')
  })

  test('asks the breaker and tells it', () => {
    const guard = made()
    guard.leave(guard.enter(0, Infinity), 'failure', 1, 0)
    expect(reasonOf(guard.enter(999, Infinity))).toBe('breaker')
    const probe = guard.enter(1_000, Infinity)
    expect(reasonOf(guard.enter(1_000, Infinity))).toBe('breaker')
    guard.leave(probe, 'ignored', 1, 1_001)
    guard.leave(guard.enter(1_001, Infinity), 'success', 1, 1_002)
    expect(guard.breaker.state(1_002).kind).toBe('closed')
    expect(guard.inFlight).toBe(0)
  })

  test('takes no probe, token or place when it refuses', () => {
    const guard = made({ ratePerSecond: 1, burst: 1, maxInFlight: 5 })
    guard.leave(guard.enter(0, Infinity), 'failure', 1, 0)
    expect(reasonOf(guard.enter(500, Infinity))).toBe('breaker')
    expect(reasonOf(guard.enter(1_000, Infinity))).toBe('admitted')
    expect(guard.breaker.counters.probes).toBe(1)
    expect(guard.inFlight).toBe(1)
  })

  test('earns the budget its share of admitted calls only', () => {
    const guard = made({ maxInFlight: 1 })
    guard.enter(0, Infinity)
    guard.enter(0, Infinity)
    expect([guard.mayRepeat(0), guard.mayRepeat(0)]).toEqual([true, false])
  })

  test('in dark mode counts whom it would refuse and refuses nobody', () => {
    const guard = made({ maxInFlight: 1, dark: true })
    expect(
      [guard.enter(0, Infinity), guard.enter(0, Infinity), guard.enter(5, 5)].every((permit) => permit >= 0),
    ).toBe(true)
    expect(guard.counters.wouldRefuse).toBe(2)
    expect(guard.inFlight).toBe(3)
    guard.breaker.trip(5)
    expect(guard.enter(6, Infinity)).toBe(0)
  })

  test('says all that is wrong with its options at once', () => {
    expect(() => made({ ratePerSecond: 0, burst: 0, maxInFlight: 0.5 })).toThrow(
      /ratePerSecond must be above 0, got 0; burst must be a whole number.*maxInFlight must be a whole number/,
    )
  })
})
