import { accepts, refuses } from './case.ts'
import type { ConformanceCase } from './case.ts'

const oneHost = [
  'RFC 9112 §3.2',
  'MUST',
  'An HTTP/1.1 request without Host, with two, or with an invalid one is answered with 400.',
] as const
const hostSyntax = [
  'RFC 9110 §7.2',
  'MUST',
  'Host holds a host name or address and an optional port, nothing else.',
] as const
const absolute = [
  'RFC 9112 §3.2.2',
  'MUST',
  'Servers accept the absolute form, also from clients that know no proxy.',
] as const
const agreement = [
  'RFC 9112 §3.2.2',
  'MUST',
  'A client sends a Host that is identical to the authority of its target; two answers are none.',
] as const
const noUser = [
  'RFC 9110 §4.2.4',
  'SHOULD',
  'User information in a reference from an untrusted source is treated as an error.',
] as const

const withHost = (value: string): string => `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`
const to = (target: string, host = 'a'): string => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`

/** RFC 9112 §3.2 and RFC 9110 §7.2: who is meant. */
export const authorityCases: readonly ConformanceCase[] = [
  refuses('no Host', oneHost, 'GET / HTTP/1.1\r\n\r\n', 400, 'HOST_INVALID'),
  refuses('no Host beside other fields', oneHost, 'GET / HTTP/1.1\r\nX-Host: a\r\n\r\n', 400, 'HOST_INVALID'),
  refuses('two equal Hosts', oneHost, 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400, 'HOST_INVALID'),
  refuses(
    'two different Hosts',
    oneHost,
    'GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: b\r\n\r\n',
    400,
    'HOST_INVALID',
  ),
  refuses(
    'two Hosts in HTTP/1.0',
    oneHost,
    'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n',
    400,
    'HOST_INVALID',
  ),
  refuses('an empty Host', oneHost, withHost(''), 400, 'HOST_INVALID'),
  refuses('an invalid Host in HTTP/1.0', oneHost, 'GET / HTTP/1.0\r\nHost: a b\r\n\r\n', 400, 'HOST_INVALID'),
  accepts(
    'no Host in HTTP/1.0',
    ['RFC 9112 §3.2', 'MUST', 'Only HTTP/1.1 requires Host.'],
    'GET / HTTP/1.0\r\n\r\n',
    [{ start: 'GET /', keepAlive: false, fields: [] }],
  ),
  accepts('a host with a port', hostSyntax, withHost('a.example:8080'), [{ start: 'GET /' }]),
  accepts('a host in capitals', hostSyntax, withHost('A.EXAMPLE'), [{ start: 'GET /' }]),
  accepts('an IPv4 address', hostSyntax, withHost('127.0.0.1:80'), [{ start: 'GET /' }]),
  accepts('an IPv6 address in brackets', hostSyntax, withHost('[::1]:80'), [{ start: 'GET /' }]),
  accepts('an underscore in a host name', hostSyntax, withHost('my_service'), [{ start: 'GET /' }]),
  accepts('port 65535', hostSyntax, withHost('a:65535'), [{ start: 'GET /' }]),
  refuses('port 65536', hostSyntax, withHost('a:65536'), 400, 'HOST_INVALID'),
  refuses('a port that is no number', hostSyntax, withHost('a:http'), 400, 'HOST_INVALID'),
  refuses('an empty port', hostSyntax, withHost('a:'), 400, 'HOST_INVALID'),
  refuses('two ports', hostSyntax, withHost('a:80:80'), 400, 'HOST_INVALID'),
  refuses('a port alone', hostSyntax, withHost(':80'), 400, 'HOST_INVALID'),
  refuses('an IPv6 address without its bracket', hostSyntax, withHost('[::1'), 400, 'HOST_INVALID'),
  refuses('an IPv6 address without brackets', hostSyntax, withHost('::1'), 400, 'HOST_INVALID'),
  refuses('text after the bracket', hostSyntax, withHost('[::1]a'), 400, 'HOST_INVALID'),
  refuses('a list of hosts', hostSyntax, withHost('a, b'), 400, 'HOST_INVALID'),
  refuses('a space in Host', hostSyntax, withHost('a b'), 400, 'HOST_INVALID'),
  refuses('a path in Host', hostSyntax, withHost('a/b'), 400, 'HOST_INVALID'),
  refuses('a scheme in Host', hostSyntax, withHost('http://a'), 400, 'HOST_INVALID'),
  refuses('a query in Host', hostSyntax, withHost('a?b'), 400, 'HOST_INVALID'),
  refuses('a fragment in Host', hostSyntax, withHost('a#b'), 400, 'HOST_INVALID'),
  refuses('a percent code in Host', hostSyntax, withHost('a%2eb'), 400, 'HOST_INVALID'),
  refuses('bytes above ASCII in Host', hostSyntax, withHost('\u00e4'), 400, 'HOST_INVALID'),
  refuses('user information in Host', noUser, withHost('u@a'), 400, 'HOST_INVALID'),
  refuses('user and password in Host', noUser, withHost('u:p@a'), 400, 'HOST_INVALID'),

  accepts('an absolute target', absolute, to('http://a/x?y'), [{ start: 'GET http://a/x?y' }]),
  accepts('an absolute target without a path', absolute, to('http://a'), [{ start: 'GET http://a' }]),
  accepts('an absolute target with a query and no path', absolute, to('http://a?x'), [
    { start: 'GET http://a?x' },
  ]),
  accepts('an absolute target with a port', absolute, to('http://a:8080/', 'a:8080'), [
    { start: 'GET http://a:8080/' },
  ]),
  accepts('OPTIONS on an absolute target', absolute, 'OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n', [
    { start: 'OPTIONS http://a' },
  ]),
  accepts('a Host that differs in case only', agreement, to('http://EXAMPLE/', 'example'), [
    { start: 'GET http://EXAMPLE/' },
  ]),
  refuses('a Host that differs from the target', agreement, to('http://a/', 'b'), 400, 'HOST_INVALID'),
  refuses('a port in the target only', agreement, to('http://a:8080/', 'a'), 400, 'HOST_INVALID'),
  refuses('an absolute target without Host', oneHost, 'GET http://a/ HTTP/1.1\r\n\r\n', 400, 'HOST_INVALID'),
  refuses('user information in the target', noUser, to('http://u@a/'), 400, 'TARGET_INVALID'),
  refuses('an empty authority', absolute, to('http:///x'), 400, 'TARGET_INVALID'),
  refuses('another scheme', absolute, to('ftp://a/'), 400, 'TARGET_INVALID'),
  refuses('a scheme without slashes', absolute, to('http:a'), 400, 'TARGET_INVALID'),
]
