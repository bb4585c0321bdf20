import { createRandom } from '@breakwater/core'
import {
  AdaptiveLimit,
  BalancedEndpoint,
  ClientThrottle,
  GcraLimiter,
  LoadShedder,
  OutlierDetector,
  OverloadManager,
  P2cEwmaBalancer,
  StaleCache,
  TokenBucket,
  Waiter,
} from '@breakwater/resilience/load'
import type { HostOutcome } from '@breakwater/resilience/load'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const rate = fc.record({
  permits: fc.integer({ min: 1, max: 1000 }),
  perMs: fc.integer({ min: 1, max: 100_000 }),
  burst: fc.integer({ min: 1, max: 50 }),
})
const steps = fc.array(
  fc.record({
    gapMs: fc.double({ min: 0, max: 500, noNaN: true }),
    cost: fc.integer({ min: 1, max: 4 }),
    key: fc.integer({ min: 0, max: 9 }),
  }),
  { minLength: 1, maxLength: 200, size: 'max' },
)

describe('rate limits', () => {
  test('admit in no window more than burst + rate * t, and wait no longer than they say', () => {
    fc.assert(
      fc.property(rate, steps, (options, requests) => {
        const limiter = new GcraLimiter(options, { seed: 1 })
        const admitted: { atMs: number; cost: number }[] = []
        let nowMs = 0
        for (const { gapMs, cost } of requests) {
          nowMs += gapMs
          const waitMs = limiter.take('k', nowMs, cost)
          if (waitMs === 0) admitted.push({ atMs: nowMs, cost })
          else if (waitMs < Infinity) {
            nowMs += waitMs + 1e-6
            expect(limiter.take('k', nowMs, cost)).toBe(0)
            admitted.push({ atMs: nowMs, cost })
          } else expect(cost).toBeGreaterThan(options.burst)
        }
        for (let from = 0; from < admitted.length; from++) {
          let sum = 0
          for (let to = from; to < admitted.length; to++) {
            sum += admitted[to]?.cost ?? 0
            const t = (admitted[to]?.atMs ?? 0) - (admitted[from]?.atMs ?? 0)
            expect(sum).toBeLessThanOrEqual(options.burst + (t * options.permits) / options.perMs + 1e-3)
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  test('agree: GCRA is a token bucket', () => {
    fc.assert(
      fc.property(rate, steps, (options, requests) => {
        const limiter = new GcraLimiter(options, { seed: 1 })
        const bucket = new TokenBucket(options, 0)
        let nowMs = 0
        for (const { gapMs, cost } of requests) {
          // A prime part keeps the two away from exact ties, where rounding decides.
          nowMs += gapMs + 0.000_7
          const near = bucket.available(nowMs)
          if (Math.abs(near - cost) < 1e-6) continue
          expect(limiter.take('k', nowMs, cost) === 0).toBe(bucket.take(nowMs, cost) === 0)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('keep their memory bound and never undercount a known key, whatever the keys', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 3 }), { maxLength: 500, size: 'max' }), (keys) => {
        const limiter = new GcraLimiter({ permits: 1, perMs: 1e9, burst: 2, maxKeys: 8 }, { seed: 1 })
        const admitted = new Map<string, number>()
        for (const [nowMs, key] of keys.entries()) {
          if (limiter.take(key, nowMs) === 0) admitted.set(key, (admitted.get(key) ?? 0) + 1)
          expect(limiter.keys).toBeLessThanOrEqual(8)
        }
        for (const count of admitted.values()) expect(count).toBeLessThanOrEqual(2)
      }),
    )
  })
})

describe('the adaptive limit', () => {
  test('stays within its bounds and conserves permits, whatever happens to the calls', () => {
    const end = fc.constantFrom('success', 'ignored', 'dropped')
    const calls = fc.array(fc.tuple(end, fc.double({ min: 0, max: 200, noNaN: true })), {
      maxLength: 400,
      size: 'max',
    })
    fc.assert(
      fc.property(
        calls,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 20, max: 60 }),
        (ends, min, max) => {
          const limit = new AdaptiveLimit({ minLimit: min, maxLimit: max, minSamples: 10, windowMs: 1 }, 0)
          const running: number[] = []
          let nowMs = 0
          for (const [how, ms] of ends) {
            while (limit.tryAcquire()) running.push(nowMs)
            nowMs += ms
            const startedMs = running.shift()
            if (startedMs === undefined) continue
            if (how === 'success') limit.onSuccess(startedMs, nowMs)
            else if (how === 'dropped') limit.onDropped(startedMs, nowMs)
            else limit.onIgnored()
            expect(limit.inflight).toBe(running.length)
            expect(limit.limit).toBeGreaterThanOrEqual(min)
            expect(limit.limit).toBeLessThanOrEqual(max)
          }
          for (const _ of running) limit.onIgnored()
          expect(limit.inflight).toBe(0)
        },
      ),
    )
  })
})

describe('the load shedder', () => {
  test('loses nobody: whoever was let in comes out once, by next, by onShed or by cancel', () => {
    const action = fc.record({
      kind: fc.constantFrom('offer', 'offer', 'offer', 'next', 'cancel'),
      priority: fc.integer({ min: 0, max: 3 }),
      tenant: fc.integer({ min: 0, max: 300 }),
      gapMs: fc.integer({ min: 0, max: 40 }),
      deadlineMs: fc.integer({ min: 1, max: 200 }),
    })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300, size: 'max' }), fc.boolean(), (actions, dark) => {
        const inside = new Set<Waiter>()
        const leave = (waiter: Waiter): void => {
          expect(inside.delete(waiter)).toBe(true)
        }
        const queue = new LoadShedder({ maxQueued: 20, tenantBuckets: 8, dark }, { seed: 1, onShed: leave })
        let nowMs = 0
        for (const { kind, priority, tenant, gapMs, deadlineMs } of actions) {
          nowMs += gapMs
          if (kind === 'offer') {
            const waiter = Object.assign(new Waiter(), { priority, tenant, deadlineMs: nowMs + deadlineMs })
            if (queue.offer(waiter, nowMs)) inside.add(waiter)
            else expect(waiter.waiting).toBe(false)
          } else if (kind === 'next') {
            const waiter = queue.next(nowMs)
            if (waiter !== undefined) leave(waiter)
          } else {
            const [waiter] = inside
            if (waiter !== undefined && queue.cancel(waiter)) leave(waiter)
          }
          expect(queue.queued).toBe(inside.size)
          expect(queue.queued).toBeLessThanOrEqual(20)
        }
      }),
    )
  })

  test('hands out by priority, always', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60, size: 'max' }), (priorities) => {
        const queue = new LoadShedder({}, { seed: 1, onShed: () => {} })
        for (const priority of priorities) queue.offer(Object.assign(new Waiter(), { priority }), 0)
        const out = priorities.map(() => queue.next(0)?.priority)
        expect(out).toEqual(priorities.toSorted((a, b) => a - b))
      }),
    )
  })
})

