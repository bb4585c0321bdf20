import { VirtualClock } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { createCall } from '../call.ts'
import { errors } from '../errors.ts'
import { stack } from '../service.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { circuitBreaker } from './layer.ts'
import { outcomeOfError, outcomeOfStatus } from './outcome.ts'

const withStatus = (status: number, retryAfterMs?: number): Error =>
  Object.assign(new Error(`HTTP ${status}`), { status, retryAfterMs })

function failingWith(error: unknown): { run: () => Promise<unknown>; breaker: CircuitBreaker } {
  const breaker = new CircuitBreaker({ key: 'catalog', consecutiveFailures: 1 })
  const service = stack<string, string>(async () => {
    throw error
  }, [circuitBreaker({ breaker })])
  const clock = new VirtualClock()
  const run = async (): Promise<unknown> => {
    try {
      return await service('', createCall({}, { clock }))
    } catch (failure) {
      return failure
    }
  }
  return { breaker, run }
}

describe('the breaker layer', () => {
  test.each([
    ['an error nobody knows', new Error('socket hang up'), 'open'],
    ['500', withStatus(500), 'open'],
    ['503', withStatus(503), 'open'],
    ['503 with Retry-After', withStatus(503, 1_000), 'closed'],
    ['429', withStatus(429), 'closed'],
    ['404', withStatus(404), 'closed'],
    ['a missing tenant', errors.BW_RESILIENCE_TENANT_MISSING('none'), 'closed'],
    ['a full bulkhead', errors.BW_RESILIENCE_BULKHEAD_FULL('full'), 'closed'],
    ['a try that took too long', errors.BW_RESILIENCE_DEADLINE_EXCEEDED('late'), 'open'],
    ['an abort', new DOMException('gone', 'AbortError'), 'closed'],
    ['a thrown string', 'boom', 'open'],
  ])('after %s it is as it should be', async (_name, error, kind) => {
    const { run, breaker } = failingWith(error)
    expect(await run()).toBe(error)
    expect(breaker.state(0).kind).toBe(kind)
  })

  test('refuses with the time to come back, without calling', async () => {
    const { run, breaker } = failingWith(new Error('down'))
    breaker.trip(0)
    expect(await run()).toMatchObject({
      code: 'BW_RESILIENCE_CIRCUIT_OPEN',
      message: 'the breaker of catalog is open',
      details: { retryAfterMs: Math.ceil(breaker.retryAfterMs(0)) },
    })
  })

  test('does not hold a caller that went away against the dependency', async () => {
    const clock = new VirtualClock()
    const breaker = new CircuitBreaker({ consecutiveFailures: 1 })
    using call = createCall({}, { clock })
    const service = stack<string, string>(async () => {
      call.abort('gone')
      throw new Error('socket closed')
    }, [circuitBreaker({ breaker })])
    await expect(service('', call)).rejects.toThrow('socket closed')
    expect(breaker.state(0)).toMatchObject({ kind: 'closed', failures: 0 })
    expect(breaker.counters.ignored).toBe(1)
  })

  test('holds a deadline that passed while the dependency worked against it', async () => {
    const clock = new VirtualClock()
    const breaker = new CircuitBreaker({ consecutiveFailures: 1 })
    using call = createCall({ timeoutMs: 100 }, { clock })
    const service = stack<string, string>(
      (_request, inner) => new Promise((_resolve, reject) => inner.onAbort(reject)),
      [circuitBreaker({ breaker })],
    )
    const answer = service('', call).catch((error: unknown) => error)
    await clock.advance(100)
    expect(await answer).toMatchObject({ code: 'BW_RESILIENCE_DEADLINE_EXCEEDED' })
    expect(breaker.state(100).kind).toBe('open')
  })

  test('judges answers that carry a failure', async () => {
    const breaker = new CircuitBreaker({ consecutiveFailures: 1 })
    const service = stack<string, number>(
      async () => 500,
      [circuitBreaker({ breaker, outcomeOfResponse: (status) => outcomeOfStatus(status, false) })],
    )
    using call = createCall({}, { clock: new VirtualClock() })
    expect(await service('', call)).toBe(500)
    expect(breaker.state(0).kind).toBe('open')
  })

  test('reads a retry-after from the details of an error as well', () => {
    const error = errors.BW_RESILIENCE_CIRCUIT_OPEN('next hop is open', { details: { retryAfterMs: 10 } })
    expect(outcomeOfError(error)).toBe('failure')
    expect(outcomeOfError(errors.BW_RESILIENCE_HEDGE_LOST('lost'))).toBe('ignored')
  })
})
