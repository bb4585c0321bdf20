import { accepts, get, refuses } from './case.ts'
import type { ConformanceCase } from './case.ts'

const start = 'GET /'
const name = [
  'RFC 9112 §5',
  'MUST',
  'A field line is a token, a colon, optional white space, a value, optional white space.',
] as const
const colon = ['RFC 9112 §5.1', 'MUST', 'White space between name and colon is answered with 400.'] as const
const fold = [
  'RFC 9112 §5.2',
  'MUST',
  'A folded line is refused with 400 or replaced; it is refused here.',
] as const
const value = [
  'RFC 9110 §5.5',
  'MUST',
  'A value with CR, LF or NUL is invalid; other controls are invalid too.',
] as const
const space = ['RFC 9110 §5.5', 'MUST', 'White space around a value is not part of it.'] as const
const lineEnd = [
  'RFC 9112 §2.2',
  'MUST',
  'A CR that no LF follows is invalid; a lone LF may be refused.',
] as const
const leading = [
  'RFC 9112 §2.2',
  'MUST',
  'White space between the start line and the first field is refused or the line skipped.',
] as const
const disguise = [
  'RFC 9110 §5.1',
  'MAY',
  'A name that backends map to a framing field may be refused.',
] as const

/** RFC 9112 §5: field lines. */
export const fieldCases: readonly ConformanceCase[] = [
  accepts('names in any case', ['RFC 9110 §5.1', 'MUST', 'Names are case-insensitive.'], get('X-ABC: d'), [
    { start, fields: ['host: a', 'x-abc: d'] },
  ]),
  accepts('a value without white space before it', space, get('X:y'), [
    { start, fields: ['host: a', 'x: y'] },
  ]),
  accepts('tabs and spaces around a value', space, get('X: \t y \t '), [
    { start, fields: ['host: a', 'x: y'] },
  ]),
  accepts('an empty value', name, get('X:'), [{ start, fields: ['host: a', 'x: '] }]),
  accepts('a value of white space only', space, get('X:  \t '), [{ start, fields: ['host: a', 'x: '] }]),
  accepts('tabs and spaces inside a value', value, get('X: a \t b'), [
    { start, fields: ['host: a', 'x: a \t b'] },
  ]),
  accepts(
    'bytes above ASCII in a value',
    ['RFC 9110 §5.5', 'MAY', 'Bytes above ASCII are opaque data.'],
    get('X: \u00e9\u00ff\x80'),
    [{ start, fields: ['host: a', 'x: \u00e9\u00ff\x80'] }],
  ),
  accepts('colons in a value', name, get('X:: a:b'), [{ start, fields: ['host: a', 'x: : a:b'] }]),
  accepts('every mark of a token in a name', name, get("!#$%&'*+-.^_`|~9: x"), [
    { start, fields: ['host: a', "!#$%&'*+-.^_`|~9: x"] },
  ]),
  accepts(
    'a field that comes twice, in order',
    ['RFC 9110 §5.3', 'MUST', 'The order of fields with one name is kept.'],
    get('X: 1', 'Y: 2', 'x: 3'),
    [{ start, fields: ['host: a', 'x: 1', 'y: 2', 'x: 3'] }],
  ),
  accepts(
    'a hundred fields',
    ['RFC 9110 §5.4', 'MAY', 'How much is accepted is up to the server.'],
    get(...Array.from({ length: 99 }, (_, at) => `X${at}: y`)),
    [{ start }],
  ),
  refuses('a space before the colon', colon, get('X : y'), 400, 'FIELD_INVALID'),
  refuses('a tab before the colon', colon, get('X\t: y'), 400, 'FIELD_INVALID'),
  refuses(
    'a space before the colon of Host',
    colon,
    'GET / HTTP/1.1\r\nHost : a\r\n\r\n',
    400,
    'FIELD_INVALID',
  ),
  refuses(
    'a space before the colon of Content-Length',
    colon,
    get('Content-Length : 0'),
    400,
    'FIELD_INVALID',
  ),
  refuses(
    'a space before the colon of Transfer-Encoding',
    colon,
    get('Transfer-Encoding : chunked'),
    400,
    'FIELD_INVALID',
  ),
  refuses('a value folded with a space', fold, get('X: y', ' z'), 400, 'FIELD_INVALID'),
  refuses('a value folded with a tab', fold, get('X: y', '\tz'), 400, 'FIELD_INVALID'),
  refuses('a folded empty value', fold, get('X:', ' y'), 400, 'FIELD_INVALID'),
  refuses('a folded Transfer-Encoding', fold, get('Transfer-Encoding:', ' chunked'), 400, [
    'FIELD_INVALID',
    'TRANSFER_CODING_INVALID',
  ]),
  refuses('a line of white space', fold, get('X: y', ' '), 400, 'FIELD_INVALID'),
  refuses(
    'white space before the first field',
    leading,
    'GET / HTTP/1.1\r\n Host: a\r\n\r\n',
    400,
    'FIELD_INVALID',
  ),
  refuses(
    'a tab before the first field',
    leading,
    'GET / HTTP/1.1\r\n\tX: y\r\nHost: a\r\n\r\n',
    400,
    'FIELD_INVALID',
  ),
  refuses('a line without a colon', name, get('X'), 400, 'FIELD_INVALID'),
  refuses('an empty name', name, get(': y'), 400, 'FIELD_INVALID'),
  refuses('brackets in a name', name, get('X[0]: y'), 400, 'FIELD_INVALID'),
  refuses('a slash in a name', name, get('X/Y: z'), 400, 'FIELD_INVALID'),
  refuses('a space inside a name', name, get('X Y: z'), 400, 'FIELD_INVALID'),
  refuses('a quote in a name', name, get('"X": y'), 400, 'FIELD_INVALID'),
  refuses('NUL in a name', name, get('X\0: y'), 400, 'FIELD_INVALID'),
  refuses('a byte above ASCII in a name', name, get('X\u00e9: y'), 400, 'FIELD_INVALID'),
  refuses('a second request line among the fields', name, get('GET /admin HTTP/1.1'), 400, 'FIELD_INVALID'),
  refuses('NUL in a value', value, get('X: a\0b'), 400, 'FIELD_INVALID'),
  refuses('NUL at the end of a value', value, get('X: a\0'), 400, 'FIELD_INVALID'),
  refuses('a control byte in a value', value, get('X: a\x01b'), 400, 'FIELD_INVALID'),
  refuses('a vertical tab in a value', value, get('X: a\x0bb'), 400, 'FIELD_INVALID'),
  refuses('a form feed before a value', value, get('X:\x0ca'), 400, 'FIELD_INVALID'),
  refuses('ESC in a value', value, get('X: \x1b[31m'), 400, 'FIELD_INVALID'),
  refuses('DEL in a value', value, get('X: a\x7fb'), 400, 'FIELD_INVALID'),
  refuses('a lone CR in a value', lineEnd, get('X: a\rb'), 400, 'LINE_END_INVALID'),
  refuses('a lone CR that hides a field', lineEnd, get('X: a\rContent-Length: 5'), 400, 'LINE_END_INVALID'),
  refuses(
    'a lone LF after a field',
    lineEnd,
    'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n',
    400,
    'LINE_END_INVALID',
  ),
  refuses('lone LFs all through', lineEnd, 'GET / HTTP/1.1\nHost: a\n\n', 400, 'LINE_END_INVALID'),
  refuses('CR CR LF after a field', lineEnd, get('X: y\r'), 400, 'LINE_END_INVALID'),
  refuses('LF CR after a field', lineEnd, 'GET / HTTP/1.1\r\nHost: a\n\r\n', 400, 'LINE_END_INVALID'),
  refuses(
    'a lone LF at the end of the head',
    lineEnd,
    'GET / HTTP/1.1\r\nHost: a\r\n\n',
    400,
    'LINE_END_INVALID',
  ),
  refuses(
    'a lone CR at the end of the head',
    lineEnd,
    'GET / HTTP/1.1\r\nHost: a\r\n\rX',
    400,
    'LINE_END_INVALID',
  ),
  refuses('Content_Length', disguise, get('Content_Length: 5'), 400, 'FIELD_INVALID'),
  refuses('Transfer_Encoding', disguise, get('Transfer_Encoding: chunked'), 400, 'FIELD_INVALID'),
  accepts('an underscore in another name', disguise, get('X_Y: z'), [
    { start, fields: ['host: a', 'x_y: z'] },
  ]),
  refuses(
    'a head that ends too early',
    ['RFC 9112 §8', 'MUST', 'A request cut short is not processed.'],
    'GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n',
    400,
    'REQUEST_INCOMPLETE',
  ),
]
