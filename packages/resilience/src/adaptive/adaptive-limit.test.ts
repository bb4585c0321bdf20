import { describe, expect, test } from 'vitest'
import { createRandom, poisson, QueueingServer, VirtualClock } from '../../test/support/queueing.ts'
import { AdaptiveLimit } from './adaptive-limit.ts'
import type { AdaptiveLimitOptions } from './adaptive-limit.ts'

interface Span {
  offered: number
  refused: number
  done: number
  meanMs: number
}

/** A limit in front of a server whose latency depends on its load. */
function world(workers: number, serviceMs: number, perSecond: number, options: AdaptiveLimitOptions = {}) {
  const clock = new VirtualClock()
  const random = createRandom(7)
  const server = new QueueingServer(clock, workers, serviceMs, random)
  const limit = new AdaptiveLimit(options, 0)
  const demand = { perSecond }
  let span: Span & { sumMs: number } = { offered: 0, refused: 0, done: 0, meanMs: 0, sumMs: 0 }
  poisson(
    clock,
    random,
    () => demand.perSecond,
    () => {
      span.offered++
      if (!limit.tryAcquire()) {
        span.refused++
        return
      }
      const startedMs = clock.now()
      server.submit(() => {
        span.done++
        span.sumMs += clock.now() - startedMs
        limit.onSuccess(startedMs, clock.now())
      })
    },
  )
  const run = (ms: number): Span => {
    span = { offered: 0, refused: 0, done: 0, meanMs: 0, sumMs: 0 }
    clock.runUntil(clock.now() + ms)
    return { ...span, meanMs: span.sumMs / span.done }
  }
  return { server, limit, demand, run }
}

describe('AdaptiveLimit', () => {
  test('finds the concurrency of an overloaded server: full throughput, hardly any queue', () => {
    const { run } = world(8, 50, 320)
    run(15_000)
    const settled = run(60_000)
    expect(settled.done).toBeGreaterThan(60 * 160 * 0.9)
    expect(settled.meanMs).toBeLessThan(50 * 2)
  })

  test('comes down from a limit that begins far too high', () => {
    const { run } = world(8, 50, 320, { initialLimit: 200 })
    run(20_000)
    expect(run(20_000).meanMs).toBeLessThan(100)
  })

  test('turns away no healthy load, however long it lasts', () => {
    const { run, limit } = world(8, 50, 80)
    expect(run(600_000).refused).toBe(0)
    expect(limit.limit).toBeGreaterThanOrEqual(16)
  })

  test('opens up within a second or two when a healthy load needs far more than the initial limit', () => {
    const { run } = world(200, 100, 1000)
    run(2000)
    expect(run(20_000).refused).toBe(0)
  })

  test('accepts that an upstream has become slower when less concurrency does not make it faster', () => {
    const { run, server, limit } = world(100, 10, 1000)
    run(10_000)
    server.serviceMs = 40
    const adapting = run(10_000)
    expect(adapting.refused).toBeLessThan(adapting.offered * 0.05)
    expect(run(10_000).refused).toBe(0)
    server.serviceMs = 10
    expect(run(10_000).refused).toBe(0)
    expect(limit.baselineMs).toBeLessThan(15)
  })

  test('follows the capacity of the server up and down', () => {
    const { run, server } = world(8, 50, 500)
    run(30_000)
    server.workers = 16
    run(10_000)
    expect(run(10_000).done).toBeGreaterThan(10 * 320 * 0.85)
    server.workers = 4
    run(15_000)
    const small = run(20_000)
    expect(small.done).toBeGreaterThan(20 * 80 * 0.85)
    expect(small.meanMs).toBeLessThan(110)
  })

  test('leaves the limit alone while callers do not use it', () => {
    const limit = new AdaptiveLimit({}, 0)
    for (let nowMs = 0; nowMs < 100_000; nowMs += 100) {
      limit.tryAcquire()
      limit.onSuccess(nowMs, nowMs + (nowMs % 700))
    }
    expect(limit.limit).toBe(20)
  })

  test('takes nothing from failures, aborted calls and streams', () => {
    const limit = new AdaptiveLimit({ initialLimit: 4 }, 0)
    for (let round = 0; round < 1000; round++) {
      while (limit.tryAcquire());
      while (limit.inflight > 0) limit.onIgnored()
    }
    expect(limit.limit).toBe(4)
    expect(limit.baselineMs).toBe(0)
  })

  test('cuts the limit when the upstream drops what a full limit sends, and recovers', () => {
    const limit = new AdaptiveLimit({ initialLimit: 100 }, 0)
    let nowMs = 0
    const rounds = (count: number, end: (startedMs: number) => void): void => {
      for (let round = 0; round < count; round++) {
        const startedMs = nowMs
        while (limit.tryAcquire());
        nowMs += 50
        while (limit.inflight > 0) end(startedMs)
      }
    }
    rounds(100, (startedMs) => limit.onDropped(startedMs, nowMs))
    expect(limit.limit).toBeLessThan(10)
    expect(limit.limit).toBeGreaterThanOrEqual(1)
    rounds(500, (startedMs) => limit.onSuccess(startedMs, nowMs))
    expect(limit.limit).toBeGreaterThan(100)
  })

  test('admits everything in dark mode, and still says what it would have done', () => {
    const limit = new AdaptiveLimit({ initialLimit: 2, dark: true }, 0)
    expect([1, 2, 3].map(() => limit.tryAcquire())).toEqual([true, true, true])
    expect(limit.rejected).toBe(1)
    expect(limit.hasRoom).toBe(true)
  })

  test('estimates in dark mode what it would allow, without an experiment', () => {
    const { run, limit, server } = world(8, 50, 320, { dark: true })
    for (let second = 0; second < 20; second++) {
      run(1000)
      expect(limit.experimenting).toBe(false)
    }
    expect(server.queued).toBeGreaterThan(2000)
    expect(limit.limit).toBeLessThan(100)
  })

  test('names every wrong option at once', () => {
    expect(() => new AdaptiveLimit({ minLimit: 0, tolerance: 1, minSamples: 2 }, 0)).toThrow(
      /minLimit.*tolerance.*minSamples/,
    )
  })
})
