import { createRandom, VirtualClock } from '@breakwater/core'
import { admission, createCall } from '@breakwater/resilience'
import type { Service } from '@breakwater/resilience'
import { AdaptiveLimit, ClientThrottle, GcraLimiter } from '@breakwater/resilience/load'
import { describe, expect, test } from 'vitest'
import { poisson, QueueingServer } from '../support/queueing.ts'

/** An overloaded server behind an adaptive limit: `workers` at `serviceMs`, offered `perSecond`. */
function overloaded(limit: AdaptiveLimit, workers: number, serviceMs: number, perSecond: number) {
  const clock = new VirtualClock()
  const random = createRandom(21)
  const server = new QueueingServer(clock, workers, serviceMs, random)
  const seen = { refused: 0, lowest: Infinity }
  poisson(
    clock,
    random,
    () => perSecond,
    () => {
      seen.lowest = Math.min(seen.lowest, limit.limit)
      if (!limit.tryAcquire()) {
        seen.refused++
        return
      }
      const startedMs = clock.now()
      server.submit(() => limit.onSuccess(startedMs, clock.now()))
    },
  )
  return { clock, server, seen }
}

describe('bugs of concurrency limits', () => {
  test('the baseline does not climb window after window under sustained load', () => {
    // https://github.com/envoyproxy/envoy/pull/11579: samples from before the window raised the minRTT each time
    const limit = new AdaptiveLimit({}, 0)
    const { clock } = overloaded(limit, 8, 50, 320)
    clock.runUntil(120_000)
    const early = limit.limit
    clock.runUntil(1_800_000)
    expect(limit.baselineMs).toBeLessThan(50 * 1.5)
    expect(limit.limit).toBeLessThanOrEqual(Math.max(24, early * 1.5))
  })

  test('a request that began before a change of the limit is not measured after it', () => {
    // https://github.com/envoyproxy/envoy/pull/11579
    const limit = new AdaptiveLimit({ initialLimit: 50, minSamples: 10, windowMs: 1 }, 0)
    const old = 40
    for (let index = 0; index < old; index++) limit.tryAcquire()
    for (let nowMs = 0; limit.limit === 50; nowMs += 10) {
      while (limit.tryAcquire());
      while (limit.inflight > old) limit.onSuccess(nowMs, nowMs + 10)
    }
    const after = limit.limit
    expect(after).toBe(100)
    while (limit.tryAcquire());
    for (let index = 0; index < old; index++) {
      limit.onSuccess(0, 10_000)
      limit.tryAcquire()
    }
    expect([limit.limit, limit.experimenting, limit.baselineMs]).toEqual([after, false, 10])
  })

  test('measuring the baseline never pins concurrency to a few and refuses healthy load', () => {
    // https://github.com/envoyproxy/envoy/issues/46532 and https://github.com/envoyproxy/envoy/issues/8337
    const limit = new AdaptiveLimit({ recheckMs: 1000 }, 0)
    const { clock, seen } = overloaded(limit, 100, 20, 400)
    clock.runUntil(300_000)
    // Of 120 000 requests: the limit fits the load, with the odd peak above it.
    expect(seen.refused).toBeLessThan(5)
    expect(seen.lowest).toBeGreaterThanOrEqual(20)
  })

  test('the floor of the limit may be small without making measurements harmful', () => {
    // https://github.com/envoyproxy/envoy/issues/46532: one number served as probe and as floor
    const limit = new AdaptiveLimit({ minLimit: 1, recheckMs: 5000 }, 0)
    const { clock, server } = overloaded(limit, 32, 20, 3200)
    clock.runUntil(20_000)
    const done = server.done
    clock.runUntil(80_000)
    expect(server.done - done).toBeGreaterThan(60 * 1600 * 0.9)
  })

  test('a healthy service with more than a thousand calls in flight is not cut off by a default', () => {
    // https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/circuit_breaker.proto: max_requests defaults to 1024
    const limit = new AdaptiveLimit({}, 0)
    const { clock, seen } = overloaded(limit, 4000, 100, 20_000)
    clock.runUntil(4000)
    seen.refused = 0
    clock.runUntil(6000)
    expect(seen.refused).toBe(0)
    expect(limit.inflight).toBeGreaterThan(1500)
  })

  test('a stable timeout is not taken for the upstream being calm', () => {
    // https://github.com/Netflix/concurrency-limits/issues/137: every call took exactly the timeout, the limit grew to its maximum
    const limit = new AdaptiveLimit({ initialLimit: 50 }, 0)
    for (let nowMs = 0; nowMs < 200_000; nowMs += 5000) {
      while (limit.tryAcquire());
      while (limit.inflight > 0) limit.onDropped(nowMs, nowMs + 5000)
    }
    expect(limit.limit).toBeLessThan(10)
  })

  test('quick answers to health checks at night do not become the measure of the day', () => {
    // https://github.com/Netflix/concurrency-limits/pull/125: a low-traffic window left a far too low RTT behind
    const limit = new AdaptiveLimit({}, 0)
    for (let nowMs = 0; nowMs < 600_000; nowMs += 1000) {
      limit.tryAcquire()
      limit.onSuccess(nowMs, nowMs + 1)
    }
    const clock = new VirtualClock(600_000)
    const random = createRandom(4)
    const server = new QueueingServer(clock, 100, 50, random)
    let refused = 0
    let offered = 0
    poisson(
      clock,
      random,
      () => 600,
      () => {
        offered++
        if (!limit.tryAcquire()) {
          refused++
          return
        }
        const startedMs = clock.now()
        server.submit(() => limit.onSuccess(startedMs, clock.now()))
      },
    )
    clock.runUntil(605_000)
    refused = offered = 0
    clock.runUntil(660_000)
    expect(refused).toBeLessThan(offered * 0.02)
  })

  test('the baseline found under overload is corrected, not kept', () => {
    // https://www.uber.com/blog/cinnamon-auto-tuner-adaptive-concurrency-in-the-wild/: the target latency drifted up at each reset
    const limit = new AdaptiveLimit({ initialLimit: 200 }, 0)
    const { clock } = overloaded(limit, 8, 50, 400)
    clock.runUntil(60_000)
    expect(limit.baselineMs).toBeLessThan(50 * 1.5)
    expect(limit.limit).toBeLessThan(30)
  })

  test('a call that is cancelled, fails or throws at once gives its permit back', async () => {
    // failsafe-go CHANGELOG 0.6.8 and https://github.com/palantir/conjure-java-runtime/pull/1147: permits leaked on cancel
    const clock = new VirtualClock()
    const limit = new AdaptiveLimit({ initialLimit: 2, minLimit: 2, maxLimit: 2 }, 0)
    const layer = admission<string, string>({ limit }, { seed: 1 })
    const endings: Service<string, string>[] = [
      () => Promise.reject(new Error('fails')),
      () => {
        throw new Error('throws')
      },
      (_request, call) => new Promise((_resolve, reject) => call.onAbort(reject)),
    ]
    for (let round = 0; round < 30; round++) {
      const call = createCall({}, { clock })
      const answer = layer(endings[round % 3] as Service<string, string>)('x', call).catch(() => 'failed')
      await clock.advance(1)
      call.abort(new Error('cancelled'))
      await answer
    }
    expect(limit.inflight).toBe(0)
    const call = createCall({}, { clock })
    await expect(layer(() => Promise.resolve('served'))('x', call)).resolves.toBe('served')
  })
})

