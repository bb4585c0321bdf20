import { VirtualClock } from '@breakwater/core'
import { circuitBreaker, stack, timeout } from '@breakwater/resilience'
import { CircuitBreaker, REFUSED } from '@breakwater/resilience/machines'
import { describe, expect, test } from 'vitest'
import { callOn, failureOf, pass, takes, touchy } from '../support/calls.ts'

describe('bugs seen in opossum', () => {
  test('half-open lets one call through and refuses the flood behind it', () => {
    // https://github.com/nodeshift/opossum/issues/119
    const breaker = touchy()
    pass(breaker, 0, false)
    const permits = Array.from({ length: 100 }, () => breaker.admit(1_000))
    expect(permits.filter((permit) => permit !== REFUSED)).toHaveLength(1)
  })

  test('a failed probe opens the breaker again, however low the failure rate has become', () => {
    // https://github.com/nodeshift/opossum/issues/119
    const breaker = touchy({ consecutiveFailures: Infinity, minCalls: 10, failureRatio: 0.5, openGrowth: 1 })
    for (let call = 0; call < 10; call++) pass(breaker, 0, false)
    pass(breaker, 1_000, false)
    expect(breaker.state(1_000).kind).toBe('open')
    expect(breaker.admit(2_000)).not.toBe(REFUSED)
  })

  test('half-open is decided below the volume threshold too', () => {
    // https://github.com/nodeshift/opossum/issues/276
    const breaker = touchy({ consecutiveFailures: Infinity, minCalls: 20, openGrowth: 1 })
    for (let call = 0; call < 20; call++) pass(breaker, 0, false)
    const muchLaterMs = 60_000
    expect(pass(breaker, muchLaterMs, false)).toBe(true)
    expect(breaker.state(muchLaterMs).kind).toBe('open')
    expect(pass(breaker, muchLaterMs + 1_000, true)).toBe(true)
    expect(breaker.state(muchLaterMs + 1_000).kind).toBe('closed')
  })

  test('a rate over too few calls does not open it', () => {
    // https://github.com/nodeshift/opossum/issues/232
    const breaker = touchy({ consecutiveFailures: Infinity, minCalls: 20 })
    for (let call = 0; call < 19; call++) pass(breaker, call, false)
    expect(breaker.state(19).kind).toBe('closed')
    pass(breaker, 20, false)
    expect(breaker.state(20).kind).toBe('open')
  })

  test('a probe whose error is filtered out frees the place for the next probe', () => {
    // https://github.com/nodeshift/opossum/issues/388
    const breaker = touchy()
    pass(breaker, 0, false)
    const probe = breaker.admit(1_000)
    breaker.onIgnored(probe)
    expect(breaker.state(1_001).kind).toBe('half-open')
    expect(breaker.admit(1_001)).not.toBe(REFUSED)
  })

  test('it closes after the second half-open as it does after the first', () => {
    // https://github.com/nodeshift/opossum/pull/7 and https://github.com/nodeshift/opossum/issues/57
    const breaker = touchy({ openGrowth: 1 })
    pass(breaker, 0, false)
    pass(breaker, 1_000, false)
    expect(pass(breaker, 2_000, true)).toBe(true)
    expect(breaker.state(2_000).kind).toBe('closed')
  })

  test('results of calls made before it opened do not disturb the breaker that has closed again', () => {
    // https://github.com/nodeshift/opossum/issues/484
    const breaker = touchy()
    const slowOnes = Array.from({ length: 50 }, () => breaker.admit(0))
    pass(breaker, 0, false)
    pass(breaker, 1_000, true)
    for (const permit of slowOnes) breaker.onFailure(permit, 1_100, 1_100)
    expect(breaker.state(1_100)).toMatchObject({ kind: 'closed', failures: 0 })
    expect(breaker.counters.staleReports).toBe(50)
  })

  test('it becomes half-open by itself when no timer ever gets to run', () => {
    // https://github.com/nodeshift/opossum/issues/580
    const breaker = touchy()
    pass(breaker, 0, false)
    for (let nowMs = 0; nowMs < 1_000; nowMs++) expect(breaker.admit(nowMs)).toBe(REFUSED)
    expect(breaker.admit(1_000)).not.toBe(REFUSED)
  })

  test('an open breaker of a process that died goes on cooling down in the next one', () => {
    // https://github.com/nodeshift/opossum/issues/719 and https://github.com/nodeshift/opossum/issues/550
    const first = touchy()
    pass(first, 500, false)
    const saved = JSON.parse(JSON.stringify(first.export(600)))
    const second = touchy()
    second.restore(saved, 10, 300)
    expect(second.state(10)).toMatchObject({ kind: 'open', untilMs: 610 })
    expect(second.admit(609)).toBe(REFUSED)
    expect(second.admit(610)).not.toBe(REFUSED)
  })

  test('the first slow call does not open a breaker that tolerates three failures', async () => {
    // https://github.com/nodeshift/opossum/issues/288
    const clock = new VirtualClock()
    const breaker = touchy({ consecutiveFailures: 3 })
    let calls = 0
    const service = stack<string, string>(
      (request, call) => {
        calls++
        return takes(1_000, 'late')(request, call)
      },
      [circuitBreaker({ breaker }), timeout({ timeoutMs: 500 })],
    )
    for (let call = 1; call <= 4; call++) {
      const answer = service('', callOn(clock))
      const settled = failureOf(answer)
      await clock.advance(500)
      expect(await settled).toMatchObject({
        code: call <= 3 ? 'BW_RESILIENCE_DEADLINE_EXCEEDED' : 'BW_RESILIENCE_CIRCUIT_OPEN',
      })
    }
    expect(calls).toBe(3)
  })

  test('a timeout stops the work behind it instead of abandoning it', async () => {
    // https://github.com/nodeshift/opossum/issues/673
    const clock = new VirtualClock()
    const service = stack(takes(60_000, 'late'), [timeout({ timeoutMs: 100 })])
    const answer = failureOf(service('', callOn(clock)))
    await clock.advance(100)
    expect(await answer).toMatchObject({
      code: 'BW_RESILIENCE_DEADLINE_EXCEEDED',
    })
    expect(clock.nextDueMs()).toBe(Infinity)
  })

  test('the statistics of a long-lived breaker take no more room than those of a new one', () => {
    // https://github.com/nodeshift/opossum/issues/363
    const breaker = new CircuitBreaker({ windowMs: 1_000 })
    for (let nowMs = 0; nowMs < 1_000_000; nowMs += 100) pass(breaker, nowMs, true)
    expect(breaker.state(999_900)).toMatchObject({ kind: 'closed', calls: 10 })
  })
})
