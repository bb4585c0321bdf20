import { describe, expect, test } from 'vitest'
import { SlowStart } from './slow-start.ts'

describe('SlowStart', () => {
  test('grows from the least share to the whole over the window', () => {
    const slowStart = new SlowStart({ windowMs: 10_000, minShare: 0.1 })
    expect([0, 500, 5000, 9999, 10_000, 1e9].map((nowMs) => slowStart.factor(0, nowMs))).toEqual([
      0.1, 0.1, 0.5, 0.9999, 1, 1,
    ])
  })

  test('holds back longer with a larger exponent', () => {
    expect(new SlowStart({ windowMs: 10_000, exponent: 2 }).factor(0, 5000)).toBe(0.25)
  })

  test('leaves alone what has always been there', () => {
    expect(new SlowStart().factor(-Infinity, 0)).toBe(1)
  })

  test('names every wrong option at once', () => {
    expect(() => new SlowStart({ windowMs: 0, minShare: 0, exponent: -1 })).toThrow(
      /windowMs.*minShare.*exponent/,
    )
  })
})
