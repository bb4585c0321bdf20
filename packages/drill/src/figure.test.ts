import { describe, expect, test } from 'vitest'

import { formatFigure, formatQuantity, isWithinLimits } from './figure.ts'

describe('isWithinLimits', () => {
  test('counts the limit itself as kept', () => {
    expect(isWithinLimits({ name: 'n', value: 5, unit: 'ms', atMost: 5, atLeast: 5 })).toBe(true)
    expect(isWithinLimits({ name: 'n', value: 5.01, unit: 'ms', atMost: 5 })).toBe(false)
    expect(isWithinLimits({ name: 'n', value: 4.99, unit: 'ms', atLeast: 5 })).toBe(false)
  })

  test('takes what is not a number for outside, limited or not', () => {
    expect(isWithinLimits({ name: 'n', value: Number.NaN, unit: '' })).toBe(false)
  })
})

test('formatFigure tells name, value, unit and limits', () => {
  expect(formatFigure({ name: 'p99', value: 41.237, unit: 'ms', atMost: 100 })).toBe(
    'p99 41.24 ms (at most 100 ms)',
  )
  expect(formatFigure({ name: 'pools', value: 7, unit: '', atLeast: 5, atMost: 9 })).toBe(
    'pools 7 (at least 5, at most 9)',
  )
})

test('formatQuantity prints a ratio as a percentage and admits what is no number', () => {
  expect(formatQuantity(0.99512, 'ratio')).toBe('99.51 %')
  expect(formatQuantity(Infinity, 'ms')).toBe('Infinity ms')
})
