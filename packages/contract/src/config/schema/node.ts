import { z } from 'zod'

import { choice, count, duration, field, file, flag, folder, ratio } from '../fields.ts'
import { control, section, subsection } from '../section.ts'
import { secretSchema } from './secret.ts'

export const shedSchema = control(
  'Refuses the least important work first when requests wait too long before they are begun.',
  true,
  {
    targetQueueDelay: duration.withDefault('Waiting that is still healthy.', '20ms', { min: '1ms' }),
    interval: duration.withDefault('How long the waiting must stay above it.', '100ms', { min: '1ms' }),
    tenantFairness: flag('Whether, within a priority, those who send most are refused first.', true),
  },
)

export const overloadSchema = control(
  'Watches the process itself; over a limit it refuses new work and closes idle connections.',
  true,
  {
    maxEventLoopDelay: duration.withOff('Delay of the event loop.', '250ms', { min: '1ms' }),
    maxHeapRatio: ratio.withOff('Used share of the heap limit.', 0.92),
    maxFdRatio: ratio.withOff('Used share of the file descriptors.', 0.9),
    interval: duration.withDefault('Between two looks.', '500ms', { min: '10ms' }),
  },
)

export const telemetrySchema = subsection('What is told about the traffic.', {
  accessLog: control(
    'One JSON line for each request. Never bodies, never the values of secret fields.',
    true,
    {
      sample: ratio.withDefault('Share of good answers that is logged. Failures always are.', 1),
      to: file.optional('File that is appended to. Left out: standard output.'),
      headers: field(
        z
          .array(
            z
              .string()
              .min(1)
              .transform((name) => name.toLowerCase()),
          )
          .prefault([]),
        'Request fields whose values are logged as well.',
        { suffix: '', kind: 'list of field names' },
      ),
    },
  ),
  metrics: control('Prometheus metrics on the admin address.', true, {
    labelBudget: count.withOff('Series of one metric; what comes later is counted as "other".', 1000, {
      min: 1,
    }),
  }),
  traces: control('W3C trace context is read and passed on.', true, {
    sample: ratio.withDefault('Share of new traces that is marked as sampled.', 0.01),
  }),
})

const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/
const adminRule = 'the admin API listens on a loopback address only: 127.0.0.1, ::1 or localhost'

export const adminSchema = control('State, metrics and operator actions, on an address of their own.', true, {
  host: field(z.string(adminRule).regex(LOOPBACK, adminRule).prefault('127.0.0.1'), 'Loopback address.', {
    suffix: '',
    kind: 'loopback address',
  }),
  port: count.withDefault('Port. 0 takes any free one.', 9901, { max: 65_535 }),
  token: field(
    secretSchema.optional(),
    'Bearer token that is asked for. Left out: whoever is on this machine may.',
    { suffix: '', kind: 'secret', isSecret: true },
  ),
})

export const drainSchema = subsection('How the gateway stops.', {
  timeout: duration.withDefault('Time for requests in flight.', '30s'),
  readinessDelay: duration.withDefault(
    'Time between "not ready" and closing the listeners, for balancers in front.',
    '0s',
  ),
})

export const reloadSchema = subsection('What happens when the file changes.', {
  watch: flag('Whether a changed file is read at once. SIGHUP always does.', true),
  keepLastGood: flag(
    'Whether a route that became bad keeps its last good version. Otherwise it is gone until repaired.',
    true,
  ),
})

export const socketsSchema = subsection('How connections are read and written.', {
  driver: choice(
    'Who calls the operating system. `net`: the sockets of Node, everywhere. `ffi`: the gateway itself, through `node:ffi` and epoll, with less than half of the memory for an open stream and less CPU time (see the benchmarks); experimental, Linux on x64 and arm64 only, elsewhere it is `net` after all. TLS is spoken by Node in both.',
    ['net', 'ffi'],
    'net',
  ),
})

export const stateSchema = subsection('What must outlive the process.', {
  database: file.withDefault('SQLite file, made when it is missing.', '.breakwater/state.sqlite'),
})

const command = z
  .array(z.string('expected a word'), 'expected a list: the program and its arguments')
  .min(1, 'a command needs at least the program')

const serviceHealth = section({
  url: field(
    z.url({ protocol: /^https?$/, error: 'expected an http or https address' }),
    'Asked with GET until it answers 200 to 299.',
    { suffix: '', kind: 'url' },
  ),
  interval: duration.withDefault('Between two questions.', '100ms', { min: '10ms' }),
})

const workload = section({
  name: field(
    z.string('expected a name').regex(/^[\x21-\x7e]{1,200}$/, 'expected a name such as orders'),
    'Who it is, as the policies know it.',
    {
      suffix: '',
      kind: 'name',
    },
  ),
  tenants: field(
    z
      .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, 'expected a tenant such as acme'))
      .prefault([]),
    'Tenants for which it also acts by itself, with no user: it gets a token for each, in `WORKLOAD_TOKEN_<TENANT>`.',
    { suffix: '', kind: 'list of tenants' },
  ),
})

export const serviceSchema = section({
  command: field(command, 'Program and arguments. No shell.', { suffix: '', kind: 'list of words' }),
  cwd: folder('Folder it runs in.', '.'),
  env: field(
    z
      .record(
        z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable'),
        z.union([z.string(), secretSchema], 'expected text, or a reference to a secret'),
      )
      .prefault({}),
    'Variables it gets, beside those of Breakwater. Secrets as `{ env: NAME }` or `{ file: path }`.',
    { suffix: '', kind: 'mapping', isSecret: true },
  ),
  workload: workload.optional().meta({
    description:
      'Which workload it is. It gets a token of the test issuer in `WORKLOAD_TOKEN`, made at each start, kept nowhere else and good for 30 days, and what it needs to verify the tokens of others in `TOKEN_PUBLIC_KEY`, `TOKEN_ISSUER` and `TOKEN_AUDIENCE`.',
  }),
  health: serviceHealth.optional().meta({ description: 'When it counts as started. Left out: at once.' }),
  dependsOn: field(z.array(z.string()).prefault([]), 'Services that must be up before it.', {
    suffix: '',
    kind: 'list of services',
  }),
  startTimeout: duration.withDefault('Until its health check must pass.', '30s', { min: '1ms' }),
  stopTimeout: duration.withDefault('From SIGTERM to SIGKILL.', '10s'),
})

const commandToTry = section({
  title: field(z.string().min(1), 'What it shows.', { suffix: '', kind: 'text' }),
  command: field(
    z.string().min(1),
    'What to type. `{gateway}` stands for the address of the first listener, `{config}` for this file.',
    {
      suffix: '',
      kind: 'text',
    },
  ),
  expect: field(z.string().min(1), 'What to look at in the answer.', { suffix: '', kind: 'text' }),
})

export const welcomeSchema = subsection(
  'What `breakwater up` says once everything runs, in a configuration that others try out.',
  {
    commands: field(z.array(commandToTry, 'expected a list').prefault([]), 'Commands to try.', {
      suffix: '',
      kind: 'list of commands',
    }),
    standIns: field(
      z.array(z.string().min(1), 'expected a list').prefault([]),
      'What is simulated here, and by what.',
      { suffix: '', kind: 'list of texts' },
    ),
  },
)