describe('the client throttle', () => {
  test('rejects with a ratio between 0 and its maximum, and forgets everything in time', () => {
    const call = fc.record({
      gapMs: fc.integer({ min: 0, max: 3000 }),
      tookMs: fc.integer({ min: 0, max: 40_000 }),
      end: fc.constantFrom('accepted', 'refused', 'ignored', 'never'),
    })
    fc.assert(
      fc.property(fc.array(call, { maxLength: 200, size: 'max' }), (calls) => {
        const throttle = new ClientThrottle({ minRequests: 0 }, { random: createRandom(3) }, 0)
        let nowMs = 0
        const open: { startedMs: number; endMs: number; end: string }[] = []
        for (const { gapMs, tookMs, end } of calls) {
          nowMs += gapMs
          open.sort((a, b) => a.endMs - b.endMs)
          while ((open[0]?.endMs ?? Infinity) <= nowMs) {
            const done = open.shift()
            if (done?.end === 'accepted') throttle.onAccepted(done.startedMs, nowMs)
            if (done?.end === 'refused') throttle.onRefused(done.startedMs, nowMs)
            if (done?.end === 'ignored') throttle.onIgnored(done.startedMs, nowMs)
          }
          if (throttle.admit(nowMs)) open.push({ startedMs: nowMs, endMs: nowMs + tookMs, end })
          const ratio = throttle.rejectRatio(nowMs)
          expect(ratio).toBeGreaterThanOrEqual(0)
          expect(ratio).toBeLessThanOrEqual(0.95)
        }
        expect(throttle.rejectRatio(nowMs + 70_000)).toBe(0)
      }),
    )
  })
})

