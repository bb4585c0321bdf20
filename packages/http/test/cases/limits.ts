import { accepts, chunked, get, post, refuses } from './case.ts'
import type { ConformanceCase } from './case.ts'

const head = [
  'RFC 9110 §5.4',
  'MUST',
  'Fields larger than the server wishes to process are answered with a 4xx; RFC 6585 §5 gives 431.',
] as const
const target = [
  'RFC 9112 §3',
  'MUST',
  'A target longer than the server wishes to parse is answered with 414.',
] as const
const body = [
  'RFC 9110 §15.5.14',
  'MAY',
  'A body larger than the server is willing to process is answered with 413.',
] as const

const small = {
  limits: {
    maxTargetBytes: 20,
    maxHeadBytes: 200,
    maxFieldLineBytes: 50,
    maxFields: 4,
    maxBodyBytes: 10,
    maxTrailerBytes: 40,
  },
}
const begun = (text: string): { after: { start: string; body: string; isComplete: false }[] } => ({
  after: [{ start: 'POST /', body: text, isComplete: false }],
})

/** Bounds, each just below and just above. */
export const limitCases: readonly ConformanceCase[] = [
  accepts(
    'a target at the limit',
    target,
    `GET /${'x'.repeat(19)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    [{ start: `GET /${'x'.repeat(19)}` }],
    small,
  ),
  refuses(
    'a target above the limit',
    target,
    `GET /${'x'.repeat(20)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    414,
    'TARGET_TOO_LONG',
    small,
  ),
  refuses('a target that does not end', target, `GET /${'x'.repeat(100)}`, 414, 'TARGET_TOO_LONG', small),
  refuses(
    'an absolute target above the limit',
    target,
    `GET http://a/${'x'.repeat(20)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    414,
    'TARGET_TOO_LONG',
    small,
  ),
  accepts('as many fields as the limit', head, get('A: 1', 'B: 2', 'C: 3'), [{ start: 'GET /' }], small),
  refuses('one field too many', head, get('A: 1', 'B: 2', 'C: 3', 'D: 4'), 431, 'HEAD_TOO_LARGE', small),
  accepts('a field line at the limit', head, get(`X: ${'y'.repeat(45)}`), [{ start: 'GET /' }], small),
  refuses('a field line above the limit', head, get(`X: ${'y'.repeat(46)}`), 431, 'HEAD_TOO_LARGE', small),
  refuses('a field name above the limit', head, get(`${'X'.repeat(60)}: y`), 431, 'HEAD_TOO_LARGE', small),
  refuses(
    'a head above the limit',
    head,
    get(...[1, 2, 3].map(() => `X: ${'y'.repeat(30)}`), `X: ${'y'.repeat(90)}`),
    431,
    'HEAD_TOO_LARGE',
    {
      limits: { ...small.limits, maxFieldLineBytes: 100, maxFields: 9 },
    },
  ),
  refuses(
    'a head that does not end',
    head,
    `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(50)}`,
    431,
    'HEAD_TOO_LARGE',
    small,
  ),
  refuses(
    'a head that does not end, by default too',
    head,
    `GET / HTTP/1.1\r\nHost: a\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(20)}`,
    431,
    'HEAD_TOO_LARGE',
  ),
  refuses(
    '101 fields by default',
    head,
    get(...Array.from({ length: 100 }, (_, at) => `X${at}: y`)),
    431,
    'HEAD_TOO_LARGE',
  ),
  accepts(
    'a body at the limit',
    body,
    post(['Content-Length: 10'], '0123456789'),
    [{ start: 'POST /', body: '0123456789' }],
    small,
  ),
  refuses(
    'a length above the limit before the body comes',
    body,
    post(['Content-Length: 11'], ''),
    413,
    'BODY_TOO_LARGE',
    small,
  ),
  accepts(
    'chunks up to the limit',
    body,
    chunked('5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n'),
    [{ start: 'POST /', body: '0123456789' }],
    small,
  ),
  refuses(
    'chunks above the limit in sum',
    body,
    chunked('5\r\n01234\r\n6\r\n567890\r\n0\r\n\r\n'),
    413,
    'BODY_TOO_LARGE',
    { ...small, ...begun('01234') },
  ),
  refuses('one chunk above the limit before its data', body, chunked('fffff\r\n'), 413, 'BODY_TOO_LARGE', {
    ...small,
    ...begun(''),
  }),
  refuses(
    'trailers above the limit',
    head,
    chunked(`0\r\nA: ${'x'.repeat(20)}\r\nB: ${'y'.repeat(20)}\r\n\r\n`),
    431,
    'HEAD_TOO_LARGE',
    { ...small, ...begun('') },
  ),
  refuses('trailers that do not end', head, chunked(`0\r\n${'A: b\r\n'.repeat(20)}`), 431, 'HEAD_TOO_LARGE', {
    ...small,
    ...begun(''),
  }),
]
