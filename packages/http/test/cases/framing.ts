import { accepts, get, post, refuses } from './case.ts'
import type { ConformanceCase } from './case.ts'

const digits = [
  'RFC 9110 §8.6',
  'MUST',
  'Content-Length is decimal digits; what is not is an unrecoverable error.',
] as const
const range = [
  'RFC 9110 §8.6',
  'MUST',
  'A recipient guards against numbers too large to hold exactly.',
] as const
const list = [
  'RFC 9112 §6.3',
  'MUST',
  'Content-Length given more than once is refused; a list of equal values may be too.',
] as const
const both = [
  'RFC 9112 §6.1',
  'MAY',
  'A server may refuse Content-Length together with Transfer-Encoding, and must close after it.',
] as const
const coding = [
  'RFC 9112 §6.1',
  'SHOULD',
  'A transfer coding that the server does not know is refused.',
] as const
const final = [
  'RFC 9112 §6.3',
  'MUST',
  'A request whose last coding is not chunked is answered with 400.',
] as const
const once = ['RFC 9112 §6.1', 'MUST', 'Chunked is applied once, and last.'] as const
const old = [
  'RFC 9112 §6.1',
  'MUST',
  'Transfer-Encoding in HTTP/1.0 means that the framing is faulty.',
] as const
const trailingSpace = [
  'RFC 9110 §5.5',
  'MAY',
  'White space after a value is not part of it; after a coding some parsers disagree.',
] as const
const presence = [
  'RFC 9112 §6',
  'MUST',
  'A body is there when the framing fields say so, whatever the method.',
] as const
const boundary = [
  'RFC 9112 §6.2',
  'MUST',
  'The body has exactly as many bytes as Content-Length says.',
] as const
const nominated = [
  'RFC 9110 §7.6.1',
  'MUST',
  'Connection cannot take away what is needed by every recipient.',
] as const
const pipeline = [
  'RFC 9112 §9.3.2',
  'MAY',
  'A client may send requests without waiting for answers.',
] as const

const length = (value: string): string => post([`Content-Length: ${value}`], 'hello')
const te = (value: string): string => post([`Transfer-Encoding: ${value}`], '5\r\nhello\r\n0\r\n\r\n')
const hello = [{ start: 'POST /', body: 'hello' }]

const badLengths: readonly (readonly [string, string])[] = [
  ['a plus sign', '+5'],
  ['a minus sign', '-5'],
  ['minus zero', '-0'],
  ['a hex prefix', '0x5'],
  ['an octal prefix', '0o5'],
  ['letters after the digits', '5a'],
  ['letters', 'five'],
  ['a space inside', '1 0'],
  ['an underscore inside', '1_0'],
  ['a dot', '5.0'],
  ['an exponent', '5e0'],
  ['quotes', '"5"'],
  ['a semicolon', '5;'],
  ['nothing', ''],
  ['a list of equal values', '5, 5'],
  ['a list of equal values without a space', '5,5'],
  ['a list of three', '5, 5, 5'],
  ['a list of different values', '5, 6'],
  ['an empty list element', '5,'],
  ['a superscript digit', '\u00b2'],
]

const badCodings: readonly (readonly [string, string])[] = [
  ['an unknown coding', 'xchunked'],
  ['a word that begins with chunked', 'chunkedx'],
  ['gzip before chunked', 'gzip, chunked'],
  ['identity before chunked', 'identity, chunked'],
  ['identity', 'identity'],
  ['a parameter', 'chunked;q=1'],
  ['quotes', '"chunked"'],
  ['an empty value', ''],
  ['an empty element in front', ', chunked'],
  ['an empty element behind', 'chunked,'],
  ['a semicolon in front', ';chunked'],
  ['a dash instead of a comma', 'gzip-chunked'],
]

