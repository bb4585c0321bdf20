import { describe, expect, test } from 'vitest'
import { CircuitBreaker, REFUSED } from './circuit-breaker.ts'
import type { BreakerOptions } from './options.ts'

function made(options: BreakerOptions = {}): CircuitBreaker {
  return new CircuitBreaker(
    { openMs: 1_000, openJitterRatio: 0, probes: 1, ...options },
    { random: () => 0.5 },
  )
}

function fail(breaker: CircuitBreaker, nowMs: number, durationMs = 0): void {
  breaker.onFailure(breaker.admit(nowMs), durationMs, nowMs)
}

function succeed(breaker: CircuitBreaker, nowMs: number, durationMs = 0): void {
  breaker.onSuccess(breaker.admit(nowMs), durationMs, nowMs)
}

describe('a circuit breaker', () => {
  test('opens after so many failures in a row, and a success between them starts the count anew', () => {
    const breaker = made({ consecutiveFailures: 3 })
    fail(breaker, 0)
    fail(breaker, 0)
    succeed(breaker, 0)
    fail(breaker, 0)
    fail(breaker, 0)
    expect(breaker.state(0)).toMatchObject({ kind: 'closed', consecutiveFailures: 2 })
    fail(breaker, 0)
    expect(breaker.state(0)).toEqual({ kind: 'open', untilMs: 1_000, openings: 1, cause: 'consecutive' })
  })

  test('opens on the failure ratio of the window, not on older calls', () => {
    const breaker = made({ consecutiveFailures: Infinity, minCalls: 4, failureRatio: 0.5, windowMs: 1_000 })
    fail(breaker, 0)
    fail(breaker, 0)
    fail(breaker, 0)
    succeed(breaker, 2_000)
    fail(breaker, 2_000)
    succeed(breaker, 2_000)
    expect(breaker.state(2_000)).toMatchObject({ kind: 'closed', calls: 3, failures: 1 })
    fail(breaker, 2_000)
    expect(breaker.state(2_000)).toMatchObject({ kind: 'open', cause: 'failure-ratio' })
  })

  test('opens on slow calls that succeed', () => {
    const breaker = made({ slowCallMs: 100, slowRatio: 0.5, minCalls: 4 })
    succeed(breaker, 0, 99)
    succeed(breaker, 0, 99)
    succeed(breaker, 0, 100)
    expect(breaker.state(0).kind).toBe('closed')
    succeed(breaker, 0, 100)
    expect(breaker.state(0)).toMatchObject({ kind: 'open', cause: 'slow-ratio' })
  })

  test('hears a probe once, even one that reports twice', () => {
    const breaker = made({ consecutiveFailures: 1 })
    fail(breaker, 0)
    const first = breaker.admit(1_000)
    breaker.onIgnored(first)
    const second = breaker.admit(1_000)
    breaker.onSuccess(first, 0, 1_000)
    expect(breaker.state(1_000)).toMatchObject({ kind: 'half-open', successes: 0 })
    breaker.onSuccess(second, 0, 1_000)
    expect(breaker.state(1_000).kind).toBe('closed')
  })

  test('sends as many probes at a time as it is allowed, each of which counts', () => {
    const breaker = made({ consecutiveFailures: 1, probes: 3, maxConcurrentProbes: 2, probeLeaseMs: 500 })
    fail(breaker, 0)
    const first = breaker.admit(1_000)
    const second = breaker.admit(1_000)
    expect(breaker.admit(1_000)).toBe(REFUSED)
    expect(breaker.mayAdmit(1_000)).toBe(false)
    breaker.onSuccess(first, 1, 1_010)
    breaker.onSuccess(second, 1, 1_010)
    expect(breaker.state(1_010)).toMatchObject({ kind: 'half-open', successes: 2, probe: undefined })
    const third = breaker.admit(1_020)
    breaker.onIgnored(breaker.admit(1_020))
    breaker.onSuccess(third, 1, 1_030)
    expect(breaker.state(1_030).kind).toBe('closed')
  })

  test('opens again when one of several probes fails, and counts lost ones as failed', () => {
    const breaker = made({ consecutiveFailures: 1, probes: 3, maxConcurrentProbes: 2, probeLeaseMs: 500 })
    fail(breaker, 0)
    const late = breaker.admit(1_000)
    fail(breaker, 1_000)
    expect(breaker.state(1_000)).toMatchObject({ kind: 'open', openings: 2 })
    breaker.onSuccess(late, 1, 1_001)
    expect(breaker.state(1_001).kind).toBe('open')
    breaker.admit(3_000)
    breaker.admit(3_000)
    expect(breaker.admit(3_500)).toBe(REFUSED)
    expect(breaker.state(3_500)).toMatchObject({ kind: 'open', openings: 3 })
    expect(breaker.counters.probesLost).toBe(2)
  })

  test('takes a slow probe for a failed one', () => {
    const breaker = made({ consecutiveFailures: 1, slowCallMs: 100, openGrowth: 1 })
    fail(breaker, 0)
    succeed(breaker, 1_000, 100)
    expect(breaker.state(1_000)).toMatchObject({ kind: 'open', cause: 'probe' })
  })

  test('stays open longer each time, up to the cap', () => {
    const breaker = made({ consecutiveFailures: 1, openGrowth: 2, maxOpenMs: 3_000 })
    const openForMs: number[] = []
    for (let nowMs = 0, round = 0; round < 4; round++) {
      fail(breaker, nowMs)
      const state = breaker.state(nowMs)
      if (state.kind !== 'open') throw new Error(state.kind)
      openForMs.push(state.untilMs - nowMs)
      nowMs = state.untilMs
    }
    expect(openForMs).toEqual([1_000, 2_000, 3_000, 3_000])
  })

  test('forgets the growth only after it stayed closed for longer than it was open', () => {
    const breaker = made({ consecutiveFailures: 1, openGrowth: 2 })
    fail(breaker, 0)
    succeed(breaker, 1_000)
    fail(breaker, 1_500)
    expect(breaker.retryAfterMs(1_500)).toBe(2_000)
    succeed(breaker, 3_500)
    fail(breaker, 6_000)
    expect(breaker.retryAfterMs(6_000)).toBe(1_000)
  })

  test('spreads the ends of the open time of many instances', () => {
    const breaker = made({ consecutiveFailures: 1, openJitterRatio: 0.2 })
    fail(breaker, 0)
    expect(breaker.retryAfterMs(0)).toBe(900)
  })

  test('does as the operator says until told otherwise', () => {
    const breaker = made()
    breaker.forceOpen('ann')
    expect(breaker.admit(1_000_000)).toBe(REFUSED)
    expect(breaker.state(0)).toEqual({ kind: 'forced-open', by: 'ann' })
    breaker.forceClosed('bob')
    for (let call = 0; call < 100; call++) fail(breaker, 0)
    expect(breaker.state(0)).toEqual({ kind: 'forced-closed', by: 'bob' })
    breaker.reset(0)
    expect(breaker.state(0)).toMatchObject({ kind: 'closed', failures: 0 })
    breaker.trip(0)
    expect(breaker.state(0)).toMatchObject({ kind: 'open', cause: 'operator' })
  })

  test('in dark mode counts whom it would refuse and refuses nobody, and still finds out when it is over', () => {
    const breaker = made({ consecutiveFailures: 1, dark: true })
    fail(breaker, 0)
    for (let call = 0; call < 5; call++) fail(breaker, 500)
    expect(breaker.counters).toMatchObject({ wouldRefuse: 5, refused: 0 })
    succeed(breaker, 1_000)
    expect(breaker.state(1_000).kind).toBe('closed')
  })

  test('restores every kind of exported state', () => {
    const open = made({ consecutiveFailures: 1 })
    fail(open, 100)
    const half = made({ consecutiveFailures: 1 })
    half.restore({ kind: 'half-open', openings: 2 }, 50)
    expect(half.state(50)).toMatchObject({ kind: 'half-open', openings: 2 })
    const cut = made()
    cut.restore({ kind: 'open', remainingMs: 1e12, openings: 1 }, 0)
    expect(cut.retryAfterMs(0)).toBe(10_000)
    for (const state of [
      { kind: 'closed', consecutiveFailures: 2, openings: 1 },
      { kind: 'forced-open', by: 'ann' },
      { kind: 'forced-closed', by: 'ann' },
      open.export(600),
    ] as const) {
      const other = made()
      other.restore(state, 7)
      expect(other.export(7)).toEqual(state)
    }
  })

  test('refuses a state that is none', () => {
    expect(() => made().restore({ kind: 'open', remainingMs: NaN, openings: 1 }, 0)).toThrow(
      'not an exported state',
    )
    expect(() => made().restore({ kind: 'ajar' } as never, 0)).toThrow('not an exported state')
  })

  test('says all that is wrong with its options at once', () => {
    expect(() => made({ openMs: 100, failureRatio: 2, probes: 0 })).toThrow(
      /failureRatio must be from 0 to 1.*openMs must be above 100.*probes must be a whole number/,
    )
  })
})
