import { createRandom } from '@breakwater/core'
import {
  AdaptiveLimit,
  AdmissionGate,
  BalancedEndpoint,
  ClientThrottle,
  Coalescer,
  GcraLimiter,
  LoadShedder,
  OutlierDetector,
  OverloadManager,
  P2cEwmaBalancer,
  StaleCache,
  TokenBucket,
  Waiter,
} from '@breakwater/resilience/load'
import type { FlightMember, WatchedHost } from '@breakwater/resilience/load'
import type { BenchCase } from './case.ts'

const rate = { permits: 1_000_000, perMs: 1, burst: 1_000_000 }
const limiter = new GcraLimiter(rate, { seed: 1 })
const flooded = new GcraLimiter({ permits: 1, perMs: 1e9, burst: 1, maxKeys: 1024 }, { seed: 1 })
const keys = Array.from({ length: 1024 }, (_, index) => Buffer.from(`tenant-${index}`).toString('latin1'))
const strangers = Array.from({ length: 65_536 }, (_, index) => `stranger-${index}`)
const bucket = new TokenBucket(rate, 0)
const limit = new AdaptiveLimit({}, 0)
const shedder = new LoadShedder({}, { seed: 1, onShed: () => {} })
const full = new LoadShedder({ maxQueued: 64 }, { seed: 1, onShed: () => {} })
const waiter = new Waiter()
const gate = new AdmissionGate(new AdaptiveLimit({}, 0), shedder, () => {})
const gateLimit = new AdaptiveLimit({}, 0)
const openGate = new AdmissionGate(gateLimit, new LoadShedder({}, { seed: 1, onShed: () => {} }), () => {})
const throttle = new ClientThrottle({}, { random: createRandom(1) }, 0)
const balancer = new P2cEwmaBalancer({}, { random: createRandom(1) })
balancer.setEndpoints(Array.from({ length: 8 }, (_, index) => new BalancedEndpoint(`e${index}`)))
const detector = new OutlierDetector({}, 0)
detector.setHosts(['a', 'b', 'c'])
const host = detector.host('a') as WatchedHost
const cache = new StaleCache<string>()
for (const key of keys)
  cache.set(key, key, 100, { freshMs: 1e12, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 }, 0)
const coalescer = new Coalescer<string>()
const member: FlightMember<string> = { onValue() {}, onError() {}, onLead() {} }
const manager = new OverloadManager()
for (let index = 0; index < 64; index++) full.offer(new Waiter(), 0)

/** Runs `once` with a clock that moves 10 µs a call: 100 000 a second. */
const at = (name: string, once: (nowMs: number, index: number) => void): BenchCase => {
  let turns = 0
  return {
    name,
    run(n) {
      for (let index = 0; index < n; index++) once(turns++ * 0.01, index)
    },
  }
}

/** The machines of many calls, as the data path uses them. */
export const cases: BenchCase[] = [
  at('rate limit: known key', (nowMs, index) => {
    limiter.take(keys[index & 1023] as string, nowMs)
  }),
  at('rate limit: flood of new keys, table full', (nowMs, index) => {
    flooded.take(strangers[index & 65_535] as string, nowMs)
  }),
  at('token bucket', (nowMs) => {
    bucket.take(nowMs)
  }),
  at('adaptive limit: acquire and report', (nowMs) => {
    if (limit.tryAcquire()) limit.onSuccess(nowMs - 5, nowMs)
  }),
  at('load shedder: offer and next', (nowMs) => {
    if (shedder.offer(waiter, nowMs)) shedder.next(nowMs)
  }),
  at('load shedder: refuse on arrival', (nowMs) => {
    full.offer(waiter, nowMs + 1000)
  }),
  at('admission gate: straight through', (nowMs) => {
    if (openGate.arrive(waiter, nowMs) === 'run') gateLimit.onSuccess(nowMs - 5, nowMs)
    gate.pump(nowMs)
  }),
  at('client throttle: admit and report', (nowMs) => {
    if (throttle.admit(nowMs)) throttle.onAccepted(nowMs, nowMs)
  }),
  at('balancer: pick of 8, start and end', (nowMs) => {
    const endpoint = balancer.pick(nowMs)
    if (endpoint === undefined) return
    balancer.onStart(endpoint)
    balancer.onSuccess(endpoint, 5, nowMs)
  }),
  at('outlier detection: record', (nowMs) => {
    detector.record(host, 'success', nowMs)
  }),
  at('stale cache: hit', (nowMs, index) => {
    cache.freshness(keys[index & 1023] as string, nowMs)
  }),
  at('coalescing: lead and settle', (_nowMs, index) => {
    const key = keys[index & 1023] as string
    coalescer.join(key, member)
    coalescer.succeed(key, 'value')
  }),
  at('overload manager: report', (nowMs) => {
    manager.report({ heapRatio: 0.5, loopDelayMs: 2 }, nowMs)
  }),
]
