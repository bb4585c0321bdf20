import { z } from 'zod'

import { choice, count, duration, field, flag, rate, ratio, size } from '../fields.ts'
import { parsePathPattern } from '../path-pattern.ts'
import { control, controlWithoutDefault, nameSchema, section, subsection } from '../section.ts'
import type { Simplified } from '../section.ts'
import { authorizeSchema, publicSchema } from './authorization.ts'

const tokenRule = 'expected a field name such as x-tenant-id'
const fieldName = z
  .string(tokenRule)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, tokenRule)
  .transform((name) => name.toLowerCase())
const method = z
  .string('expected a method')
  .regex(/^[A-Z][A-Z-]{0,31}$/, 'expected a method in capitals such as GET')
const status = z.int('expected a status').min(400, 'must be 400 to 599').max(599, 'must be 400 to 599')
const header = (description: string, name: string) =>
  field(fieldName.prefault(name), description, { suffix: '', kind: 'field name' })
const list = (kind: string) => ({ suffix: '', kind }) as const

const path = z.string('expected a path').transform((text, context) => {
  const parsed = parsePathPattern(text)
  if ('pattern' in parsed) return parsed.pattern
  context.issues.push({ code: 'custom', message: parsed.failure, input: text })
  return z.NEVER
})

const hostRule = 'expected a host such as api.example.com or *.example.com, without a port'
const host = z
  .string(hostRule)
  .regex(/^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, hostRule)
  .transform((text) => text.toLowerCase())

/** A field that a request must carry: with this value, or, with `undefined`, with any. */
export interface HeaderCondition {
  readonly name: string
  readonly value: string | undefined
}

const headers = z
  .record(
    z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, tokenRule),
    z.union([z.literal(true), z.string()], 'expected the value, or true for any'),
  )
  .transform((record): readonly HeaderCondition[] =>
    Object.entries(record).map(([name, value]) => ({
      name: name.toLowerCase(),
      value: value === true ? undefined : value,
    })),
  )

const matchSettings = section({
  path: field(
    path.prefault('/*'),
    '`/orders` exactly, `/orders/*` it and all below, `/orders/{id}` one piece of any text.',
    {
      suffix: '',
      kind: 'path pattern',
    },
  ),
  hosts: field(
    z.array(host, 'expected a list of hosts').prefault([]),
    'Hosts; `*.example.com` for all below. Empty: any.',
    list('list of hosts'),
  ),
  methods: field(
    z.array(method, 'expected a list of methods').prefault([]),
    'Methods. Empty: any.',
    list('list of methods'),
  ),
  headers: field(
    headers.prefault({}),
    'Fields that must be there: `x-beta: "1"`, or `x-beta: true` for any value.',
    list('mapping from field names to values'),
  ),
})
const match = field(
  z.union(
    [path.transform((pattern) => matchSettings.parse({ path: pattern.text })), matchSettings],
    'expected a path pattern or a mapping',
  ),
  'Which requests this route answers: a path pattern, or a mapping. The most specific route wins.',
  { suffix: '', kind: 'path pattern | mapping' },
)

const deadline = control(
  'Deadlines travel: the caller’s is obeyed, expired work is refused, the upstream is told the rest.',
  true,
  {
    header: header('Field that carries the milliseconds left.', 'x-request-deadline-ms'),
    accept: flag('Whether the caller’s deadline is obeyed when it is earlier than the timeout.', true),
  },
)