describe('the stale cache', () => {
  test('counts its bytes right and stays within them', () => {
    const action = fc.record({
      key: fc.integer({ min: 0, max: 30 }),
      kind: fc.constantFrom('set', 'get', 'delete'),
      bytes: fc.integer({ min: 0, max: 3000 }),
      gapMs: fc.integer({ min: 0, max: 50 }),
    })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300, size: 'max' }), (actions) => {
        const cache = new StaleCache<number>({ maxEntries: 10, maxBytes: 10_000, maxEntryBytes: 2500 })
        let nowMs = 0
        for (const { key, kind, bytes, gapMs } of actions) {
          nowMs += gapMs
          const life = { freshMs: bytes % 300, staleWhileRevalidateMs: 20, staleIfErrorMs: 100 }
          if (kind === 'set') cache.set(`k${key}`, key, bytes, life, nowMs)
          else if (kind === 'delete') cache.delete(`k${key}`)
          else expect([undefined, key]).toContain(cache.get(`k${key}`, nowMs)?.value)
          expect(cache.size).toBeLessThanOrEqual(10)
          expect(cache.bytes).toBeLessThanOrEqual(10_000)
        }
        for (let key = 0; key <= 30; key++) cache.delete(`k${key}`)
        expect([cache.size, cache.bytes]).toEqual([0, 0])
      }),
    )
  })
})

describe('outlier detection', () => {
  test('never ejects more than its share or the last usable host, and brings everyone back', () => {
    const outcome = fc.constantFrom<HostOutcome>('success', 'server-error', 'gateway-error', 'local-error')
    const events = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 5 }), outcome, fc.integer({ min: 0, max: 2000 })),
      {
        maxLength: 400,
        size: 'max',
      },
    )
    fc.assert(
      fc.property(
        events,
        fc.integer({ min: 1, max: 6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (list, count, cap) => {
          const detector = new OutlierDetector({ maxEjectedRatio: cap, minRequests: 5 }, 0)
          detector.setHosts(Array.from({ length: count }, (_, index) => `h${index}`))
          let nowMs = 0
          for (const [index, what, gapMs] of list) {
            nowMs += gapMs
            const host = detector.host(`h${index}`)
            if (host !== undefined) detector.record(host, what, nowMs)
            detector.tick(nowMs)
            const ejected = [...detector.hosts].filter((each) => each.ejected).length
            expect(ejected).toBe(detector.ejected)
            expect(ejected).toBeLessThanOrEqual(count * cap)
            expect(ejected).toBeLessThan(count)
          }
          detector.tick(nowMs + 300_000)
          expect(detector.ejected).toBe(0)
        },
      ),
    )
  })
})

describe('the balancer', () => {
  test('always picks one of its endpoints, and prefers usable ones that were not tried', () => {
    const endpoint = fc.record({ usable: fc.boolean(), tried: fc.boolean(), inflight: fc.nat(50) })
    fc.assert(
      fc.property(fc.array(endpoint, { minLength: 1, maxLength: 8 }), fc.nat(), (states, seed) => {
        const balancer = new P2cEwmaBalancer({}, { random: createRandom(seed) })
        const endpoints = states.map((_, index) => new BalancedEndpoint(`e${index}`, 1 + (index % 3)))
        balancer.setEndpoints(endpoints)
        const attempted: string[] = []
        for (const [index, state] of states.entries()) {
          const each = endpoints[index] as BalancedEndpoint
          balancer.setUsable(each, state.usable, 0)
          for (let running = 0; running < state.inflight; running++) balancer.onStart(each)
          if (state.tried) attempted.push(each.id)
        }
        const picked = balancer.pick(0, attempted) as BalancedEndpoint
        expect(endpoints).toContain(picked)
        if (balancer.panicking) return
        const ideal = endpoints.some((each) => each.usable && !attempted.includes(each.id))
        if (ideal) expect([picked.usable, attempted.includes(picked.id)]).toEqual([true, false])
        else if (endpoints.length > 1) expect(picked.usable).toBe(true)
      }),
    )
  })
})

describe('the overload manager', () => {
  test('always serves priority 0 and always comes back to rest', () => {
    const reading = fc.record({
      loopDelayMs: fc.double({ min: 0, max: 5000, noNaN: true }),
      heapRatio: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 50, size: 'max' }), (readings) => {
        const manager = new OverloadManager()
        let nowMs = 0
        for (const each of readings) {
          manager.report(each, (nowMs += 1000))
          expect(manager.serves(0)).toBe(true)
          expect(manager.accepting || !manager.keepAlive).toBe(true)
        }
        for (let calm = 0; calm < 12; calm++) manager.report({}, (nowMs += 1000))
        expect(manager.level).toBe(0)
      }),
    )
  })
})
