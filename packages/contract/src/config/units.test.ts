import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { DURATION, RATE, SIZE } from './units.ts'
import {
  formatBytes,
  formatByteRate,
  formatDuration,
  formatRate,
  parseBytes,
  parseBytesPerSecond,
  parseDurationMs,
  parseRatePerSecond,
} from './units.ts'

describe('units', () => {
  test.each([
    ['250ms', 250],
    ['2s', 2000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['0s', 0],
  ])('reads %s as %d milliseconds', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms)
  })

  test('reads sizes in powers of 1024 and rates per second', () => {
    expect(parseBytes('16KiB')).toBe(16_384)
    expect(parseBytes('1GiB')).toBe(2 ** 30)
    expect(parseBytesPerSecond('2KiB/s')).toBe(2048)
    expect(parseRatePerSecond('90/m')).toBe(1.5)
    expect(parseRatePerSecond('36/h')).toBe(0.01)
  })

  test('knows no decimal kilobytes, no spaces, no signs and no bare numbers', () => {
    for (const text of ['10MB', '10 MiB', '10', '+10B', '1.5KiB']) expect(SIZE.test(text)).toBe(false)
    for (const text of ['2', '2 s', '-2s', '2sec', '1.5s']) expect(DURATION.test(text)).toBe(false)
    expect(RATE.test('10/d')).toBe(false)
  })

  test('writes what it reads as the same number, in the largest unit that is exact', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), (amount) => {
        expect(parseDurationMs(formatDuration(amount))).toBe(amount)
        expect(parseBytes(formatBytes(amount))).toBe(amount)
        expect(parseBytesPerSecond(formatByteRate(amount))).toBe(amount)
        expect(parseRatePerSecond(formatRate(amount))).toBe(amount)
      }),
    )
    expect([formatDuration(120_000), formatDuration(90_000), formatBytes(16_384), formatRate(1.5)]).toEqual([
      '2m',
      '90s',
      '16KiB',
      '90/m',
    ])
  })
})
