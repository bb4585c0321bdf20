import { accepts, refuses } from './case.ts'
import type { ConformanceCase } from './case.ts'

const dots = [
  'RFC 3986 §5.2.4',
  'MAY',
  'Dot segments are removed when a reference is resolved: one side may do it and the other not.',
] as const
const slash = [
  'RFC 3986 §2.2',
  'MAY',
  'An encoded slash is not a slash, unless somebody decodes too early.',
] as const
const percent = ['RFC 3986 §2.1', 'MUST', 'A percent sign is followed by two hex digits.'] as const
const control = [
  'RFC 3986 §7.3',
  'SHOULD',
  'Encoded controls, NUL first, are refused: they cut paths short in other languages.',
] as const
const backslash = [
  'RFC 3986 §2',
  'MAY',
  'A backslash is no character of a URI; some servers read it as a slash.',
] as const
const fine = ['RFC 3986 §3.3', 'MUST', 'A segment may hold any of these.'] as const

const to = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`
const allowed = (target: string): readonly [string, { start: string }[]] => [
  to(target),
  [{ start: `GET ${target}` }],
]

/** RFC 3986 as far as two readers of one path may part: refused unless the configuration allows it. */
export const pathCases: readonly ConformanceCase[] = [
  ...[
    '/a/../b',
    '/..',
    '/a/..',
    '/a/.',
    '/./a',
    '/..;x/a',
    '/a/%2e%2e/b',
    '/a/.%2E/b',
    '/%2e',
    'http://a/x/../y',
  ].map((target) => refuses(`the path ${target}`, dots, to(target), 400, 'TARGET_AMBIGUOUS')),
  ...['/a%2fb', '/a%2Fb', '/a%5cb', '/a%5C..%5Cb'].map((target) =>
    refuses(`the path ${target}`, slash, to(target), 400, 'TARGET_AMBIGUOUS'),
  ),
  refuses('a backslash', backslash, to('/a\\b'), 400, 'TARGET_AMBIGUOUS'),
  ...['/%', '/a%2', '/a%zz', '/a%%32f'].map((target) =>
    refuses(`the path ${target}`, percent, to(target), 400, 'TARGET_AMBIGUOUS'),
  ),
  ...['/a%00', '/a%0d%0a', '/a%7f'].map((target) =>
    refuses(`the path ${target}`, control, to(target), 400, 'TARGET_AMBIGUOUS'),
  ),
  ...[
    '/a..b',
    '/...',
    '/.well-known/x',
    '/a.',
    '/~a',
    '/a;b=c',
    '/a,b',
    '/%41',
    '/%e9',
    '//a',
    "/!$&'()*+=:@",
  ].map((target) => accepts(`the path ${target}`, fine, ...allowed(target))),
  accepts(
    'dots and encoded slashes in a query',
    ['RFC 3986 §3.4', 'MUST', 'A query has no segments.'],
    ...allowed('/?a=/../%2f\\&b=%zz'),
  ),
  accepts('an encoded slash where the configuration allows it', slash, ...allowed('/a%2fb'), {
    limits: { path: { encodedSlash: 'allow' } },
  }),
  accepts('dot segments where the configuration allows them', dots, ...allowed('/a/../b'), {
    limits: { path: { dotSegments: 'allow' } },
  }),
  accepts('a backslash where the configuration allows it', backslash, ...allowed('/a\\b'), {
    limits: { path: { backslash: 'allow' } },
  }),
  accepts('a broken percent code where the configuration allows it', percent, ...allowed('/a%zz'), {
    limits: { path: { badPercent: 'allow' } },
  }),
  refuses('an empty segment where the configuration says so', dots, to('/a//b'), 400, 'TARGET_AMBIGUOUS', {
    limits: { path: { emptySegments: 'refuse' } },
  }),
]
