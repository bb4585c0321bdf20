import { accepts, refuses } from './case.ts'
import type { ConformanceCase } from './case.ts'

const line = [
  'RFC 9112 §4',
  'MUST',
  'A status line is version, space, three digits, space, and perhaps a reason.',
] as const
const code = [
  'RFC 9110 §15',
  'MUST',
  'A status code has three digits; classes run from 1xx to 5xx, others are left to the client.',
] as const
const reason = [
  'RFC 9112 §4',
  'MUST',
  'A reason is tabs, spaces, visible and opaque bytes; it may be empty.',
] as const
const version = [
  'RFC 9112 §2.3',
  'MUST',
  'The version is "HTTP/", one digit, a dot, one digit, in capitals.',
] as const
const fold = [
  'RFC 9112 §5.2',
  'MUST',
  'A proxy refuses a folded line in a response with 502, or replaces it.',
] as const
const colon = [
  'RFC 9112 §5.1',
  'MUST',
  'A proxy removes white space between name and colon of a response; it is refused here.',
] as const
const value = ['RFC 9110 §5.5', 'MUST', 'A value with CR, LF or NUL is invalid.'] as const
const lineEnd = [
  'RFC 9112 §2.2',
  'MUST',
  'A CR that no LF follows is invalid; a lone LF may be refused.',
] as const
const interim = [
  'RFC 9110 §15.2',
  'MUST',
  'A client reads any number of 1xx responses before the final one.',
] as const
const switched = [
  'RFC 9110 §15.2.2',
  'MUST',
  '101 comes only if the client asked, and names the new protocol.',
] as const
const persist = [
  'RFC 9112 §9.3',
  'MUST',
  'HTTP/1.1 goes on unless it says close; HTTP/1.0 ends unless it says keep-alive.',
] as const

const ok = (...lines: string[]): string =>
  ['HTTP/1.1 200 OK', 'Content-Length: 0', ...lines, '', ''].join('\r\n')
const status = (text: string): string => `HTTP/1.1 ${text}\r\nContent-Length: 0\r\n\r\n`
const refusedLine = 'STATUS_LINE_INVALID'

