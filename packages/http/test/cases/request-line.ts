import { accepts, get, refuses } from './case.ts'
import type { ConformanceCase } from './case.ts'

const host = '\r\nHost: a\r\n\r\n'
const line = [
  'RFC 9112 §3',
  'MUST',
  'A request line is method, one space, target, one space, version, CR LF.',
] as const
const looseLine = [
  'RFC 9112 §3',
  'MAY',
  'Splitting the line at any white space is allowed, and a known way to be fooled.',
] as const
const method = ['RFC 9110 §9.1', 'MUST', 'A method is a token, and its case matters.'] as const
const version = [
  'RFC 9112 §2.3',
  'MUST',
  'The version is "HTTP/", one digit, a dot, one digit, in capitals.',
] as const
const otherVersion = [
  'RFC 9110 §15.6.6',
  'MAY',
  'A server may refuse a major version, or a client it will not serve in that version.',
] as const
const target = [
  'RFC 9112 §3.2',
  'MUST',
  'A target has no white space; an invalid request line is answered with 400, not repaired.',
] as const
const lineEnd = [
  'RFC 9112 §2.2',
  'MUST',
  'A CR that no LF follows is invalid; a lone LF may be refused.',
] as const
const emptyLine = [
  'RFC 9112 §2.2',
  'SHOULD',
  'At least one empty line before a request line is ignored.',
] as const