describe('bugs of rate limits', () => {
  test('"60 per minute" is neither 60 at once and then one a minute, nor 120 in a minute', () => {
    // https://github.com/envoyproxy/envoy/pull/9354 (tokens_per_fill defaults to 1) and https://github.com/traefik/traefik/issues/4549
    const count = (burst: number, fromMs: number, toMs: number, limiter: GcraLimiter): number => {
      let admitted = 0
      for (let nowMs = fromMs; nowMs < toMs; nowMs += 50) if (limiter.take('k', nowMs) === 0) admitted++
      return admitted - burst
    }
    const smooth = new GcraLimiter({ permits: 60, perMs: 60_000, burst: 1 }, { seed: 1 })
    expect(count(0, 0, 60_000, smooth)).toBe(60)
    expect(count(0, 60_000, 120_000, smooth)).toBe(60)
    const bursty = new GcraLimiter({ permits: 60, perMs: 60_000, burst: 10 }, { seed: 1 })
    expect(count(9, 0, 60_000, bursty)).toBeLessThanOrEqual(60)
    expect(count(0, 60_000, 120_000, bursty)).toBe(60)
  })

  test('two windows side by side do not let twice the limit through', () => {
    // https://github.com/envoyproxy/envoy/issues/34893: three times the configured rate came through
    const limiter = new GcraLimiter({ permits: 100, perMs: 1000, burst: 10 }, { seed: 1 })
    const admittedMs: number[] = []
    for (let nowMs = 0; nowMs < 5000; nowMs += 0.2) if (limiter.take('k', nowMs) === 0) admittedMs.push(nowMs)
    for (const [index, fromMs] of admittedMs.entries())
      expect((admittedMs[index + 110] ?? Infinity) - fromMs).toBeGreaterThan(999)
  })

  test('a rate that does not divide evenly is not served short', () => {
    // https://github.com/envoyproxy/envoy/issues/24282: the bucket was underfilled
    const limiter = new GcraLimiter({ permits: 3, perMs: 1000, burst: 1 }, { seed: 1 })
    let admitted = 0
    for (let nowMs = 0; nowMs < 1_000_000; nowMs += 1) if (limiter.take('k', nowMs) === 0) admitted++
    expect(admitted).toBeGreaterThanOrEqual(2990)
    expect(admitted).toBeLessThanOrEqual(3001)
  })

  test('rotating addresses neither fill the memory nor wipe the slate of a known one', () => {
    // https://github.com/boinkor-net/governor/issues/171 and https://github.com/luisgamas/uxnan/pull/101 (oldest-first eviction)
    const limiter = new GcraLimiter({ permits: 5, perMs: 60_000, burst: 5, maxKeys: 1000 }, { seed: 99 })
    for (let index = 0; index < 5; index++) limiter.take('brute-force', 0)
    for (let index = 0; index < 200_000; index++) limiter.take(`2001:db8::${index.toString(16)}`, 1)
    expect(limiter.keys).toBe(1000)
    expect(limiter.take('brute-force', 2)).toBeGreaterThan(0)
  })
})

describe('bugs of client throttles', () => {
  test('a hanging upstream is noticed before its requests time out', () => {
    // https://github.com/zeromicro/go-zero/issues/5011: only finished requests were counted
    const throttle = new ClientThrottle({ graceMs: 2000 }, { random: createRandom(1) }, 0)
    for (let nowMs = 0; nowMs < 6000; nowMs += 10) throttle.admit(nowMs)
    expect(throttle.rejectRatio(6000)).toBeGreaterThan(0.5)
  })

  test('requests rejected here count as requests, as in the book', () => {
    // https://github.com/zeromicro/go-zero/issues/3837
    const throttle = new ClientThrottle({ minRequests: 0 }, { random: () => 0 }, 0)
    for (let index = 0; index < 14; index++) {
      if (!throttle.admit(0)) continue
      if (index < 4) throttle.onAccepted(0, 0)
      else throttle.onRefused(0, 0)
    }
    const before = throttle.rejectRatio(0)
    expect(throttle.admit(0)).toBe(false)
    expect(throttle.rejectRatio(0)).toBeGreaterThan(before)
  })
})
