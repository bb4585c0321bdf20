import { z } from 'zod'

import { byteRate, choice, count, duration, field, file, size } from '../fields.ts'
import { section, subsection } from '../section.ts'

const cidrRule = 'expected a network such as 10.0.0.0/8 or fd00::/8'
const CIDR = z.union([z.cidrv4(cidrRule), z.cidrv6(cidrRule)], cidrRule)

const tls = section({
  cert: file.required('Certificate chain, PEM.'),
  key: file.required('Private key, PEM. The file is read at start and never logged.'),
  minVersion: choice('Oldest TLS version that is accepted.', ['TLSv1.2', 'TLSv1.3'], 'TLSv1.2'),
})

const limits = subsection(
  'What a client may send at most. Refused while bytes arrive, before memory is spent.',
  {
    maxConnections: count.withOff('Open connections of this listener.', 10_000, { min: 1 }),
    maxConnectionsPerAddress: count.withOff(
      'Open connections of one client address. Addresses in trustForwardedFrom are exempt.',
      1024,
      { min: 1 },
    ),
    maxHead: size.withOff('Request line and all fields together. Beyond it: 431.', '32KiB', {
      min: '256B',
      max: '1MiB',
    }),
    maxFields: count.withOff('Fields in one head. Beyond it: 431.', 100, { min: 1, max: 10_000 }),
    maxFieldLine: size.withOff('One field line. Beyond it: 431.', '8KiB', { min: '64B', max: '1MiB' }),
    maxTarget: size.withOff('Request target. Beyond it: 414.', '8KiB', { min: '16B', max: '1MiB' }),
    maxBody: size.withOff('Request body. Beyond it: 413. A route may set its own.', '10MiB'),
    maxRequestsPerConnection: count.withOff(
      'Requests on one connection; then it is closed in good order.',
      false,
      {
        min: 1,
      },
    ),
  },
)

const paths = subsection('What happens to paths that servers are known to read differently.', {
  encodedSlash: choice('`%2f` in a path.', ['reject', 'keep'], 'reject'),
  dotSegments: choice('`.` and `..` pieces, also percent-encoded.', ['reject', 'normalize'], 'reject'),
  backslash: choice('`\\` and `%5c` in a path.', ['reject', 'keep'], 'reject'),
})

const timeouts = subsection('How long a client may take. Each `false` switches one limit off.', {
  firstByte: duration.withOff('From accept to the first byte.', '10s', { min: '1ms' }),
  tlsHandshake: duration.withOff('From accept to the end of the TLS handshake.', '10s', { min: '1ms' }),
  head: duration.withOff('From the first byte of a head to its end.', '10s', { min: '1ms' }),
  bodyIdle: duration.withOff('Between two pieces of a body.', '15s', { min: '1ms' }),
  minRate: byteRate.withOff('Slowest average rate of a body, after minRateGrace.', '240B/s'),
  minRateGrace: duration.withDefault('Time before minRate is looked at.', '5s'),
  keepAlive: duration.withOff('An idle connection between two requests.', '75s', { min: '1ms' }),
  halfClosed: duration.withOff(
    'A client that has closed its sending side and waits. Most are gone: after this time the upstream is spared the work.',
    '5s',
    { min: '1ms' },
  ),
  writeStall: duration.withOff('A client that does not read while an answer waits.', '20s', { min: '1ms' }),
})

export const listenerSchema = section({
  host: field(
    z.string('expected a host name or address').min(1).prefault('127.0.0.1'),
    'Address to listen on. `0.0.0.0` or `::` for all.',
    {
      suffix: '',
      kind: 'host',
    },
  ),
  port: count.required('Port to listen on. 0 takes any free one.', { min: 0, max: 65_535 }),
  tls: tls.optional().meta({ description: 'Speaks TLS with this certificate. Left out: plain text.' }),
  limits,
  paths,
  timeouts,
  trustForwardedFrom: field(
    z.array(CIDR, 'expected a list of networks').prefault([]),
    'Networks whose Forwarded and X-Forwarded-* fields are believed. From all others they are dropped.',
    { suffix: '', kind: 'list of networks' },
  ),
})