/** RFC 9112 §2 and §3: what a request begins with. */
export const requestLineCases: readonly ConformanceCase[] = [
  accepts('the smallest request', line, `GET / HTTP/1.1${host}`, [{ start: 'GET /', fields: ['host: a'] }]),
  accepts('a method it has never heard of', method, `BREW /pot HTTP/1.1${host}`, [{ start: 'BREW /pot' }]),
  accepts('a method in small letters as another method', method, `get / HTTP/1.1${host}`, [
    { start: 'get /' },
  ]),
  accepts('every mark of a token in a method', method, `!#$%&'*+-.^_\`|~0a / HTTP/1.1${host}`, [
    { start: "!#$%&'*+-.^_`|~0a /" },
  ]),
  refuses('a method with a parenthesis', method, `G(T / HTTP/1.1${host}`, 400, 'METHOD_INVALID'),
  refuses('a method with a byte above ASCII', method, `G\u00c9T / HTTP/1.1${host}`, 400, 'METHOD_INVALID'),
  refuses('a method with NUL', method, `GE\0T / HTTP/1.1${host}`, 400, ['METHOD_INVALID', 'FIELD_INVALID']),
  refuses('an empty method', line, ` / HTTP/1.1${host}`, 400, 'METHOD_INVALID'),
  refuses(
    'a method of 33 bytes',
    ['RFC 9112 §3', 'SHOULD', 'A server bounds the length of methods it reads.'],
    `${'M'.repeat(33)} / HTTP/1.1${host}`,
    400,
    'METHOD_INVALID',
  ),
  refuses(
    'CONNECT',
    ['RFC 9110 §9.3.6', 'MAY', 'CONNECT is for proxies that open tunnels; others answer 501.'],
    'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n',
    501,
    'METHOD_REFUSED',
  ),
  refuses('two spaces before the target', looseLine, `GET  / HTTP/1.1${host}`, 400, 'REQUEST_LINE_INVALID'),
  refuses('two spaces before the version', looseLine, `GET /  HTTP/1.1${host}`, 400, 'VERSION_INVALID'),
  refuses('a space after the version', looseLine, `GET / HTTP/1.1 ${host}`, 400, 'VERSION_INVALID'),
  refuses('a tab instead of the first space', looseLine, `GET\t/ HTTP/1.1${host}`, 400, 'METHOD_INVALID'),
  refuses('a tab instead of the second space', looseLine, `GET /\tHTTP/1.1${host}`, 400, 'TARGET_INVALID'),
  refuses('a vertical tab as a separator', looseLine, `GET\x0b/ HTTP/1.1${host}`, 400, 'METHOD_INVALID'),
  refuses('a space in front of the method', line, ` GET / HTTP/1.1${host}`, 400, 'METHOD_INVALID'),
  refuses('no target', line, `GET HTTP/1.1${host}`, 400, 'VERSION_INVALID'),
  refuses('an empty target between two spaces', line, `GET  HTTP/1.1${host}`, 400, 'REQUEST_LINE_INVALID'),
  refuses('a method alone', line, 'GET\r\n\r\n', 400, 'METHOD_INVALID'),
  refuses(
    'HTTP/0.9',
    ['RFC 9112 §2.3', 'MUST', 'A request line without a version is none of HTTP/1.'],
    'GET /\r\n',
    400,
    'VERSION_INVALID',
  ),

  accepts('HTTP/1.0', version, 'GET / HTTP/1.0\r\n\r\n', [{ start: 'GET /', keepAlive: false }]),
  refuses('a version in small letters', version, `GET / http/1.1${host}`, 400, 'VERSION_INVALID'),
  refuses('two digits in the minor version', version, `GET / HTTP/1.10${host}`, 400, 'VERSION_INVALID'),
  refuses('leading zeros in the version', version, `GET / HTTP/01.1${host}`, 400, 'VERSION_INVALID'),
  refuses('a version without a minor digit', version, `GET / HTTP/1.${host}`, 400, 'VERSION_INVALID'),
  refuses('a version without a dot', version, `GET / HTTP/1${host}`, 400, 'VERSION_INVALID'),
  refuses('a comma in the version', version, `GET / HTTP/1,1${host}`, 400, 'VERSION_INVALID'),
  refuses('a space in the version', version, `GET / HTTP/ 1.1${host}`, 400, 'VERSION_INVALID'),
  refuses('another protocol name', version, `GET / HTCPCP/1.0${host}`, 400, 'VERSION_INVALID'),
  refuses('a word after the version', version, `GET / HTTP/1.1 HTTP/1.1${host}`, 400, 'VERSION_INVALID'),
  refuses(
    'HTTP/2.0 in the manner of HTTP/1',
    otherVersion,
    `GET / HTTP/2.0${host}`,
    505,
    'VERSION_UNSUPPORTED',
  ),
  refuses('HTTP/1.2', otherVersion, `GET / HTTP/1.2${host}`, 505, 'VERSION_UNSUPPORTED'),
  refuses('HTTP/0.9 with a version', otherVersion, `GET / HTTP/0.9${host}`, 505, 'VERSION_UNSUPPORTED'),
  refuses(
    'the preface of HTTP/2',
    ['RFC 9113 §3.4', 'MAY', 'A server that does not speak HTTP/2 on this port refuses its preface.'],
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    505,
    'VERSION_UNSUPPORTED',
  ),
  refuses('a TLS handshake', line, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, [
    'METHOD_INVALID',
    'FIELD_INVALID',
  ]),
  refuses('a response where a request is due', line, 'HTTP/1.1 200 OK\r\n\r\n', 400, 'METHOD_INVALID'),

  refuses(
    'a lone LF after the request line',
    lineEnd,
    'GET / HTTP/1.1\nHost: a\r\n\r\n',
    400,
    'LINE_END_INVALID',
  ),
  refuses(
    'a lone CR after the request line',
    lineEnd,
    'GET / HTTP/1.1\rHost: a\r\n\r\n',
    400,
    'LINE_END_INVALID',
  ),
  refuses('a lone CR in the target', lineEnd, `GET /\rx HTTP/1.1${host}`, 400, 'LINE_END_INVALID'),
  refuses(
    'CR CR LF after the request line',
    lineEnd,
    'GET / HTTP/1.1\r\r\nHost: a\r\n\r\n',
    400,
    'LINE_END_INVALID',
  ),
  accepts('one empty line before the request', emptyLine, `\r\n${get()}`, [{ start: 'GET /' }]),
  accepts('one empty line between two requests', emptyLine, `${get()}\r\n${get()}`, [
    { start: 'GET /' },
    { start: 'GET /' },
  ]),
  refuses('two empty lines before the request', emptyLine, `\r\n\r\n${get()}`, 400, 'METHOD_INVALID'),
  refuses('a lone LF before the request', lineEnd, `\n${get()}`, 400, ['LINE_END_INVALID', 'METHOD_INVALID']),

  accepts(
    'a target of 8000 bytes',
    ['RFC 9112 §3', 'SHOULD', 'Request lines of 8000 bytes are supported.'],
    `GET /${'x'.repeat(7999)} HTTP/1.1${host}`,
    [{ start: `GET /${'x'.repeat(7999)}` }],
  ),
  refuses('a space in the target', target, `GET /a b HTTP/1.1${host}`, 400, 'VERSION_INVALID'),
  refuses('a fragment in the target', target, `GET /a#b HTTP/1.1${host}`, 400, 'TARGET_INVALID'),
  refuses('NUL in the target', target, `GET /\0 HTTP/1.1${host}`, 400, ['TARGET_INVALID', 'FIELD_INVALID']),
  refuses('a control byte in the target', target, `GET /\x01 HTTP/1.1${host}`, 400, 'TARGET_INVALID'),
  refuses('DEL in the target', target, `GET /\x7f HTTP/1.1${host}`, 400, 'TARGET_INVALID'),
  refuses('a byte above ASCII in the target', target, `GET /\u00e9 HTTP/1.1${host}`, 400, 'TARGET_INVALID'),
  refuses('angle brackets in the target', target, `GET /<x> HTTP/1.1${host}`, 400, 'TARGET_INVALID'),
  refuses(
    'a target without a slash in front',
    target,
    `GET index.html HTTP/1.1${host}`,
    400,
    'TARGET_INVALID',
  ),
  refuses('a target that begins with its query', target, `GET ?x HTTP/1.1${host}`, 400, 'TARGET_INVALID'),
  accepts('an empty query', target, `GET /? HTTP/1.1${host}`, [{ start: 'GET /?' }]),
  accepts(
    'question marks and slashes in a query',
    ['RFC 3986 §3.4', 'MUST', 'A query may hold "/" and "?".'],
    `GET /a?b?c/d HTTP/1.1${host}`,
    [{ start: 'GET /a?b?c/d' }],
  ),
  accepts(
    'OPTIONS *',
    ['RFC 9112 §3.2.4', 'MUST', 'The asterisk form means the server as a whole.'],
    `OPTIONS * HTTP/1.1${host}`,
    [{ start: 'OPTIONS *' }],
  ),
  refuses(
    'GET *',
    ['RFC 9112 §3.2.4', 'MUST', 'The asterisk form is for OPTIONS only.'],
    `GET * HTTP/1.1${host}`,
    400,
    'TARGET_INVALID',
  ),
  refuses(
    'the authority form without CONNECT',
    ['RFC 9112 §3.2.3', 'MUST', 'The authority form is for CONNECT only.'],
    'GET a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n',
    400,
    'TARGET_INVALID',
  ),
]