/** RFC 9112 §4 and §5 in responses: the same strictness as for requests, answered with 502. */
export const responseHeadCases: readonly ConformanceCase[] = [
  accepts('the smallest response', line, status('200 OK'), [{ start: '200', fields: ['content-length: 0'] }]),
  accepts('an empty reason', reason, status('200 '), [{ start: '200' }]),
  accepts(
    'a missing reason and its space',
    ['RFC 9112 §4', 'MAY', 'The space is required even without a reason; nothing depends on it.'],
    status('200'),
    [{ start: '200' }],
  ),
  accepts('bytes above ASCII in a reason', reason, status('200 \u00e9'), [{ start: '200' }]),
  accepts('a tab in a reason', reason, status('200 a\tb'), [{ start: '200' }]),
  accepts('a code nobody registered', code, status('299 x'), [{ start: '299' }]),
  accepts('a code above 599', code, status('999 x'), [{ start: '999' }]),
  refuses('a code below 100', code, status('099 x'), 502, refusedLine),
  refuses('a code of two digits', code, status('20 OK'), 502, refusedLine),
  refuses('a code of four digits', code, status('2000 OK'), 502, refusedLine),
  refuses('a code with a letter', code, status('2O0 OK'), 502, refusedLine),
  refuses('a code with a sign', code, status('+20 OK'), 502, refusedLine),
  refuses('two spaces before the code', line, status(' 200 OK'), 502, refusedLine),
  refuses(
    'a tab before the code',
    line,
    'HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n',
    502,
    'VERSION_UNSUPPORTED',
  ),
  refuses('no code', line, 'HTTP/1.1\r\nContent-Length: 0\r\n\r\n', 502, 'VERSION_UNSUPPORTED'),
  refuses('NUL in a reason', reason, status('200 O\0K'), 502, ['FIELD_INVALID', 'LINE_END_INVALID']),
  refuses('a control byte in a reason', reason, status('200 O\x01K'), 502, 'LINE_END_INVALID'),
  refuses('a lone CR in a reason', lineEnd, status('200 O\rK'), 502, 'LINE_END_INVALID'),
  refuses(
    'a lone LF after the status line',
    lineEnd,
    'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n',
    502,
    'LINE_END_INVALID',
  ),
  refuses('lone LFs all through', lineEnd, 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', 502, 'LINE_END_INVALID'),
  refuses('HTTP/2.0', version, 'HTTP/2.0 200 OK\r\n\r\n', 502, 'VERSION_UNSUPPORTED'),
  refuses('HTTP/1.2', version, 'HTTP/1.2 200 OK\r\n\r\n', 502, 'VERSION_UNSUPPORTED'),
  refuses('HTTP/1.10', version, 'HTTP/1.10 200 OK\r\n\r\n', 502, 'VERSION_UNSUPPORTED'),
  refuses('a version in small letters', version, 'http/1.1 200 OK\r\n\r\n', 502, refusedLine),
  refuses('another protocol', version, 'ICY 200 OK\r\n\r\n', 502, refusedLine),
  refuses('a body without a head', line, '<html></html>\r\n\r\n', 502, refusedLine),
  refuses(
    'an empty line before the status line',
    [
      'RFC 9112 §2.2',
      'MAY',
      'Ignoring empty lines is for servers; before a response they are a sign of bad framing.',
    ],
    `\r\n${ok()}`,
    502,
    refusedLine,
  ),
  refuses('a folded field', fold, ok('X: y', ' z'), 502, 'FIELD_INVALID'),
  refuses('a space before a colon', colon, ok('X : y'), 502, 'FIELD_INVALID'),
  refuses('a field without a colon', line, ok('X'), 502, 'FIELD_INVALID'),
  refuses('a field without a name', line, ok(': y'), 502, 'FIELD_INVALID'),
  refuses('NUL in a value', value, ok('X: \0'), 502, 'FIELD_INVALID'),
  refuses('a lone CR in a value', value, ok('X: a\rSet-Cookie: b=c'), 502, 'LINE_END_INVALID'),
  refuses(
    'white space before the first field',
    line,
    'HTTP/1.1 200 OK\r\n X: y\r\n\r\n',
    502,
    'FIELD_INVALID',
  ),
  refuses(
    'a head that is too large',
    ['RFC 9110 §5.4', 'MAY', 'A client may discard or refuse fields larger than it wishes to process.'],
    ok(`X: ${'y'.repeat(9000)}`),
    502,
    'HEAD_TOO_LARGE',
  ),
  refuses(
    'a head cut short',
    ['RFC 9112 §8', 'MUST', 'A response without the end of its head is incomplete.'],
    'HTTP/1.1 200 OK\r\nX: y\r\n',
    502,
    'RESPONSE_INCOMPLETE',
  ),

  accepts('HTTP/1.1 as persistent', persist, `${ok()}${ok()}`, [{ start: '200' }, { start: '200' }]),
  accepts('close', persist, ok('Connection: close'), [{ start: '200', keepAlive: false }]),
  accepts('HTTP/1.0 as the last response', persist, 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', [
    { start: '200', keepAlive: false },
  ]),
  accepts(
    'keep-alive in HTTP/1.0',
    persist,
    'HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n',
    [{ start: '200' }],
  ),

  accepts('100 before the answer', interim, `HTTP/1.1 100 Continue\r\n\r\n${ok()}`, [
    { start: '100' },
    { start: '200' },
  ]),
  accepts(
    '103 with fields before the answer',
    interim,
    `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${ok()}`,
    [{ start: '103', fields: ['link: x'] }, { start: '200' }],
  ),
  accepts(
    'several 1xx before the answer',
    interim,
    `HTTP/1.1 100 \r\n\r\nHTTP/1.1 102 \r\n\r\nHTTP/1.1 199 \r\n\r\n${ok()}`,
    [{ start: '100' }, { start: '102' }, { start: '199' }, { start: '200' }],
  ),
  refuses(
    '17 informational responses',
    ['RFC 9110 §15.2', 'MAY', 'Any number may come; a client without bound can be held for ever.'],
    'HTTP/1.1 100 \r\n\r\n'.repeat(17),
    502,
    refusedLine,
    {
      after: Array.from({ length: 16 }, () => ({ start: '100' })),
    },
  ),
  refuses(
    'a 1xx in HTTP/1.0',
    ['RFC 9110 §15.2', 'MUST', 'HTTP/1.0 has no 1xx status codes.'],
    `HTTP/1.0 100 x\r\n\r\n${ok()}`,
    502,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    'a 1xx that closes',
    ['RFC 9110 §15.2', 'MUST', 'A final response follows every 1xx but 101.'],
    `HTTP/1.1 100 x\r\nConnection: close\r\n\r\n${ok()}`,
    502,
    'FRAMING_AMBIGUOUS',
  ),
  accepts(
    '101 that was asked for',
    switched,
    'HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\0\0',
    [{ start: '101', upgrade: true, isComplete: false }],
    { methods: ['UPGRADE'] },
  ),
  refuses(
    '101 that nobody asked for',
    switched,
    'HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
    502,
    'UPGRADE_INVALID',
  ),
  refuses(
    '101 without Upgrade',
    switched,
    'HTTP/1.1 101 x\r\nConnection: upgrade\r\n\r\n',
    502,
    'UPGRADE_INVALID',
    { methods: ['UPGRADE'] },
  ),
  accepts(
    'an answer other than 101 to a wish to upgrade',
    ['RFC 9110 §7.8', 'MUST', 'A server may ignore Upgrade and answer as usual.'],
    ok(),
    [{ start: '200' }],
    { methods: ['UPGRADE'] },
  ),
]
