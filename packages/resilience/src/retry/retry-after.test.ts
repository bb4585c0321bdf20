import { describe, expect, test } from 'vitest'
import { parseRetryAfter } from './retry-after.ts'

const nowMs = Date.UTC(2026, 10, 23, 8, 49, 7)

describe('Retry-After', () => {
  test.each([
    ['0', 0],
    ['120', 120_000],
    [' 5 ', 5_000],
    ['Mon, 23 Nov 2026 08:49:37 GMT', 30_000],
    ['Monday, 23-Nov-26 08:49:37 GMT', 30_000],
    ['Mon Nov 23 08:49:37 2026', 30_000],
    ['Fri Nov  6 08:49:37 2026', 0],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
  ])('%j asks for %d ms', (value, waitMs) => {
    expect(parseRetryAfter(value, nowMs)).toBe(waitMs)
  })

  test.each([
    '',
    '-1',
    '1.5',
    '1e3',
    '0x10',
    '+5',
    '99999999999',
    'soon',
    'Mon, 31 Feb 2026 08:49:37 GMT',
    'Mon, 23 Nov 2026 24:00:00 GMT',
    'Mon, 23 Foo 2026 08:49:37 GMT',
    'Mon, 23 Nov 2026 08:49:37 CET',
  ])('%j asks for nothing that can be understood', (value) => {
    expect(parseRetryAfter(value, nowMs)).toBeUndefined()
  })
})
