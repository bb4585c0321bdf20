import fc from 'fast-check'

const duration = fc
  .tuple(fc.integer({ min: 1, max: 59 }), fc.constantFrom('ms', 's', 'm'))
  .map((parts) => parts.join(''))
const size = fc
  .tuple(fc.integer({ min: 1, max: 64 }), fc.constantFrom('KiB', 'MiB'))
  .map((parts) => parts.join(''))
const rate = fc
  .tuple(fc.integer({ min: 1, max: 900 }), fc.constantFrom('/s', '/m', '/h'))
  .map((parts) => parts.join(''))
const ratio = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100)
const orFalse = <T>(value: fc.Arbitrary<T>) => fc.oneof(value, fc.constant(false as const))
const mode = fc.constantFrom('enforce', 'dark', 'off')
const optional = { requiredKeys: [] as never[] }

/** Configurations that are right: some of every kind of setting, in every form in which it may be written. */
export const configurations: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc
  .record({
    limits: fc.record(
      { maxBody: orFalse(size), maxFields: orFalse(fc.integer({ min: 1, max: 500 })) },
      optional,
    ),
    timeouts: fc.record(
      { head: orFalse(duration), minRate: orFalse(size.map((text) => `${text}/s`)) },
      optional,
    ),
    upstream: fc.record(
      {
        breaker: fc.oneof(
          fc.boolean(),
          fc.record({ mode, failureRatio: orFalse(ratio), probes: fc.integer({ min: 1, max: 9 }) }, optional),
        ),
        bulkhead: fc.oneof(
          fc.boolean(),
          fc.record({ mode, maxConcurrent: fc.integer({ min: 1, max: 99 }), maxWait: duration }, optional),
        ),
        retryBudget: fc.oneof(fc.boolean(), fc.record({ ratio, min: rate }, optional)),
        optional: fc.boolean(),
        tls: fc.oneof(fc.boolean(), fc.record({ serverName: fc.constant('orders.internal') }, optional)),
      },
      optional,
    ),
    route: fc.record(
      {
        timeout: orFalse(duration),
        maxBody: size,
        priority: fc.constantFrom('critical', 'high', 'normal', 'low'),
        rateLimit: orFalse(
          fc.record(
            {
              rate,
              burst: fc.integer({ min: 1, max: 99 }),
              key: fc.constantFrom('ip', 'route', 'header:x-key'),
            },
            { requiredKeys: ['rate'] },
          ),
        ),
        retry: fc.oneof(
          fc.boolean(),
          fc.record(
            { mode, maxAttempts: fc.integer({ min: 1, max: 10 }), statuses: fc.constant([500, 503]) },
            optional,
          ),
        ),
        staleIfError: fc.oneof(
          fc.boolean(),
          fc.record({ ttl: duration.map((text) => text.replace('ms', 's')) }, optional),
        ),
      },
      optional,
    ),
    template: fc.boolean(),
    reload: fc.record({ watch: fc.boolean() }, optional),
  })
  .map(({ limits, timeouts, upstream, route, template, reload }) => ({
    listeners: { public: { port: 8080, limits, timeouts } },
    upstreams: {
      orders: { endpoints: ['127.0.0.1:4001', { address: '[::1]:4002', weight: 2 }], ...upstream },
      billing: { endpoints: ['billing:80'] },
    },
    routes: {
      orders: {
        match: template ? '/orders/{id}' : { path: '/orders/*', methods: ['GET'] },
        upstream: 'orders',
        ...route,
      },
      all: { match: '/*', upstream: 'billing' },
    },
    reload,
  }))
