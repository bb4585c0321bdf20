import { createRandom } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { SlowStart } from '../slow-start/slow-start.ts'
import { BalancedEndpoint } from './endpoint.ts'
import { P2cEwmaBalancer } from './p2c-ewma.ts'
import type { P2cEwmaOptions } from './p2c-ewma.ts'

interface Behaviour {
  readonly ms: number
  readonly fails?: number
  readonly retryAfterMs?: number
}

function world(behaviours: Record<string, Behaviour>, options: P2cEwmaOptions = {}, weights: number[] = []) {
  const random = createRandom(9)
  const balancer = new P2cEwmaBalancer(options, { random })
  const endpoints = Object.keys(behaviours).map((id, index) => new BalancedEndpoint(id, weights[index]))
  balancer.setEndpoints(endpoints)
  /** One request every `gapMs`; answers come back in time order. Returns the share of each endpoint. */
  const run = (count: number, gapMs = 1, fromMs = 0): Record<string, number> => {
    const shares: Record<string, number> = Object.fromEntries(endpoints.map(({ id }) => [id, 0]))
    const running: { endpoint: BalancedEndpoint; startedMs: number; endMs: number }[] = []
    for (let index = 0; index < count || running.length > 0; index++) {
      const nowMs = fromMs + index * gapMs
      for (const each of running.filter(({ endMs }) => endMs <= nowMs)) {
        running.splice(running.indexOf(each), 1)
        const { endpoint, startedMs, endMs } = each
        const { fails = 0, retryAfterMs } = behaviours[endpoint.id] as Behaviour
        if (random() < fails) balancer.onFailure(endpoint, endMs - startedMs, endMs, retryAfterMs)
        else balancer.onSuccess(endpoint, endMs - startedMs, endMs)
      }
      const endpoint = index < count ? balancer.pick(nowMs) : undefined
      if (endpoint === undefined) continue
      balancer.onStart(endpoint)
      running.push({ endpoint, startedMs: nowMs, endMs: nowMs + (behaviours[endpoint.id]?.ms ?? 0) })
      shares[endpoint.id] = (shares[endpoint.id] ?? 0) + 1 / count
    }
    return shares
  }
  return { balancer, endpoints, run }
}

