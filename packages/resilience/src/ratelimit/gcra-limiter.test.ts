import { describe, expect, test } from 'vitest'
import { GcraLimiter } from './gcra-limiter.ts'
import { TokenBucket } from './token-bucket.ts'

const deps = { seed: 42 }
const admittedOf = (limiter: GcraLimiter, key: string, nowMs: number, tries: number): number =>
  Array.from({ length: tries }, () => limiter.take(key, nowMs)).filter((waitMs) => waitMs === 0).length

describe('GcraLimiter', () => {
  test('spaces "60 per minute" with a burst of 1 one second apart', () => {
    const limiter = new GcraLimiter({ permits: 60, perMs: 60_000, burst: 1 }, deps)
    expect(limiter.take('a', 0)).toBe(0)
    expect(limiter.take('a', 0)).toBe(1000)
    expect(limiter.take('a', 400)).toBe(600)
    expect(limiter.take('a', 1000)).toBe(0)
  })

  test('lets a rested key take its burst at once and no more than the rate after that', () => {
    const limiter = new GcraLimiter({ permits: 60, perMs: 60_000, burst: 10 }, deps)
    expect(admittedOf(limiter, 'a', 0, 50)).toBe(10)
    let admitted = 0
    for (let nowMs = 100; nowMs <= 60_000; nowMs += 100) if (limiter.take('a', nowMs) === 0) admitted++
    expect(admitted).toBe(60)
  })

  test('keeps keys apart', () => {
    const limiter = new GcraLimiter({ permits: 1, perMs: 1000, burst: 1 }, deps)
    expect(limiter.take('a', 0)).toBe(0)
    expect(limiter.take('b', 0)).toBe(0)
    expect(limiter.take('a', 0)).toBe(1000)
  })

  test('says that waiting does not help when a request costs more than the burst', () => {
    const limiter = new GcraLimiter({ permits: 10, perMs: 1000, burst: 5 }, deps)
    expect(limiter.take('a', 0, 6)).toBe(Infinity)
    expect(limiter.take('a', 0, 5)).toBe(0)
    expect(limiter.take('a', 0, 5)).toBeCloseTo(500)
  })

  test('takes nothing when it refuses', () => {
    const limiter = new GcraLimiter({ permits: 10, perMs: 1000, burst: 5 }, deps)
    limiter.take('a', 0, 4)
    limiter.take('a', 0, 3)
    limiter.take('a', 0, 3)
    expect(limiter.remaining('a', 0)).toBe(1)
  })

  test('gives back what was not used, but never more than the burst', () => {
    const limiter = new GcraLimiter({ permits: 10, perMs: 1000, burst: 5 }, deps)
    limiter.take('a', 0, 5)
    limiter.refund('a', 0, 2)
    expect(limiter.remaining('a', 0)).toBe(2)
    limiter.refund('a', 0, 100)
    expect(limiter.remaining('a', 0)).toBe(5)
    expect(limiter.resetMs('a', 0)).toBe(0)
  })

  test('admits everything in dark mode and counts what it would have refused', () => {
    const limiter = new GcraLimiter({ permits: 1, perMs: 1000, burst: 1, dark: true }, deps)
    expect(admittedOf(limiter, 'a', 0, 5)).toBe(5)
    expect(limiter.rejected).toBe(4)
  })

  test('forgets keys at rest to make room, and loses nothing by it', () => {
    const limiter = new GcraLimiter({ permits: 10, perMs: 1000, burst: 1, maxKeys: 100 }, deps)
    for (let key = 0; key < 10_000; key++) limiter.take(`k${key}`, key * 10)
    expect(limiter.keys).toBeLessThanOrEqual(100)
    expect(limiter.overflows).toBe(0)
    limiter.sweep(1e9)
    expect(limiter.keys).toBe(0)
  })

  test('does not reset a busy key when a flood of new keys arrives', () => {
    const limiter = new GcraLimiter({ permits: 1, perMs: 60_000, burst: 3, maxKeys: 64 }, deps)
    expect(admittedOf(limiter, 'attacker', 0, 10)).toBe(3)
    for (let key = 0; key < 10_000; key++) limiter.take(`flood${key}`, 1)
    expect(admittedOf(limiter, 'attacker', 2, 10)).toBe(0)
  })

  test('admits a flood of keys no more than its cells together allow', () => {
    const limiter = new GcraLimiter(
      { permits: 1, perMs: 60_000, burst: 2, maxKeys: 64, overflowCells: 16 },
      deps,
    )
    let admitted = 0
    for (let key = 0; key < 100_000; key++) if (limiter.take(`flood${key}`, 0) === 0) admitted++
    expect(admitted).toBeLessThanOrEqual(64 + 16 * 2)
    expect(limiter.keys).toBe(64)
  })

  test('tells long keys apart without keeping them', () => {
    const limiter = new GcraLimiter({ permits: 1, perMs: 1000, burst: 1, maxKeyLength: 32 }, deps)
    const long = 'x'.repeat(10_000)
    expect(limiter.take(`${long}a`, 0)).toBe(0)
    expect(limiter.take(`${long}b`, 0)).toBe(0)
    expect(limiter.take(`${long}a`, 0)).toBe(1000)
  })

  test('names every wrong option at once', () => {
    expect(() => new GcraLimiter({ permits: 0, perMs: -1, burst: 0.5 }, deps)).toThrow(
      /permits.*perMs.*burst/,
    )
    expect(
      () => new GcraLimiter({ permits: 1, perMs: 1, burst: 1, maxKeys: 0, overflowCells: 3 }, deps),
    ).toThrow(/maxKeys.*overflowCells/)
  })
})

describe('TokenBucket', () => {
  test('refills steadily up to its burst', () => {
    const bucket = new TokenBucket({ permits: 10, perMs: 1000, burst: 5 }, 0)
    expect(bucket.take(0, 5)).toBe(0)
    expect(bucket.take(0)).toBe(100)
    expect(bucket.take(100)).toBe(0)
    expect(bucket.available(10_000)).toBe(5)
  })

  test('can be charged into debt, and refuses until that is paid off', () => {
    const bucket = new TokenBucket({ permits: 10, perMs: 1000, burst: 5 }, 0)
    bucket.charge(0, 15)
    expect(bucket.available(0)).toBe(-10)
    expect(bucket.take(0)).toBe(1100)
    expect(bucket.take(1100)).toBe(0)
  })

  test('does not gain from a clock that steps back', () => {
    const bucket = new TokenBucket({ permits: 10, perMs: 1000, burst: 5 }, 1000)
    bucket.take(1000, 5)
    expect(bucket.take(0)).toBe(100)
    expect(bucket.take(1050)).toBe(50)
  })
})
