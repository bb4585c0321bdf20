import {
  AdaptiveLimit,
  ClientThrottle,
  Coalescer,
  GcraLimiter,
  StaleCache,
} from '@breakwater/resilience/load'
import { admission, cached, coalesce, rateLimit, throttle } from '@breakwater/resilience'
import { describeLayer } from '@breakwater/testkit'
import type { Parcel } from '@breakwater/testkit'

const LIFE = { freshMs: 0, staleWhileRevalidateMs: 0, staleIfErrorMs: 1000 }

describeLayer('rateLimit', {
  make: () =>
    rateLimit({
      limiter: new GcraLimiter({ permits: 1000, perMs: 1000, burst: 1000 }, { seed: 1 }),
      key: () => 'one',
    }),
})

describeLayer('admission', {
  make: () =>
    admission({ limit: new AdaptiveLimit({ initialLimit: 1, minLimit: 1, maxLimit: 1 }, 0) }, { seed: 1 }),
  waits: { afterHanging: 1 },
})

describeLayer('throttle', {
  make: () => throttle({ throttle: new ClientThrottle({}, { random: () => 0.5 }, 0) }),
})

describeLayer('cached', {
  make: () =>
    cached<Parcel, Parcel>({
      cache: new StaleCache(),
      key: () => 'one',
      lifetime: () => LIFE,
      sizeOf: () => 10,
    }),
})

describeLayer('coalesce', {
  make: () => coalesce<Parcel, Parcel>({ coalescer: new Coalescer(), key: ({ what }) => what }),
})

describeLayer('coalesce of what must not be shared', {
  make: () => coalesce<Parcel, Parcel>({ coalescer: new Coalescer(), key: () => undefined }),
})
