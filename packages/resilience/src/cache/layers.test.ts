import { VirtualClock } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { createCall } from '../call.ts'
import type { Call, OwnedCall } from '../call.ts'
import { errors } from '../errors.ts'
import type { Service } from '../service.ts'
import { cached } from './cached.ts'
import { Coalescer } from './coalescer.ts'
import { coalesce } from './coalesce.ts'
import { StaleCache } from './stale-cache.ts'

const LIFE = { freshMs: 1000, staleWhileRevalidateMs: 1000, staleIfErrorMs: 60_000 }

/** Answers after 100 ms with the number of the call; honours aborts; fails while `down`. */
function upstream(clock: VirtualClock) {
  const state = { calls: 0, aborted: 0, down: false, failure: new Error('down') }
  const service: Service<string, string> = (request, call) => {
    state.calls++
    const answer = `${request}${state.calls}`
    return new Promise((resolve, reject) => {
      const timer = clock.schedule(100, () => {
        subscription.cancel()
        if (state.down) reject(state.failure)
        else resolve(answer)
      })
      const subscription = call.onAbort((reason) => {
        state.aborted++
        timer.cancel()
        reject(reason)
      })
    })
  }
  return { state, service }
}

function ask(service: Service<string, string>, request: string, call: Call) {
  const outcome: { value?: string; error?: unknown } = {}
  service(request, call).then(
    (value) => (outcome.value = value),
    (error: unknown) => (outcome.error = error),
  )
  return outcome
}

describe('coalesce', () => {
  const setUp = () => {
    const clock = new VirtualClock()
    const { state, service } = upstream(clock)
    const coalescer = new Coalescer<string>()
    const key = (request: string): string | undefined => (request.startsWith('get') ? request : undefined)
    const shared = coalesce<string, string>({ coalescer, key })(service)
    const caller = (timeoutMs?: number): OwnedCall =>
      createCall(timeoutMs === undefined ? {} : { timeoutMs }, { clock })
    return { clock, state, shared, caller, coalescer }
  }

  test('makes one call of many for the same thing, and none for what must not be shared', async () => {
    const { clock, state, shared, caller } = setUp()
    const outcomes = ['get a', 'get a', 'get b', 'post'].map((request) => ask(shared, request, caller()))
    ask(shared, 'post', caller())
    await clock.advance(100)
    expect(state.calls).toBe(4)
    expect(outcomes[0]?.value).toBe(outcomes[1]?.value)
  })

  test('goes on for the followers when the leader goes away', async () => {
    const { clock, state, shared, caller } = setUp()
    const leader = caller()
    const left = ask(shared, 'get a', leader)
    const stayed = ask(shared, 'get a', caller())
    await clock.advance(10)
    leader.abort(new Error('gone'))
    await clock.advance(100)
    expect([left.error, stayed.value, state.calls]).toEqual([new Error('gone'), 'get a1', 1])
  })

  test('calls the work off when the last one goes away, and begins anew for the next', async () => {
    const { clock, state, shared, caller, coalescer } = setUp()
    const [first, second] = [caller(), caller()]
    ask(shared, 'get a', first)
    ask(shared, 'get a', second)
    await clock.advance(10)
    first.abort(new Error('gone'))
    expect(state.aborted).toBe(0)
    second.abort(new Error('gone'))
    const next = ask(shared, 'get a', caller())
    await clock.advance(100)
    expect([state.aborted, state.calls, next.value, coalescer.flights]).toEqual([1, 2, 'get a2', 0])
  })

  test('hands over when the leader runs out of time', async () => {
    const { clock, state, shared, caller } = setUp()
    const leader = ask(shared, 'get a', caller(50))
    const follower = ask(shared, 'get a', caller(1000))
    await clock.advance(50)
    expect(leader.error).toMatchObject({ code: 'BW_RESILIENCE_DEADLINE_EXCEEDED' })
    await clock.advance(100)
    expect([follower.value, state.calls]).toEqual(['get a2', 2])
  })

  test('shares the failure of the upstream, without a stampede', async () => {
    const { clock, state, shared, caller } = setUp()
    state.down = true
    const outcomes = [1, 2, 3].map(() => ask(shared, 'get a', caller()))
    await clock.advance(500)
    expect(outcomes.map(({ error }) => error)).toEqual(Array(3).fill(state.failure))
    expect(state.calls).toBe(1)
  })

  test('does not fail the followers for a fault of the leader', async () => {
    const { clock, state, shared, caller } = setUp()
    state.down = true
    state.failure = errors.BW_RESILIENCE_TENANT_MISSING('no tenant')
    const leader = ask(shared, 'get a', caller())
    const follower = ask(shared, 'get a', caller())
    await clock.advance(100)
    expect(leader.error).toBe(state.failure)
    state.down = false
    await clock.advance(100)
    expect(follower.value).toBe('get a2')
  })
})

