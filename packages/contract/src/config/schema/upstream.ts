import { z } from 'zod'

import { choice, count, duration, factor, field, file, flag, rate, ratio, size } from '../fields.ts'
import { control, section, subsection } from '../section.ts'

/** One server of an upstream. */
export interface EndpointConfig {
  readonly host: string
  readonly port: number
  /** Share of the traffic relative to the other endpoints. Above 0. */
  readonly weight: number
}

const addressRule = 'expected an address such as 127.0.0.1:4001, orders:80 or [::1]:80'
const ADDRESS = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?):(\d{1,5})$/
const address = z
  .string(addressRule)
  .regex(ADDRESS, { error: addressRule, abort: true })
  .refine(
    (text) => portOf(text) >= 1 && portOf(text) <= 65_535,
    'must be an address with a port of 1 to 65535',
  )

function portOf(text: string): number {
  return Number(text.slice(text.lastIndexOf(':') + 1))
}

function endpoint(text: string, weight: number): EndpointConfig {
  const host = text.slice(0, text.lastIndexOf(':')).replaceAll(/^\[|\]$/g, '')
  return { host, port: portOf(text), weight }
}

const endpointSchema = z.union([
  address.transform((text) => endpoint(text, 1)),
  section({
    address: field(address, 'host:port', { suffix: '', kind: 'address' }),
    weight: factor('Share of the traffic relative to the other endpoints.', 1, { min: 0.01, max: 1000 }),
  }).transform((value) => endpoint(value.address, value.weight)),
])

const tlsSettings = section({
  ca: file.optional('Certificates to trust, PEM. Left out: those of the system.'),
  serverName: field(
    z.string().min(1).optional(),
    'Name to ask for and to verify. Left out: the host of the endpoint.',
    {
      suffix: '',
      kind: 'host',
    },
  ),
})
const tls = field(
  z
    .union([z.boolean().transform((isOn) => (isOn ? tlsSettings.parse({}) : undefined)), tlsSettings])
    .prefault(false),
  'Speaks verified TLS to the endpoints.',
  { suffix: '', kind: 'true | false | mapping' },
)

const timeouts = subsection('How long an endpoint may take. The total is the timeout of the route.', {
  connect: duration.withOff('Until the connection (and the TLS handshake) stands.', '1s', { min: '1ms' }),
  firstByte: duration.withOff('From the last byte of the request to the first byte of the answer.', false, {
    min: '1ms',
  }),
  bodyIdle: duration.withOff('Between two pieces of an answer.', '60s', { min: '1ms' }),
  keepAlive: duration.withOff('An idle connection in the pool.', '4s', { min: '1ms' }),
})

const limits = subsection('What an answer may hold at most. Beyond it: 502.', {
  maxHead: size.withOff('Status line and all fields together.', '64KiB', { min: '256B', max: '1MiB' }),
  maxFields: count.withOff('Fields in one head.', 200, { min: 1, max: 10_000 }),
  maxFieldLine: size.withOff('One field line.', '16KiB', { min: '64B', max: '1MiB' }),
})

const pool = subsection('Connections to each endpoint.', {
  maxConnections: count.withOff('Open connections to one endpoint.', 256, { min: 1 }),
  maxPending: count.withOff('Requests that may wait for a connection to one endpoint.', 1024),
  maxPendingWait: duration.withOff('How long a request may wait for a connection.', '2s', { min: '1ms' }),
})

const balancer = subsection('Which endpoint is asked.', {
  policy: choice(
    '`p2c-ewma` takes the better of two random endpoints by latency and load; `round-robin` takes turns.',
    ['p2c-ewma', 'round-robin'],
    'p2c-ewma',
  ),
  decay: duration.withDefault('How fast old latencies are forgotten (time constant).', '10s', { min: '1ms' }),
})

const slowStart = control('An endpoint that is new or has come back gets its share gradually.', true, {
  window: duration.withDefault('Until it has its full share.', '30s', { min: '1ms' }),
  minShare: ratio.withDefault('Its share at the beginning.', 0.1),
})

const outlierEjection = control('An endpoint that fails much is left out for a while.', true, {
  consecutiveFailures: count.withOff('Failures in a row that eject.', 5, { min: 1 }),
  failureRatio: ratio.withOff('Share of failed calls in the window that ejects.', 0.6),
  minCalls: count.withDefault('Calls in the window before failureRatio is looked at.', 20, { min: 1 }),
  window: duration.withDefault('Window of failureRatio.', '10s', { min: '10ms' }),
  baseEjection: duration.withDefault('First ejection; it grows with each one that follows.', '10s', {
    min: '1ms',
  }),
  maxEjection: duration.withDefault('Longest ejection.', '5m', { min: '1ms' }),
  maxEjectedRatio: ratio.withDefault('Share of endpoints that may be out at the same time.', 0.5),
  panicRatio: ratio.withDefault('With a smaller share of healthy endpoints, all are used again.', 0.5),
})

