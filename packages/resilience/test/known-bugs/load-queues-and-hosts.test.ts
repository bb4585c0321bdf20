import { createRandom, VirtualClock } from '@breakwater/core'
import { coalesce, createCall } from '@breakwater/resilience'
import {
  BalancedEndpoint,
  Coalescer,
  LoadShedder,
  OutlierDetector,
  P2cEwmaBalancer,
  StaleCache,
  Waiter,
} from '@breakwater/resilience/load'
import type { WatchedHost } from '@breakwater/resilience/load'
import { describe, expect, test } from 'vitest'
import { overload } from '../support/overload.ts'

function detectorOf(
  count: number,
  maxEjectedRatio: number,
): { detector: OutlierDetector; failAll: () => void } {
  const detector = new OutlierDetector({ maxEjectedRatio }, 0)
  detector.setHosts(Array.from({ length: count }, (_, index) => `h${index}`))
  return {
    detector,
    failAll: () => {
      for (const host of detector.hosts)
        for (let error = 0; error < 20; error++) detector.record(host, 'gateway-error', 0)
    },
  }
}

describe('bugs of queues', () => {
  test('a queue under overload does not hand out expired requests only', () => {
    // "Fail at Scale", https://queue.acm.org/detail.cfm?id=2839461: a FIFO queue served only requests nobody waited for
    const { byPriority } = overload({ load: 2, shares: [0, 0, 1], control: true })
    const late = byPriority.reduce((sum, tally) => sum + tally.late, 0)
    const good = byPriority.reduce((sum, tally) => sum + tally.good, 0)
    expect(late).toBeLessThan(good * 0.01)
  })

  test('a stalled upstream does not leave a full queue of the dead behind', () => {
    // https://queue.acm.org/detail.cfm?id=2839461
    let shed = 0
    const queue = new LoadShedder({ maxDelayMs: 100 }, { seed: 1, onShed: () => shed++ })
    for (let index = 0; index < 500; index++) queue.offer(new Waiter(), 0)
    const fresh = new Waiter()
    expect(queue.next(5000)).toBeUndefined()
    expect([shed, queue.queued]).toEqual([500, 0])
    expect(queue.offer(fresh, 5000)).toBe(true)
    expect(queue.next(5001)).toBe(fresh)
  })

  test('a waiter whose caller has gone frees its place', () => {
    // https://github.com/knative/serving/pull/4776: timed-out requests kept their pending slots
    const queue = new LoadShedder({ maxQueued: 3 }, { seed: 1, onShed: () => {} })
    for (let round = 0; round < 100; round++) {
      const waiter = new Waiter()
      expect(queue.offer(waiter, round)).toBe(true)
      expect(queue.cancel(waiter)).toBe(true)
    }
    expect(queue.queued).toBe(0)
  })
})

describe('bugs of outlier ejection', () => {
  test('the cap counts the host about to be ejected', () => {
    // https://github.com/envoyproxy/envoy/issues/26877: 50 % of three ejected two; https://github.com/envoyproxy/envoy/issues/27066
    const { detector, failAll } = detectorOf(3, 0.5)
    failAll()
    expect(detector.ejected).toBe(1)
    const two = detectorOf(3, 0.67)
    two.failAll()
    expect(two.detector.ejected).toBe(2)
  })

  test('the cap holds for the first host too', () => {
    // https://github.com/envoyproxy/envoy/issues/3263: one host was always ejected, whatever the percentage
    const { detector, failAll } = detectorOf(2, 0.1)
    failAll()
    expect(detector.ejected).toBe(0)
  })

  test('the only host stays', () => {
    // https://github.com/envoyproxy/envoy/issues/17504 and https://github.com/envoyproxy/envoy/issues/2671
    const { detector, failAll } = detectorOf(1, 1)
    failAll()
    expect(detector.ejected).toBe(0)
  })

  test('a default cap ejects from a pool of three', () => {
    // https://github.com/envoyproxy/envoy/pull/34796: with a strict cap of 10 % the control was inert below ten hosts
    const detector = new OutlierDetector({}, 0)
    detector.setHosts(['a', 'b', 'c'])
    const host = detector.host('a') as WatchedHost
    for (let error = 0; error < 5; error++) detector.record(host, 'server-error', 0)
    expect(host.ejected).toBe(true)
  })
})