/** RFC 9112 §6: whether there is a body, and where it ends. */
export const framingCases: readonly ConformanceCase[] = [
  accepts('a body of the stated length', boundary, length('5'), hello),
  accepts('a length of zero', boundary, post(['Content-Length: 0'], ''), [{ start: 'POST /' }]),
  accepts(
    'zeros in front of a length',
    ['RFC 9110 §8.6', 'MUST', 'The value is one digit or more: zeros in front change nothing.'],
    length('0005'),
    hello,
  ),
  accepts(
    'white space around a length',
    ['RFC 9110 §5.5', 'MUST', 'White space around a value is not part of it.'],
    length(' 5 '),
    hello,
  ),
  accepts(
    'a length in front of Host',
    boundary,
    'POST / HTTP/1.1\r\nContent-Length: 5\r\nHost: a\r\n\r\nhello',
    hello,
  ),
  ...badLengths.map(([what, value]) =>
    refuses(`a length with ${what}`, digits, length(value), 400, 'LENGTH_INVALID'),
  ),
  refuses('a length with a vertical tab', digits, length('\x0b5'), 400, 'FIELD_INVALID'),
  refuses('a length with NUL', digits, length('5\0'), 400, 'FIELD_INVALID'),
  refuses('a length above 2^53', range, length('9007199254740993'), 400, 'LENGTH_INVALID'),
  refuses('a length that wraps at 64 bits', range, length('18446744073709551621'), 400, 'LENGTH_INVALID'),
  refuses(
    'two equal lengths',
    list,
    post(['Content-Length: 5', 'Content-Length: 5'], 'hello'),
    400,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    'two different lengths',
    list,
    post(['Content-Length: 5', 'X: y', 'content-length: 6'], 'hello'),
    400,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    'two lengths, the first one zero',
    list,
    post(['Content-Length: 0', 'Content-Length: 5'], 'hello'),
    400,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    'a body that is too short',
    ['RFC 9112 §8', 'MUST', 'A request with less body than stated is incomplete.'],
    post(['Content-Length: 6'], 'hello'),
    400,
    'REQUEST_INCOMPLETE',
    {
      after: [{ start: 'POST /', body: 'hello', isComplete: false }],
    },
  ),

  accepts('chunked', once, te('chunked'), hello),
  accepts(
    'chunked in any case',
    ['RFC 9112 §7', 'MUST', 'Names of transfer codings are case-insensitive.'],
    te('ChUnKeD'),
    hello,
  ),
  accepts(
    'a tab before chunked',
    ['RFC 9110 §5.5', 'MUST', 'White space around a value is not part of it.'],
    post(['Transfer-Encoding:\tchunked'], '5\r\nhello\r\n0\r\n\r\n'),
    hello,
  ),
  refuses('a space after chunked', trailingSpace, te('chunked '), 400, 'TRANSFER_CODING_INVALID'),
  refuses('a tab after chunked', trailingSpace, te('chunked\t'), 400, 'TRANSFER_CODING_INVALID'),
  ...badCodings.map(([what, value]) =>
    refuses(`a transfer coding with ${what}`, coding, te(value), 400, 'TRANSFER_CODING_INVALID'),
  ),
  refuses('a vertical tab before chunked', coding, te('\x0bchunked'), 400, 'FIELD_INVALID'),
  refuses('NUL after chunked', coding, te('chunked\0'), 400, 'FIELD_INVALID'),
  refuses('gzip alone', final, te('gzip'), 400, 'TRANSFER_CODING_INVALID'),
  refuses('chunked before gzip', final, te('chunked, gzip'), 400, 'TRANSFER_CODING_INVALID'),
  refuses('chunked before identity', final, te('chunked, identity'), 400, 'TRANSFER_CODING_INVALID'),
  refuses('chunked twice in a list', once, te('chunked, chunked'), 400, 'TRANSFER_CODING_INVALID'),
  refuses(
    'chunked twice in two fields',
    once,
    post(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
    400,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    'chunked, then identity in a second field',
    once,
    post(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], '0\r\n\r\n'),
    400,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    'identity, then chunked in a second field',
    once,
    post(['Transfer-Encoding: identity', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
    400,
    'TRANSFER_CODING_INVALID',
  ),
  refuses(
    'chunked in HTTP/1.0',
    old,
    'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
    'TRANSFER_CODING_INVALID',
  ),
  refuses(
    'a length before chunked',
    both,
    post(['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
    400,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    'a length after chunked',
    both,
    post(['Transfer-Encoding: chunked', 'Content-Length: 5'], '0\r\n\r\n'),
    400,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    'a length of zero with chunked',
    both,
    post(['Content-Length: 0', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
    400,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    'a length with Chunked in capitals',
    both,
    post(['Content-Length: 5', 'TRANSFER-ENCODING: CHUNKED'], '0\r\n\r\n'),
    400,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    'a length with an unknown coding',
    both,
    post(['Content-Length: 5', 'Transfer-Encoding: x'], 'hello'),
    400,
    'FRAMING_AMBIGUOUS',
  ),
  accepts(
    'TE, which is another field',
    ['RFC 9110 §10.1.4', 'MUST', 'TE says what the client would like, not how the message is framed.'],
    get('TE: trailers, chunked'),
    [{ start: 'GET /' }],
  ),
  accepts('X-Transfer-Encoding, which is another field', once, get('X-Transfer-Encoding: chunked'), [
    { start: 'GET /' },
  ]),

  accepts(
    'no body without framing fields, also for POST',
    ['RFC 9112 §6.3', 'MUST', 'A request without framing fields has no body.'],
    `${post([], '')}${get()}`,
    [{ start: 'POST /' }, { start: 'GET /' }],
  ),
  ...['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'get', 'BREW'].map((method) =>
    accepts(
      `a body with ${method}`,
      presence,
      `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${get()}`,
      [{ start: `${method} /`, body: 'hello' }, { start: 'GET /' }],
    ),
  ),
  ...['GET', 'HEAD', 'DELETE', 'OPTIONS'].map((method) =>
    accepts(
      `a chunked body with ${method}`,
      presence,
      `${method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n${get()}`,
      [{ start: `${method} /`, body: 'x' }, { start: 'GET /' }],
    ),
  ),
  accepts(
    'a length that Connection names',
    nominated,
    post(['Connection: Content-Length', 'Content-Length: 5'], `hello${get()}`),
    [...hello, { start: 'GET /' }],
  ),
  accepts(
    'chunked that Connection names',
    nominated,
    post(['Connection: transfer-encoding', 'Transfer-Encoding: chunked'], `0\r\n\r\n${get()}`),
    [{ start: 'POST /' }, { start: 'GET /' }],
  ),
  refuses(
    'a missing Host that Connection names',
    nominated,
    'GET / HTTP/1.1\r\nConnection: Host\r\n\r\n',
    400,
    'HOST_INVALID',
  ),

  accepts('two requests in one piece', pipeline, `${get()}GET /2 HTTP/1.1\r\nHost: b\r\n\r\n`, [
    { start: 'GET /', fields: ['host: a'] },
    { start: 'GET /2', fields: ['host: b'] },
  ]),
  accepts('a request after a body', boundary, `${length('5')}${get()}`, [...hello, { start: 'GET /' }]),
  accepts(
    'a body that looks like a request',
    boundary,
    post([`Content-Length: ${get().length}`], `${get()}${get()}`),
    [{ start: 'POST /', body: get() }, { start: 'GET /' }],
  ),
  accepts(
    'a body of every byte',
    boundary,
    post(['Content-Length: 256'], String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte))),
    [{ start: 'POST /', body: String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte)) }],
  ),
  refuses(
    'bytes beyond a length of zero',
    boundary,
    post(['Content-Length: 0'], 'X{}'),
    400,
    'METHOD_INVALID',
    {
      after: [{ start: 'POST /' }],
    },
  ),
  refuses('a body longer than its length', boundary, length('4'), 400, 'REQUEST_INCOMPLETE', {
    after: [{ start: 'POST /', body: 'hell' }],
  }),
  refuses('what follows a good request', pipeline, `${get()}${get('X : y')}`, 400, 'FIELD_INVALID', {
    after: [{ start: 'GET /' }],
  }),
]