const healthCheck = control('Asks each endpoint regularly.', false, {
  path: field(
    z
      .string('expected a path')
      .regex(/^\/\S*$/, 'expected a path such as /healthz')
      .prefault('/healthz'),
    'What is asked for with GET. 200 to 299 is healthy.',
    { suffix: '', kind: 'path' },
  ),
  interval: duration.withDefault('Between two checks, give or take a tenth.', '5s', { min: '10ms' }),
  timeout: duration.withDefault('Until a check has failed.', '1s', { min: '1ms' }),
  healthyThreshold: count.withDefault('Good answers in a row that bring an endpoint back.', 2, { min: 1 }),
  unhealthyThreshold: count.withDefault('Failures in a row that take it out.', 3, { min: 1 }),
})

/** Of upstreams, and of whatever else is asked over the network. */
export const breaker = control(
  'Stops calling an upstream that fails, and probes it. The first condition that holds opens it.',
  true,
  {
    consecutiveFailures: count.withOff('Failures in a row that open it.', false, { min: 1 }),
    failureRatio: ratio.withOff('Share of failed calls in the window that opens it.', 0.5),
    slowCallRatio: ratio.withOff('Share of slow calls in the window that opens it.', false),
    slowCallAfter: duration.withDefault('A call that takes longer is slow.', '2s', { min: '1ms' }),
    minCalls: count.withDefault('Calls in the window before a share is looked at.', 20, { min: 1 }),
    window: duration.withDefault('Window of the shares.', '10s', { min: '10ms' }),
    openFor: duration.withDefault('First time open; it doubles each time a probe fails.', '5s', {
      min: '1ms',
    }),
    maxOpenFor: duration.withDefault('Longest time open.', '60s', { min: '1ms' }),
    probes: count.withDefault('Probes that must succeed before it closes.', 3, { min: 1, max: 1000 }),
    maxConcurrentProbes: count.withDefault('Probes in flight at the same time.', 1, { min: 1, max: 100_000 }),
    probeTimeout: duration.withOff('A probe without a verdict gives its place back after this time.', '10s', {
      min: '1ms',
    }),
  },
)

const bulkhead = control(
  'Bounds the calls in flight to this upstream, so that it cannot eat what all share.',
  true,
  {
    maxConcurrent: count.withDefault('Calls in flight.', 512, { min: 1 }),
    maxQueue: count.withDefault(
      'Calls that may wait. Those with the earliest deadline go first under overload.',
      256,
    ),
    maxWait: duration.withDefault('How long a call may wait.', '500ms'),
  },
)

const adaptiveLimit = control('Finds the useful number of calls in flight from their latency.', false, {
  initialLimit: count.withDefault('Limit at the start.', 50, { min: 1 }),
  minLimit: count.withDefault('Smallest limit.', 8, { min: 1 }),
  maxLimit: count.withDefault('Largest limit.', 1000, { min: 1 }),
})

const clientThrottle = control(
  'Refuses calls locally, in proportion to how many the upstream refuses (SRE Book, ch. 21).',
  false,
  {
    factor: factor('Refuses when there are more than this many requests for each accepted one.', 2, {
      min: 1,
      max: 100,
    }),
    window: duration.withDefault('Window of the counts.', '30s', { min: '100ms' }),
  },
)

const retryBudget = control('Bounds retries and hedges together to a share of the real traffic.', true, {
  ratio: ratio.withDefault('Extra tries for each request.', 0.2),
  min: rate.withDefault('Extra tries that are always allowed.', '5/s'),
  window: duration.withDefault('How long an earned extra try may be kept.', '10s', { min: '1s', max: '60s' }),
})

export const upstreamSchema = section({
  endpoints: field(
    z.array(endpointSchema, 'expected a list of addresses').min(1, 'at least one endpoint is needed'),
    'Servers: `host:port`, or `{ address: host:port, weight: 2 }`.',
    { suffix: '', kind: 'list of endpoints' },
  ),
  optional: flag('Whether the gateway is ready without it.', false),
  tls,
  timeouts,
  limits,
  pool,
  balancer,
  slowStart,
  outlierEjection,
  healthCheck,
  breaker,
  bulkhead,
  adaptiveLimit,
  clientThrottle,
  retryBudget,
})
