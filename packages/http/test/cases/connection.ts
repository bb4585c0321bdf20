import { accepts, get, post, refuses } from './case.ts'
import type { ConformanceCase } from './case.ts'

const persist = [
  'RFC 9112 §9.3',
  'MUST',
  'HTTP/1.1 goes on unless it says close; HTTP/1.0 ends unless it says keep-alive.',
] as const
const options = [
  'RFC 9110 §7.6.1',
  'MUST',
  'Connection is a list of options, compared without regard to case.',
] as const
const close = [
  'RFC 9112 §9.6',
  'MUST',
  'After a request that says close no further request is processed.',
] as const
const upgrade = [
  'RFC 9110 §7.8',
  'MUST',
  'Upgrade counts only together with the upgrade option of Connection.',
] as const
const oldUpgrade = ['RFC 9110 §7.8', 'MUST', 'Upgrade in an HTTP/1.0 request is ignored.'] as const
const mayUpgrade = [
  'RFC 9110 §7.8',
  'MAY',
  'A server may ignore Upgrade; here it does when there is a body.',
] as const
const expectation = [
  'RFC 9110 §10.1.1',
  'MAY',
  'An expectation other than 100-continue may be answered with 417.',
] as const
const oldExpectation = [
  'RFC 9110 §10.1.1',
  'MUST',
  '100-continue in an HTTP/1.0 request is ignored.',
] as const

const old = (...lines: string[]): string => ['GET / HTTP/1.0', ...lines, '', ''].join('\r\n')
const start = 'GET /'

/** RFC 9112 §9 and RFC 9110 §7.6 to §7.8, §10.1.1: what a request says about its connection. */
export const connectionCases: readonly ConformanceCase[] = [
  accepts('HTTP/1.1 as persistent', persist, get(), [{ start }]),
  accepts('HTTP/1.0 as the last request', persist, old(), [{ start, keepAlive: false }]),
  accepts('keep-alive in HTTP/1.0', persist, `${old('Connection: keep-alive')}${old()}`, [
    { start },
    { start, keepAlive: false },
  ]),
  accepts('Keep-Alive in capitals in HTTP/1.0', options, old('Connection: Keep-Alive'), [{ start }]),
  accepts('close as the end', close, `${get('Connection: close')}${get()}`, [{ start, keepAlive: false }]),
  accepts('Close in capitals', options, get('Connection: CLOSE'), [{ start, keepAlive: false }]),
  accepts('close in a list', options, get('Connection: x, close ,y'), [{ start, keepAlive: false }]),
  accepts('close between empty elements', options, get('Connection: ,close,'), [{ start, keepAlive: false }]),
  accepts('close after a tab', options, get('Connection: x,\tclose'), [{ start, keepAlive: false }]),
  accepts('close in a second field', options, get('Connection: keep-alive', 'Connection: close'), [
    { start, keepAlive: false },
  ]),
  accepts('close that comes before keep-alive', options, get('Connection: close, keep-alive'), [
    { start, keepAlive: false },
  ]),
  accepts('close against keep-alive in HTTP/1.0', options, old('Connection: keep-alive, close'), [
    { start, keepAlive: false },
  ]),
  accepts('a word that begins with close', options, get('Connection: closed'), [{ start }]),
  accepts('a word that ends with close', options, get('Connection: xclose'), [{ start }]),
  accepts('an empty Connection', options, get('Connection:'), [{ start }]),
  accepts('bytes after close without reading them', close, `${get('Connection: close')}\0\0\0`, [
    { start, keepAlive: false },
  ]),

  accepts('a wish to upgrade', upgrade, get('Connection: Upgrade', 'Upgrade: websocket'), [
    { start, upgrade: true },
  ]),
  accepts('upgrade in a list', upgrade, get('Connection: keep-alive, upgrade', 'Upgrade: websocket'), [
    { start, upgrade: true },
  ]),
  accepts('Upgrade without its option as an ordinary request', upgrade, get('Upgrade: websocket'), [
    { start },
  ]),
  accepts('the option without Upgrade as an ordinary request', upgrade, get('Connection: upgrade'), [
    { start },
  ]),
  accepts('an empty Upgrade as an ordinary request', upgrade, get('Connection: upgrade', 'Upgrade:'), [
    { start },
  ]),
  accepts(
    'Upgrade in HTTP/1.0 as an ordinary request',
    oldUpgrade,
    old('Connection: upgrade, keep-alive', 'Upgrade: websocket'),
    [{ start }],
  ),
  accepts(
    'Upgrade with a body as an ordinary request',
    mayUpgrade,
    `${post(['Connection: upgrade', 'Upgrade: h2c', 'Content-Length: 5'], 'hello')}${get()}`,
    [{ start: 'POST /', body: 'hello' }, { start }],
  ),
  accepts(
    'a body after Expect: 100-continue',
    ['RFC 9110 §10.1.1', 'MUST', 'The body follows as stated, whether or not the client waited.'],
    `${post(['Expect: 100-continue', 'Content-Length: 5'], 'hello')}${get()}`,
    [{ start: 'POST /', body: 'hello' }, { start }],
  ),
  accepts(
    '100-Continue in any case',
    ['RFC 9110 §10.1.1', 'MUST', 'Expectations are case-insensitive.'],
    get('Expect: 100-Continue'),
    [{ start }],
  ),
  refuses('an unknown expectation', expectation, get('Expect: 200-ok'), 417, 'EXPECTATION_FAILED'),
  refuses(
    'a second expectation',
    expectation,
    get('Expect: 100-continue', 'Expect: x'),
    417,
    'EXPECTATION_FAILED',
  ),
  accepts('any expectation in HTTP/1.0', oldExpectation, old('Expect: x'), [{ start, keepAlive: false }]),
]