describe('cached', () => {
  const setUp = () => {
    const clock = new VirtualClock()
    const { state, service } = upstream(clock)
    const cache = new StaleCache<string>()
    const layer = cached<string, string>({
      cache,
      key: (request) => (request.startsWith('get') ? request : undefined),
      lifetime: () => LIFE,
      sizeOf: (response) => response.length,
    })
    const service2 = layer(service)
    const caller = (): OwnedCall => createCall({}, { clock })
    return { clock, state, service: service2, caller, cache }
  }

  test('serves a fresh answer without a call', async () => {
    const { clock, state, service, caller } = setUp()
    ask(service, 'get a', caller())
    await clock.advance(100)
    const again = ask(service, 'get a', caller())
    await clock.advance(0)
    expect([again.value, state.calls]).toEqual(['get a1', 1])
  })

  test('serves a stale answer at once and fetches one newer one behind it', async () => {
    const { clock, state, service, caller } = setUp()
    ask(service, 'get a', caller())
    await clock.advance(1500)
    const stale = [1, 2, 3].map(() => ask(service, 'get a', caller()))
    await clock.advance(0)
    expect(stale.map(({ value }) => value)).toEqual(['get a1', 'get a1', 'get a1'])
    await clock.advance(200)
    expect(state.calls).toBe(2)
    const fresh = ask(service, 'get a', caller())
    await clock.advance(0)
    expect(fresh.value).toBe('get a2')
  })

  test('stands in for a failing upstream, and says so', async () => {
    const { clock, state, service, caller } = setUp()
    ask(service, 'get a', caller())
    await clock.advance(5000)
    state.down = true
    const call = caller()
    const answer = ask(service, 'get a', call)
    const unknown = ask(service, 'get b', caller())
    await clock.advance(200)
    expect([answer.value, call.degraded, unknown.error]).toEqual(['get a1', ['stale'], state.failure])
  })

  test('gives a caller who has gone away his abort and not an old answer', async () => {
    const { clock, service, caller } = setUp()
    ask(service, 'get a', caller())
    await clock.advance(5000)
    const call = caller()
    const answer = ask(service, 'get a', call)
    await clock.advance(10)
    call.abort(new Error('gone'))
    await clock.advance(10)
    expect(answer.error).toEqual(new Error('gone'))
  })

  test('neither looks up nor keeps what has no key', async () => {
    const { clock, state, service, caller, cache } = setUp()
    ask(service, 'post', caller())
    await clock.advance(100)
    ask(service, 'post', caller())
    await clock.advance(100)
    expect([state.calls, cache.size]).toEqual([2, 0])
  })

  test('refuses refreshes without time, all problems at once', () => {
    const key = (request: string): string => request
    const rest = { cache: new StaleCache<string>(), key, lifetime: () => LIFE, sizeOf: () => 1 }
    expect(() => cached<string, string>({ ...rest, refreshTimeoutMs: 0, maxRefreshes: -1 })).toThrow(
      'refreshTimeoutMs must be above 0, got 0; maxRefreshes must be a whole number, 0 or more, got -1',
    )
  })
})