describe('bugs of balancers', () => {
  test('an endpoint whose errors are quick does not draw the traffic', () => {
    // https://github.com/kubernetes/ingress-nginx/issues/5540, https://github.com/kubernetes/ingress-nginx/pull/9882,
    // https://linkerd.io/2-edge/tasks/rate-limit-aware-load-balancing/
    const random = createRandom(2)
    const balancer = new P2cEwmaBalancer({}, { random })
    const [good, bad] = [new BalancedEndpoint('good'), new BalancedEndpoint('bad')]
    balancer.setEndpoints([good, bad])
    let toBad = 0
    for (let nowMs = 0; nowMs < 20_000; nowMs += 2) {
      const endpoint = balancer.pick(nowMs) as BalancedEndpoint
      balancer.onStart(endpoint)
      if (endpoint === good) balancer.onSuccess(good, 40, nowMs)
      else {
        toBad++
        balancer.onFailure(bad, 1, nowMs)
      }
    }
    expect(toBad / 10_000).toBeLessThan(0.05)
  })

  test('the slower of two is asked less, and the rate as a whole stays', () => {
    // https://github.com/linkerd/linkerd2/issues/5017: fast and slow received the same rate
    const balancer = new P2cEwmaBalancer({}, { random: createRandom(8) })
    const [fast, slow] = [new BalancedEndpoint('fast'), new BalancedEndpoint('slow')]
    balancer.setEndpoints([fast, slow])
    let toSlow = 0
    for (let nowMs = 0; nowMs < 5000; nowMs += 1) {
      const endpoint = balancer.pick(nowMs) as BalancedEndpoint
      balancer.onStart(endpoint)
      if (endpoint === slow) toSlow++
      balancer.onSuccess(endpoint, endpoint === slow ? 50 : 1, nowMs)
    }
    expect(toSlow).toBeLessThan(250)
  })
})

describe('bugs of caches and coalescing', () => {
  test('a cache with a new key for every request does not grow', () => {
    // https://github.com/nodeshift/opossum/issues/635, https://github.com/nodeshift/opossum/issues/363: state that only ever grew
    const cache = new StaleCache<string>({ maxEntries: 100, maxBytes: 100_000 })
    const life = { freshMs: 1e9, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 }
    for (let index = 0; index < 50_000; index++) cache.set(`?buster=${index}`, 'x', 500, life, 0)
    expect(cache.size).toBeLessThanOrEqual(100)
    expect(cache.bytes).toBeLessThanOrEqual(100_000)
  })

  test('a leader who goes away fails nobody, and only one takes over', async () => {
    // https://github.com/PureWhiteWu/async_singleflight/issues/12: several followers became leader
    const clock = new VirtualClock()
    let running = 0
    let most = 0
    const service = coalesce<string, string>({ coalescer: new Coalescer(), key: () => 'k' })(
      (_request, call) =>
        new Promise((resolve, reject) => {
          most = Math.max(most, ++running)
          const end = (finish: () => void) => (): void => {
            running--
            finish()
          }
          const timer = clock.schedule(
            100,
            end(() => {
              subscription.cancel()
              resolve('value')
            }),
          )
          const subscription = call.onAbort((reason) => {
            timer.cancel()
            end(() => reject(reason))()
          })
        }),
    )
    const short = createCall({ timeoutMs: 50 }, { clock })
    const leader = service('x', short).catch(() => 'timed out')
    const followers = [1, 2, 3].map(() => service('x', createCall({}, { clock })))
    await clock.advance(200)
    expect(await leader).toBe('timed out')
    expect(await Promise.all(followers)).toEqual(['value', 'value', 'value'])
    expect(most).toBe(1)
  })

  test('a follower does not wait longer than its own deadline', async () => {
    // https://github.com/pomerium/pomerium/pull/6652: followers waited for the leader, whatever their own time
    const clock = new VirtualClock()
    const service = coalesce<string, string>({ coalescer: new Coalescer(), key: () => 'k' })(
      () => new Promise((resolve) => clock.schedule(300_000, () => resolve('late'))),
    )
    void service('x', createCall({}, { clock }))
    const follower = service('x', createCall({ timeoutMs: 100 }, { clock })).catch((error: unknown) => error)
    await clock.advance(100)
    expect(await follower).toMatchObject({ code: 'BW_RESILIENCE_DEADLINE_EXCEEDED' })
  })
})
