import { describe, expect, test } from 'vitest'
import { RetryBudget } from './budget.ts'

describe('a retry budget', () => {
  test('grants its ratio of the calls', () => {
    const budget = new RetryBudget({ ratio: 0.1, minPerSecond: 0 })
    for (let call = 0; call < 10; call++) budget.deposit(0)
    expect(budget.withdraw(0)).toBe(true)
    expect(budget.withdraw(0)).toBe(false)
    expect(budget.counters).toEqual({ deposits: 10, granted: 1, refused: 1, wouldRefuse: 0 })
  })

  test('forgets calls after their time', () => {
    const budget = new RetryBudget({ ratio: 1, minPerSecond: 0, ttlMs: 10_000 })
    budget.deposit(0)
    expect(budget.available(8_999)).toBeCloseTo(1)
    expect(budget.available(10_000)).toBeCloseTo(0)
  })

  test('refills its floor as retries grow old', () => {
    const budget = new RetryBudget({ ratio: 0, minPerSecond: 1, ttlMs: 10_000 })
    let granted = 0
    while (budget.withdraw(0)) granted++
    expect(granted).toBe(10)
    expect(budget.withdraw(9_999)).toBe(false)
    expect(budget.withdraw(10_000)).toBe(true)
  })

  test('starts alike at any time of the clock', () => {
    const budget = new RetryBudget({ ratio: 0.5, minPerSecond: 0 })
    const nowMs = 1e9 + 123.4
    budget.deposit(nowMs)
    budget.deposit(nowMs)
    expect(budget.withdraw(nowMs)).toBe(true)
  })

  test('in dark mode counts what it would refuse and grants it', () => {
    const budget = new RetryBudget({ ratio: 0, minPerSecond: 0, dark: true })
    expect(budget.withdraw(0)).toBe(true)
    expect(budget.counters).toMatchObject({ granted: 0, wouldRefuse: 1 })
  })

  test('says all that is wrong with its options at once', () => {
    expect(() => new RetryBudget({ ratio: 2, minPerSecond: -1, ttlMs: 0 })).toThrow(
      /ratio must be from 0 to 1, got 2; minPerSecond must be.*ttlMs must be above 0/,
    )
  })
})