describe('P2cEwmaBalancer', () => {
  test('shares evenly among equals', () => {
    const shares = world({ a: { ms: 10 }, b: { ms: 10 }, c: { ms: 10 } }).run(6000)
    for (const share of Object.values(shares)) expect(share).toBeGreaterThan(0.28)
  })

  test('sends a slow endpoint less', () => {
    const shares = world({ fast: { ms: 10 }, slow: { ms: 100 } }).run(5000)
    expect(shares['slow']).toBeLessThan(0.15)
  })

  test('is not drawn to an endpoint that fails fast', () => {
    const shares = world({ a: { ms: 20 }, b: { ms: 20 }, broken: { ms: 1, fails: 1 } }).run(20_000)
    expect(shares['broken']).toBeLessThan(0.03)
  })

  test('hardly notices one failure in a hundred', () => {
    const shares = world({ a: { ms: 10 }, b: { ms: 10, fails: 0.01 } }).run(20_000)
    expect(shares['b']).toBeGreaterThan(0.3)
  })

  test('passes over an endpoint for as long as it asked to be left alone', () => {
    const { balancer, endpoints, run } = world({ a: { ms: 1 }, b: { ms: 1 } })
    run(100)
    const [a, b] = endpoints as [BalancedEndpoint, BalancedEndpoint]
    balancer.onFailure(a, 1, 200, 5000)
    for (let nowMs = 200; nowMs < 5200; nowMs += 50) expect(balancer.pick(nowMs)).toBe(b)
    expect(run(500, 1, 90_000)['a']).toBeGreaterThan(0.3)
  })

  test('does not let an upstream ask for a pause without end', () => {
    const { balancer, endpoints } = world({ a: { ms: 1 }, b: { ms: 1 } }, { maxPauseMs: 1000 })
    balancer.onFailure(endpoints[0] as BalancedEndpoint, 1, 0, Infinity)
    expect(endpoints[0]?.pausedUntilMs).toBe(1000)
  })

  test('picks an endpoint that was not tried yet, and a tried one only when there is no other', () => {
    const { balancer } = world({ a: { ms: 1 }, b: { ms: 1 }, c: { ms: 1 } })
    for (let round = 0; round < 50; round++) {
      expect(balancer.pick(0, ['a', 'c'])?.id).toBe('b')
      expect(balancer.pick(0, ['a', 'b', 'c'])).toBeDefined()
    }
  })

  test('gives endpoints their weight', () => {
    const shares = world({ a: { ms: 10 }, b: { ms: 10 } }, {}, [1, 3]).run(8000, 5)
    expect(shares['b']).toBeGreaterThan(0.65)
    expect(shares['b']).toBeLessThan(0.95)
  })

  test('starts a returning endpoint slowly, and lets it reach its share', () => {
    const { balancer, endpoints, run } = world(
      { a: { ms: 10 }, b: { ms: 10 }, c: { ms: 10 } },
      { slowStart: new SlowStart({ windowMs: 10_000 }) },
    )
    run(1000)
    const back = endpoints[2] as BalancedEndpoint
    balancer.setUsable(back, false, 1000)
    balancer.setUsable(back, true, 2000)
    expect(run(1000, 1, 2000)['c']).toBeLessThan(0.15)
    expect(run(1000, 1, 13_000)['c']).toBeGreaterThan(0.25)
  })

  test('does not flood an endpoint it knows nothing about', () => {
    const { balancer, endpoints, run } = world({ a: { ms: 10 }, b: { ms: 10 }, new: { ms: 10 } })
    balancer.setEndpoints(endpoints.slice(0, 2))
    run(500)
    balancer.setEndpoints(endpoints)
    const picked = Array.from({ length: 90 }, () => {
      const endpoint = balancer.pick(501) as BalancedEndpoint
      balancer.onStart(endpoint)
      return endpoint.id
    })
    expect(picked.filter((id) => id === 'new').length).toBeLessThan(40)
  })

  test('serves with one endpoint, whatever its state, and says so when there is none', () => {
    const { balancer, endpoints } = world({ only: { ms: 1 } })
    const [only] = endpoints as [BalancedEndpoint]
    balancer.setUsable(only, false, 0)
    balancer.onFailure(only, 1, 0, 10_000)
    expect(balancer.pick(0, ['only'])).toBe(only)
    balancer.setEndpoints([])
    expect(balancer.pick(0)).toBeUndefined()
  })

  test('uses no unusable endpoint, until so few are left that it uses all', () => {
    const { balancer, endpoints, run } = world({ a: { ms: 5 }, b: { ms: 5 }, c: { ms: 5 } })
    balancer.setUsable(endpoints[0] as BalancedEndpoint, false, 0)
    expect(run(500)['a']).toBe(0)
    expect(balancer.panicking).toBe(false)
    balancer.setUsable(endpoints[1] as BalancedEndpoint, false, 0)
    expect(balancer.panicking).toBe(true)
    const shares = run(900, 1, 500)
    for (const id of ['a', 'b', 'c']) expect(shares[id]).toBeGreaterThan(0.2)
    expect(balancer.panics).toBeGreaterThan(0)
  })

  test('forgets a slow answer in time', () => {
    const { balancer, endpoints, run } = world({ a: { ms: 10 }, b: { ms: 10 } })
    run(500)
    const [a] = endpoints as [BalancedEndpoint]
    balancer.onStart(a)
    balancer.onSuccess(a, 2000, 600)
    expect(run(500, 1, 700)['a']).toBeLessThan(0.2)
    expect(run(2000, 1, 90_000)['a']).toBeGreaterThan(0.35)
  })

  test('refuses endpoints without weight or with one name', () => {
    const { balancer } = world({ a: { ms: 1 } })
    expect(() => balancer.setEndpoints([new BalancedEndpoint('a', 0), new BalancedEndpoint('a')])).toThrow(
      /weight.*differ/,
    )
  })
})