const retry = control(
  'Tries again what is safe to repeat, on another endpoint if there is one, within the retry budget.',
  true,
  {
    maxAttempts: count.withDefault('Tries in all, the first included.', 3, { min: 1, max: 10 }),
    statuses: field(
      z.array(status).prefault([502, 503, 504]),
      'Answers that are tried again.',
      list('list of statuses'),
    ),
    errors: field(
      z
        .array(z.enum(['connect', 'reset', 'timeout'], 'expected one of connect, reset, timeout'))
        .prefault(['connect', 'reset', 'timeout']),
      'Failures that are tried again: no connection, connection lost, try timed out.',
      list('list of connect | reset | timeout'),
    ),
    methods: field(
      z.array(method).prefault(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']),
      'Methods that may be repeated. Others only with an idempotency key.',
      list('list of methods'),
    ),
    backoff: subsection('The wait before a try is uniform in 0 to a bound that doubles (full jitter).', {
      base: duration.withDefault('Bound before the second try.', '25ms'),
      max: duration.withDefault('Largest bound.', '1s'),
    }),
    maxElapsed: duration.withOff('No further try after this time from the start.', '10s', { min: '1ms' }),
    maxRetryAfter: duration.withDefault('A longer Retry-After is passed on instead of waited for.', '1s'),
    maxReplay: size.withDefault(
      'Request body that is kept for a further try. A longer one is not repeated.',
      '64KiB',
      { max: '16MiB' },
    ),
  },
)

const hedge = control(
  'Asks a second endpoint when the first takes longer than usual. Only what is safe to repeat.',
  false,
  {
    percentile: ratio.withDefault('Of the live latencies: a call slower than this share is hedged.', 0.95),
    maxHedges: count.withDefault('Extra tries at the most.', 1, { min: 1, max: 5 }),
    minDelay: duration.withDefault('Never hedges earlier.', '10ms', { min: '1ms' }),
    minSamples: count.withDefault('Latencies that must be known first.', 50, { min: 1 }),
  },
)

/** What a rate limit counts by. */
export type RateLimitKey =
  | { readonly kind: 'ip' | 'tenant' | 'route' }
  | { readonly kind: 'header'; readonly name: string }

const keyRule = 'expected ip, tenant, route or header:<field name>'
const rateLimitKey = z
  .string(keyRule)
  .regex(/^(ip|tenant|route|header:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128})$/, keyRule)
  .transform((text): RateLimitKey => {
    if (text.startsWith('header:'))
      return { kind: 'header', name: text.slice('header:'.length).toLowerCase() }
    return { kind: text as 'ip' | 'tenant' | 'route' }
  })

const rateLimit = controlWithoutDefault(
  'At most so many requests for each key. Beyond it: 429 with Retry-After.',
  {
    rate: rate.required('Requests that are allowed on average.', { min: '1/h' }),
    burst: count.optional('Requests that may come at once. Left out: those of one second, at least 1.', {
      min: 1,
      max: 1_000_000,
    }),
    key: field(
      rateLimitKey.prefault('ip'),
      '`ip`, `tenant`, `route` (all together) or `header:<field name>`.',
      { suffix: '', kind: 'ip | tenant | route | header:<name>' },
    ),
    maxKeys: count.withOff(
      'Keys that are remembered; beyond it the least recently seen is forgotten.',
      100_000,
      { min: 1 },
    ),
  },
)

const idempotencyKey = control('Answers a repeated write with the answer of the first.', false, {
  header: header('Field that carries the key.', 'idempotency-key'),
  required: flag('Whether a write without a key is refused with 400.', false),
  methods: field(
    z.array(method).prefault(['POST', 'PATCH']),
    'Methods it applies to.',
    list('list of methods'),
  ),
  ttl: duration.withDefault('How long an answer is kept.', '24h', { min: '1s' }),
  maxEntries: count.withOff('Answers that are kept.', 100_000, { min: 1 }),
  maxAnswer: size.withDefault('A longer answer is not kept: its repetition is refused with 409.', '64KiB', {
    max: '16MiB',
  }),
})

const coalesce = control('Equal GET requests in flight share one call to the upstream.', false, {
  maxWaiters: count.withDefault('Callers that may share one call.', 1000, { min: 1 }),
  maxAnswer: size.withDefault('A longer answer is not shared.', '1MiB', { max: '64MiB' }),
  varyBy: field(
    z.array(fieldName).prefault(['authorization', 'cookie', 'accept', 'accept-encoding', 'accept-language']),
    'Fields that make two requests differ.',
    list('list of field names'),
  ),
})

const staleIfError = control(
  'Keeps good answers to GET and gives an old one when the upstream fails.',
  false,
  {
    ttl: duration.withDefault('How old an answer may be.', '5m', { min: '1s' }),
    maxSize: size.withDefault('Memory for all answers of this route.', '16MiB', { max: '4GiB' }),
    maxAnswer: size.withDefault('A longer answer is not kept.', '1MiB', { max: '64MiB' }),
    varyBy: field(
      z
        .array(fieldName)
        .prefault(['authorization', 'cookie', 'accept', 'accept-encoding', 'accept-language']),
      'Fields that make two requests differ.',
      list('list of field names'),
    ),
  },
)

