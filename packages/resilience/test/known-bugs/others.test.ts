import { VirtualClock } from '@breakwater/core'
import { circuitBreaker, retry, stack } from '@breakwater/resilience'
import type { Service } from '@breakwater/resilience'
import { outcomeOfStatus, parseRetryAfter, REFUSED, RetryBudget } from '@breakwater/resilience/machines'
import { describe, expect, test } from 'vitest'
import { callOn, pass, touchy } from '../support/calls.ts'

class HttpError extends Error {
  readonly status: number
  readonly retryAfterMs: number | undefined
  constructor(status: number, retryAfterMs?: number) {
    super(`HTTP ${status}`)
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

describe('bugs seen in Envoy, agentmemory, vikunja-mcp and others', () => {
  test('a retry that waits for its turn has already been paid for', () => {
    // https://github.com/envoyproxy/envoy/issues/30205: retries in back-off were not counted
    const budget = new RetryBudget({ ratio: 0.2, minPerSecond: 0 })
    for (let call = 0; call < 10; call++) budget.deposit(0)
    const granted = Array.from({ length: 10 }, () => budget.withdraw(0))
    expect(granted.filter(Boolean)).toHaveLength(2)
  })

  test('calls that turn into retries do not shrink the budget of those still to fail', () => {
    // https://github.com/envoyproxy/envoy-mobile/pull/811
    const budget = new RetryBudget({ ratio: 1, minPerSecond: 0 })
    for (let call = 0; call < 6; call++) budget.deposit(0)
    expect(Array.from({ length: 6 }, () => budget.withdraw(1))).toEqual(Array(6).fill(true))
    expect(budget.withdraw(1)).toBe(false)
  })

  test('three 429 with Retry-After do not become a hundred open circuits', async () => {
    // https://github.com/rohitg00/agentmemory/issues/1075
    const clock = new VirtualClock()
    const breaker = touchy({ consecutiveFailures: 2 })
    let answers = 0
    const service = stack<string, string>(async () => {
      if (++answers <= 3) throw new HttpError(429, 2_000)
      return 'answer'
    }, [circuitBreaker({ breaker })])
    for (let call = 0; call < 3; call++) await expect(service('', callOn(clock))).rejects.toThrow('HTTP 429')
    await expect(service('', callOn(clock))).resolves.toBe('answer')
    expect(outcomeOfStatus(429, false)).toBe('ignored')
    expect(outcomeOfStatus(503, true)).toBe('ignored')
    expect(outcomeOfStatus(503, false)).toBe('failure')
  })

  test('Retry-After is understood in seconds and as a date, and waited for', async () => {
    // https://github.com/rohitg00/agentmemory/issues/1075
    const nowMs = Date.UTC(2026, 10, 23, 8, 0, 0)
    expect(parseRetryAfter('120', nowMs)).toBe(120_000)
    expect(parseRetryAfter('Mon, 23 Nov 2026 08:00:30 GMT', nowMs)).toBe(30_000)
    const clock = new VirtualClock()
    const triedAtMs: number[] = []
    const service = stack<string, string>(
      async (_request, call) => {
        triedAtMs.push(call.clock.now())
        if (triedAtMs.length === 1) throw new HttpError(429, 3_000)
        return 'answer'
      },
      [
        retry(
          { budget: new RetryBudget(), retryable: () => true, initialBackoffMs: 100 },
          { random: () => 0.5 },
        ),
      ],
    )
    const answer = service('', callOn(clock))
    await clock.advance(4_000)
    await expect(answer).resolves.toBe('answer')
    expect(triedAtMs).toEqual([0, 3_050])
  })

  test('a breaker shared by two functions calls the one it was given each time', async () => {
    // https://github.com/democratize-technology/vikunja-mcp/pull/90: the first action was replayed for ever
    const clock = new VirtualClock()
    const layer = circuitBreaker<string, string>({ breaker: touchy() })
    const list: Service<string, string> = async () => 'list'
    const remove: Service<string, string> = async () => 'remove'
    const [listing, removing] = [layer(list), layer(remove)]
    expect(await listing('', callOn(clock))).toBe('list')
    expect(await removing('', callOn(clock))).toBe('remove')
  })

  test('one failure after the pause is enough to open it again', () => {
    // https://github.com/openclaw/openclaw/pull/100176: the cooldown forgot the failures, so it never opened again
    const breaker = touchy({ consecutiveFailures: 3, openGrowth: 1 })
    for (let call = 0; call < 3; call++) pass(breaker, 0, false)
    pass(breaker, 1_000, false)
    expect(breaker.admit(1_001)).toBe(REFUSED)
  })

  test('a call whose answer has begun is not tried again', async () => {
    // https://github.com/grpc/proposal/blob/master/A6-client-retries.md: commit on the first response header
    const clock = new VirtualClock()
    const { errors } = await import('@breakwater/resilience')
    let attempts = 0
    const service = stack<string, string>(async () => {
      attempts++
      throw errors.BW_RESILIENCE_DEADLINE_EXCEEDED('cut off', { details: { responseStarted: true } })
    }, [retry({ budget: new RetryBudget(), retryable: () => true })])
    await expect(service('', callOn(clock))).rejects.toThrow('cut off')
    expect(attempts).toBe(1)
  })
})
