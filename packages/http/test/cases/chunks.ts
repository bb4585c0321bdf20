import { accepts, chunked, get, refuses } from './case.ts'
import type { ConformanceCase } from './case.ts'

const size = ['RFC 9112 §7.1', 'MUST', 'A chunk begins with its size: hex digits and nothing else.'] as const
const data = [
  'RFC 9112 §7.1',
  'MUST',
  'The data of a chunk has exactly the stated size, and CR LF follows.',
] as const
const overflow = [
  'RFC 9112 §7.1',
  'MUST',
  'A recipient guards against sizes too large to hold exactly.',
] as const
const extension = ['RFC 9112 §7.1.1', 'MUST', 'Extensions that are not known are ignored.'] as const
const badExtension = [
  'RFC 9112 §7.1.1',
  'MUST',
  'An extension is ";", a token, and perhaps "=" and a token or quoted string.',
] as const
const bws = [
  'RFC 9112 §7.1.1',
  'MAY',
  'White space around the parts of an extension is bad, for history only, and a way to be fooled.',
] as const
const bound = [
  'RFC 9112 §7.1.1',
  'SHOULD',
  'A server bounds the length of all extensions of a request.',
] as const
const lineEnd = [
  'RFC 9112 §2.2',
  'MAY',
  'A lone LF may be taken for a line end; inside chunks that is a way to be fooled.',
] as const
const bareCr = ['RFC 9112 §2.2', 'MUST', 'A CR that no LF follows is invalid.'] as const
const trailer = [
  'RFC 9112 §7.1.2',
  'MAY',
  'Trailer fields may be kept apart, merged or dropped; here they are kept apart.',
] as const
const forbidden = [
  'RFC 9110 §6.5.1',
  'MUST',
  'Fields for framing, routing, authentication and content do not belong in trailers.',
] as const
const field = ['RFC 9112 §7.1.2', 'MUST', 'The trailer section has the syntax of fields.'] as const
const end = [
  'RFC 9112 §7.1',
  'MUST',
  'The body is over after the last chunk, the trailers and an empty line.',
] as const

const hello = [{ start: 'POST /', body: 'hello' }]
const none = [{ start: 'POST /' }]
const begun = (body = ''): { after: { start: string; body: string; isComplete: false }[] } => ({
  after: [{ start: 'POST /', body, isComplete: false }],
})
const withExtension = (text: string): string => chunked(`5${text}\r\nhello\r\n0\r\n\r\n`)
const withTrailer = (text: string): string => chunked(`5\r\nhello\r\n0\r\n${text}\r\n\r\n`)

const badSizes: readonly (readonly [string, string])[] = [
  ['a plus sign', '+5'],
  ['a minus sign', '-5'],
  ['a hex prefix', '0x5'],
  ['an underscore', '0_5'],
  ['a space in front', ' 5'],
  ['a tab in front', '\t5'],
  ['a space behind', '5 '],
  ['a tab behind', '5\t'],
  ['a letter that is no hex digit', 'g'],
  ['a letter behind', '5g'],
  ['a comma', '5,5'],
  ['a dot', '5.0'],
  ['NUL behind', '5\0'],
  ['nothing', ''],
  ['nothing but an extension', ';a=b'],
  ['a quote', '"5"'],
]

const badExtensions: readonly (readonly [string, string])[] = [
  ['no name', ';'],
  ['no name before the equals sign', ';=b'],
  ['no value after the equals sign', ';a='],
  ['two semicolons', ';;a'],
  ['a parenthesis in its name', ';a('],
  ['a byte above ASCII in its name', ';\u00e9'],
  ['NUL in its name', ';a\0'],
  ['NUL in a quoted value', ';a="\0"'],
  ['a control byte in a quoted value', ';a="\x01"'],
  ['text after a quoted value', ';a="b"c'],
  ['a quote inside a value', ';a=b"c'],
  ['two equals signs', ';a=b=c'],
]