const parts = field(
  z.array(z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, 'expected a word')).prefault([]),
  'Which parts of the answer are lesser; named in the Breakwater-Degraded field.',
  list('list of words'),
)
const step = z.discriminatedUnion(
  'serve',
  [
    section({ serve: z.literal('stale'), parts }).in.meta({
      description: 'The last good answer; needs staleIfError.',
    }),
    section({ serve: z.literal('upstream'), upstream: nameSchema, parts }).in.meta({
      description: 'The answer of another upstream.',
    }),
    z
      .strictObject({
        serve: z.literal('static'),
        status: z.int('expected a status').min(200).max(599).prefault(200),
        contentType: z.string().min(1).prefault('application/json'),
        body: z.string('expected the text of the answer'),
        parts,
      })
      .meta({ description: 'This text.' }),
  ],
  'expected one of stale, upstream, static',
)
const ladder = controlWithoutDefault('What is served, in this order, when the full answer cannot be had.', {
  statuses: field(
    z.array(status).prefault([502, 503, 504]),
    'Answers of the upstream that lead to the next step.',
    list('list of statuses'),
  ),
  steps: field(
    z.array(step, 'expected a list of steps').min(1, 'at least one step is needed'),
    'Steps below the full answer.',
    list('list of steps'),
  ),
})

const tenant = section({
  header: header('Field that names the tenant.', 'x-tenant-id'),
  required: flag('Whether a request without it is refused with 400.', true),
})

const upgrade = subsection('Protocols that may take over a connection.', {
  protocols: field(
    z.array(z.enum(['websocket'], 'expected websocket')).prefault([]),
    'Empty: Upgrade is not passed on.',
    list('list of websocket'),
  ),
  idle: duration.withOff('A tunnel on which nothing moves.', '10m', { min: '1ms' }),
})

const routeFields = section({
  match,
  upstream: field(nameSchema, 'Name of the upstream that answers.', { suffix: '', kind: 'name' }),
  timeout: duration.withOff(
    'From the head of the request to the head of the answer, all tries included.',
    '15s',
    { min: '1ms', max: '24h' },
  ),
  maxDuration: duration.withOff(
    'From the head of the request to the last byte of the answer. Off, so that streams live.',
    false,
    { min: '1ms' },
  ),
  perTryTimeout: duration.withOff('For one try, to the head of its answer.', false, {
    min: '1ms',
    max: '24h',
  }),
  deadline,
  priority: choice('Who goes first under overload.', ['critical', 'high', 'normal', 'low'], 'normal'),
  tenant: tenant.optional().meta({ description: 'Whose request it is: for fairness, limits and logs.' }),
  public: publicSchema,
  authorize: authorizeSchema.optional().meta({
    description:
      'What is done here, and to which object. With `authorization`, a route has this or is public.',
  }),
  maxBody: size.optional('Request body. Left out: the limit of the listener.'),
  rateLimit,
  retry,
  hedge,
  idempotencyKey,
  coalesce,
  staleIfError,
  ladder,
  upgrade,
})

type RouteFields = z.output<typeof routeFields>
type BurstKnown<Limit> = Limit extends { readonly burst: number | undefined }
  ? Simplified<Omit<Limit, 'burst'> & { readonly burst: number }>
  : Limit
type WithBurst = Simplified<
  Omit<RouteFields, 'rateLimit'> & { readonly rateLimit: BurstKnown<RouteFields['rateLimit']> }
>

export const routeSchema = routeFields.transform((route): WithBurst => {
  const limit = route.rateLimit
  if (limit.mode === 'off') return { ...route, rateLimit: limit }
  const burst = limit.burst ?? Math.max(1, Math.ceil(limit.ratePerSecond))
  return { ...route, rateLimit: { ...limit, burst } }
})

/** One step of a degradation ladder. */
export type LadderStep = z.output<typeof step>
