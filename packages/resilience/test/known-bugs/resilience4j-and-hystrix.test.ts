import { VirtualClock } from '@breakwater/core'
import { circuitBreaker, stack, timeout } from '@breakwater/resilience'
import { REFUSED } from '@breakwater/resilience/machines'
import { describe, expect, test } from 'vitest'
import { callOn, pass, takes, touchy } from '../support/calls.ts'

describe('bugs seen in resilience4j, Hystrix and semian', () => {
  test('an ignored error of the last probe leaves room for another one', () => {
    // https://github.com/resilience4j/resilience4j/issues/544
    const breaker = touchy({ probes: 2 })
    pass(breaker, 0, false)
    pass(breaker, 1_000, true)
    breaker.onIgnored(breaker.admit(1_001))
    pass(breaker, 1_002, true)
    expect(breaker.state(1_002).kind).toBe('closed')
  })

  test('a probe that never reports does not keep the breaker half-open for ever', () => {
    // https://github.com/resilience4j/resilience4j/issues/935 and https://github.com/resilience4j/resilience4j/issues/903
    const breaker = touchy({ probeLeaseMs: 5_000, openGrowth: 1 })
    pass(breaker, 0, false)
    const lost = breaker.admit(1_000)
    expect(breaker.admit(5_999)).toBe(REFUSED)
    expect(breaker.admit(6_000)).toBe(REFUSED)
    expect(breaker.counters.probesLost).toBe(1)
    expect(pass(breaker, 7_000, true)).toBe(true)
    expect(breaker.state(7_000).kind).toBe('closed')
    breaker.onFailure(lost, 9_000, 10_000)
    expect(breaker.state(10_000)).toMatchObject({ kind: 'closed', failures: 0 })
  })

  test('asking whether a call would be admitted takes no probe', () => {
    // https://github.com/resilience4j/resilience4j/issues/858
    const breaker = touchy()
    pass(breaker, 0, false)
    for (let look = 0; look < 10; look++) expect(breaker.mayAdmit(1_000)).toBe(true)
    for (let look = 0; look < 10; look++) expect(breaker.state(1_000).kind).toBe('half-open')
    expect(pass(breaker, 1_000, true)).toBe(true)
  })

  test('the calls that meet the end of the open time share one probe', () => {
    // https://github.com/resilience4j/resilience4j/issues/1432 and
    // https://github.com/joshrotenberg/tower-resilience/pull/407
    const breaker = touchy({ probes: 3 })
    pass(breaker, 0, false)
    const burst = Array.from({ length: 12 }, () => breaker.admit(1_000))
    expect(burst.filter((permit) => permit !== REFUSED)).toHaveLength(1)
    expect(breaker.counters.probes).toBe(1)
  })

  test('every end of the open time gives a permit, also after many failed probes', () => {
    // https://github.com/resilience4j/resilience4j/issues/1568
    const breaker = touchy({ openGrowth: 1 })
    pass(breaker, 0, false)
    for (let round = 1; round <= 50; round++) expect(pass(breaker, round * 1_000, false)).toBe(true)
  })

  test('callers that would time out are refused while the one probe is under way', async () => {
    // https://github.com/resilience4j/resilience4j/issues/343
    const clock = new VirtualClock()
    const breaker = touchy()
    pass(breaker, 0, false)
    await clock.advance(1_000)
    let reached = 0
    const service = stack<string, string>(
      (request, call) => {
        reached++
        return takes(60_000, 'late')(request, call)
      },
      [circuitBreaker({ breaker }), timeout({ timeoutMs: 500 })],
    )
    const answers = Array.from({ length: 20 }, () => service('', callOn(clock)))
    const settled = Promise.allSettled(answers)
    await clock.advance(500)
    expect((await settled).every((answer) => answer.status === 'rejected')).toBe(true)
    expect(reached).toBe(1)
  })

  test('late failures of calls admitted before it opened cannot hold it open for ever', () => {
    // https://github.com/Netflix/Hystrix/issues/1781 and https://github.com/Netflix/Hystrix/issues/1861
    const breaker = touchy()
    const before = Array.from({ length: 100 }, () => breaker.admit(0))
    pass(breaker, 0, false)
    const probe = breaker.admit(1_000)
    for (const permit of before) breaker.onFailure(permit, 1_000, 1_000)
    breaker.onSuccess(probe, 10, 1_010)
    expect(breaker.state(1_010).kind).toBe('closed')
  })

  test('the successes of one half-open do not count in the next', () => {
    // https://github.com/Shopify/semian/pull/192
    const breaker = touchy({ probes: 2, openGrowth: 1 })
    pass(breaker, 0, false)
    pass(breaker, 1_000, true)
    pass(breaker, 1_001, false)
    expect(breaker.state(1_001).kind).toBe('open')
    pass(breaker, 2_001, true)
    expect(breaker.state(2_001)).toMatchObject({ kind: 'half-open', successes: 1 })
  })
})