/** RFC 9112 §7.1: the chunked coding. The rules are the same for responses. */
export const chunkCases: readonly ConformanceCase[] = [
  accepts('one chunk', data, chunked('5\r\nhello\r\n0\r\n\r\n'), hello),
  accepts('several chunks', data, chunked('1\r\nh\r\n2\r\nel\r\n2\r\nlo\r\n0\r\n\r\n'), hello),
  accepts('no chunk but the last', end, chunked('0\r\n\r\n'), none),
  accepts('hex digits in capitals', size, chunked('A\r\n0123456789\r\n0\r\n\r\n'), [
    { start: 'POST /', body: '0123456789' },
  ]),
  accepts('hex digits in small letters', size, chunked('a\r\n0123456789\r\n0\r\n\r\n'), [
    { start: 'POST /', body: '0123456789' },
  ]),
  accepts('zeros in front of a size', size, chunked('0005\r\nhello\r\n000\r\n\r\n'), hello),
  accepts('data that looks like chunks', data, chunked('7\r\n0\r\n\r\nX\n\r\n0\r\n\r\n'), [
    { start: 'POST /', body: '0\r\n\r\nX\n' },
  ]),
  accepts('a request after the last chunk', end, `${chunked('5\r\nhello\r\n0\r\n\r\n')}${get()}`, [
    ...hello,
    { start: 'GET /' },
  ]),
  ...badSizes.map(([what, text]) =>
    refuses(
      `a size with ${what}`,
      size,
      chunked(`${text}\r\nhello\r\n0\r\n\r\n`),
      400,
      'CHUNK_INVALID',
      begun(),
    ),
  ),
  refuses('a size of 16 digits', overflow, chunked('ffffffffffffffff\r\n'), 400, 'CHUNK_INVALID', begun()),
  refuses(
    'a size that wraps at 64 bits',
    overflow,
    chunked('10000000000000005\r\nhello\r\n0\r\n\r\n'),
    400,
    'CHUNK_INVALID',
    begun(),
  ),
  refuses(
    'a size with a bad last chunk',
    size,
    chunked('5\r\nhello\r\n+0\r\n\r\n'),
    400,
    'CHUNK_INVALID',
    begun('hello'),
  ),
  refuses(
    'a lone LF after a size',
    lineEnd,
    chunked('5\nhello\r\n0\r\n\r\n'),
    400,
    'LINE_END_INVALID',
    begun(),
  ),
  refuses(
    'a lone CR after a size',
    bareCr,
    chunked('5\rhello\r\n0\r\n\r\n'),
    400,
    'LINE_END_INVALID',
    begun(),
  ),
  refuses(
    'a lone LF after the data',
    lineEnd,
    chunked('5\r\nhello\n0\r\n\r\n'),
    400,
    'CHUNK_INVALID',
    begun('hello'),
  ),
  refuses(
    'a lone CR after the data',
    bareCr,
    chunked('5\r\nhello\r0\r\n\r\n'),
    400,
    'LINE_END_INVALID',
    begun('hello'),
  ),
  refuses(
    'no line end after the data',
    data,
    chunked('5\r\nhello0\r\n\r\n'),
    400,
    'CHUNK_INVALID',
    begun('hello'),
  ),
  refuses(
    'more data than stated',
    data,
    chunked('5\r\nhello!!\r\n0\r\n\r\n'),
    400,
    'CHUNK_INVALID',
    begun('hello'),
  ),
  refuses(
    'less data than stated',
    data,
    chunked('6\r\nhello\r\n0\r\n\r\n'),
    400,
    'CHUNK_INVALID',
    begun('hello\r'),
  ),
  refuses(
    'a second empty line between chunks',
    data,
    chunked('5\r\nhello\r\n\r\n0\r\n\r\n'),
    400,
    'CHUNK_INVALID',
    begun('hello'),
  ),
  refuses('a lone LF after the last size', lineEnd, chunked('0\n\r\n'), 400, 'LINE_END_INVALID', begun()),
  refuses('a lone LF as the empty line', lineEnd, chunked('0\r\n\n'), 400, 'LINE_END_INVALID', begun()),
  refuses('a lone CR as the empty line', bareCr, chunked('0\r\n\rX'), 400, 'LINE_END_INVALID', begun()),
  refuses(
    'a body without a last chunk',
    end,
    chunked('5\r\nhello\r\n'),
    400,
    'REQUEST_INCOMPLETE',
    begun('hello'),
  ),
  refuses(
    'a body without the last empty line',
    end,
    chunked('5\r\nhello\r\n0\r\n'),
    400,
    'REQUEST_INCOMPLETE',
    begun('hello'),
  ),
  refuses('a chunk cut short', end, chunked('5\r\nhel'), 400, 'REQUEST_INCOMPLETE', begun('hel')),

  accepts('an extension', extension, withExtension(';a'), hello),
  accepts('an extension with a value', extension, withExtension(';a=b'), hello),
  accepts('an extension with a quoted value', extension, withExtension(';a="b;c"'), hello),
  accepts('an escaped quote in an extension', extension, withExtension(';a="b\\"c"'), hello),
  accepts('several extensions', extension, withExtension(';a;b=c;d="e"'), hello),
  accepts('an extension of the last chunk', extension, chunked('5\r\nhello\r\n0;a=b\r\n\r\n'), hello),
  ...badExtensions.map(([what, text]) =>
    refuses(
      `an extension with ${what}`,
      badExtension,
      withExtension(text),
      400,
      ['CHUNK_INVALID', 'LINE_END_INVALID'],
      begun(),
    ),
  ),
  refuses('a space before an extension', bws, withExtension(' ;a=b'), 400, 'CHUNK_INVALID', begun()),
  refuses('a space in an extension', bws, withExtension('; a=b'), 400, 'CHUNK_INVALID', begun()),
  refuses('a space before the equals sign', bws, withExtension(';a =b'), 400, 'CHUNK_INVALID', begun()),
  refuses('a space after an extension', bws, withExtension(';a=b '), 400, 'CHUNK_INVALID', begun()),
  refuses(
    'a lone LF in an extension',
    lineEnd,
    chunked('5;a\nhello\r\n0\r\n\r\n'),
    400,
    'LINE_END_INVALID',
    begun(),
  ),
  refuses('a lone CR in an extension', bareCr, withExtension(';a\rb'), 400, 'LINE_END_INVALID', begun()),
  refuses(
    'a quoted value that does not end',
    badExtension,
    withExtension(';a="b'),
    400,
    'CHUNK_INVALID',
    begun(),
  ),
  refuses(
    'one extension that is too long',
    bound,
    withExtension(`;a=${'x'.repeat(300)}`),
    400,
    'CHUNK_INVALID',
    begun(),
  ),
  refuses(
    'too many extensions over many chunks',
    bound,
    chunked(`1;${'x'.repeat(200)}\r\na\r\n`.repeat(30)),
    400,
    'CHUNK_INVALID',
    begun('a'.repeat(20)),
  ),

  accepts('a trailer', trailer, withTrailer('X: y'), [
    { start: 'POST /', body: 'hello', trailers: ['x: y'] },
  ]),
  accepts('several trailers', trailer, withTrailer('X: y\r\nChecksum:z'), [
    { start: 'POST /', body: 'hello', trailers: ['x: y', 'checksum: z'] },
  ]),
  accepts('a request after trailers', end, `${withTrailer('X: y')}${get()}`, [
    { start: 'POST /', body: 'hello', trailers: ['x: y'] },
    { start: 'GET /' },
  ]),
  ...[
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Host: b',
    'Authorization: x',
    'Content-Type: text/html',
    'Content-Encoding: gzip',
    'Cookie: a=b',
    'Trailer: x',
    'Connection: close',
    'Via: 1.1 x',
    'X-Forwarded-For: 1.2.3.4',
  ].map((text) =>
    refuses(`the trailer ${text}`, forbidden, withTrailer(text), 400, 'TRAILER_INVALID', begun('hello')),
  ),
  refuses('a folded trailer', field, withTrailer('X: y\r\n z'), 400, 'FIELD_INVALID', begun('hello')),
  refuses(
    'a space before the colon of a trailer',
    field,
    withTrailer('X : y'),
    400,
    'FIELD_INVALID',
    begun('hello'),
  ),
  refuses('a trailer without a colon', field, withTrailer('X'), 400, 'FIELD_INVALID', begun('hello')),
  refuses('NUL in a trailer', field, withTrailer('X: \0'), 400, 'FIELD_INVALID', begun('hello')),
  refuses('a lone LF after a trailer', lineEnd, chunked('0\r\nX: y\n\r\n'), 400, 'LINE_END_INVALID', begun()),
  refuses('a lone CR in a trailer', bareCr, withTrailer('X: y\rz'), 400, 'LINE_END_INVALID', begun('hello')),
  refuses(
    'a request line where trailers may come',
    field,
    chunked('0\r\nGET / HTTP/1.1\r\n\r\n'),
    400,
    'FIELD_INVALID',
    begun(),
  ),
]
