import { accepts, refuses } from './case.ts'
import type { ConformanceCase } from './case.ts'

const length = [
  'RFC 9112 §6.3',
  'MUST',
  'A response with a valid Content-Length has a body of that many bytes.',
] as const
const badLength = [
  'RFC 9112 §6.3',
  'MUST',
  'A response with an invalid Content-Length is unrecoverable: a proxy answers 502.',
] as const
const both = [
  'RFC 9112 §6.3',
  'SHOULD',
  'Transfer-Encoding with Content-Length may be an attempt to split responses: handled as an error.',
] as const
const coding = [
  'RFC 9112 §6.3',
  'MAY',
  'A response whose last coding is not chunked runs to the end of the connection; it is refused here.',
] as const
const old = [
  'RFC 9112 §6.1',
  'MUST',
  'Transfer-Encoding in HTTP/1.0 means that the framing is faulty.',
] as const
const bodiless = [
  'RFC 9112 §6.3',
  'MUST',
  'Answers to HEAD, and 1xx, 204 and 304, end with their head, whatever it says.',
] as const
const no204 = [
  'RFC 9110 §8.6',
  'MUST',
  'Neither Content-Length nor Transfer-Encoding is sent with 1xx or 204.',
] as const
const close = [
  'RFC 9112 §6.3',
  'MUST',
  'A response without framing runs to the end of the connection.',
] as const
const cut = ['RFC 9112 §8', 'MUST', 'A response with less body than stated is incomplete.'] as const
const chunk = ['RFC 9112 §7.1', 'MUST', 'Chunks of responses are read like those of requests.'] as const

const answer = (lines: readonly string[], body: string, status = '200 OK'): string =>
  [`HTTP/1.1 ${status}`, ...lines, '', body].join('\r\n')
const chunked = (body: string): string => answer(['Transfer-Encoding: chunked'], body)
const next = answer(['Content-Length: 1'], 'x')
const nextRead = { start: '200', body: 'x' }
const begun = (body = ''): { after: { start: string; body: string; isComplete: false }[] } => ({
  after: [{ start: '200', body, isComplete: false }],
})

/** RFC 9112 §6 and §7 in responses: where the answer ends, so that the next one is not taken for part of it. */
export const responseFramingCases: readonly ConformanceCase[] = [
  accepts('a body of the stated length', length, `${answer(['Content-Length: 5'], 'hello')}${next}`, [
    { start: '200', body: 'hello' },
    nextRead,
  ]),
  accepts('a length of zero', length, `${answer(['Content-Length: 0'], '')}${next}`, [
    { start: '200' },
    nextRead,
  ]),
  accepts('a chunked body', chunk, `${chunked('5\r\nhello\r\n0\r\n\r\n')}${next}`, [
    { start: '200', body: 'hello' },
    nextRead,
  ]),
  accepts('trailers', chunk, chunked('0\r\nX: y\r\n\r\n'), [{ start: '200', trailers: ['x: y'] }]),
  accepts(
    'a body that runs to the end of the connection',
    close,
    answer(['X: y'], 'hello\r\n\r\nHTTP/1.1 200 OK'),
    [{ start: '200', body: 'hello\r\n\r\nHTTP/1.1 200 OK', keepAlive: false }],
  ),
  accepts('an empty body that runs to the end of the connection', close, answer([], ''), [
    { start: '200', keepAlive: false },
  ]),
  accepts('keep-alive without framing as the last response', close, answer(['Connection: keep-alive'], 'x'), [
    { start: '200', body: 'x', keepAlive: false },
  ]),
  accepts(
    'a body with 205',
    ['RFC 9110 §15.3.6', 'MAY', '205 is framed like any other, although it should be empty.'],
    answer(['Content-Length: 1'], 'x', '205 x'),
    [{ start: '205', body: 'x' }],
  ),
  accepts('an error with a body', length, answer(['Content-Length: 1'], 'x', '500 x'), [
    { start: '500', body: 'x' },
  ]),
  accepts('204 without a body', bodiless, `${answer([], '', '204 No Content')}${next}`, [
    { start: '204' },
    nextRead,
  ]),
  accepts(
    '204 with a length of zero',
    ['RFC 9110 §8.6', 'MAY', 'Content-Length must not be sent with 204; zero is common and harmless.'],
    `${answer(['Content-Length: 0'], '', '204 x')}${next}`,
    [{ start: '204' }, nextRead],
  ),
  accepts(
    '304 with the length of what it stands for',
    bodiless,
    `${answer(['Content-Length: 5'], '', '304 x')}${next}`,
    [{ start: '304' }, nextRead],
  ),
  accepts('304 with chunked', bodiless, `${answer(['Transfer-Encoding: chunked'], '', '304 x')}${next}`, [
    { start: '304' },
    nextRead,
  ]),
  accepts(
    'an answer to HEAD with a length',
    bodiless,
    `${answer(['Content-Length: 5'], '')}${next}`,
    [{ start: '200' }, nextRead],
    { methods: ['HEAD'] },
  ),
  accepts(
    'an answer to HEAD with chunked',
    bodiless,
    `${answer(['Transfer-Encoding: chunked'], '')}${next}`,
    [{ start: '200' }, nextRead],
    { methods: ['HEAD'] },
  ),
  accepts(
    'an answer to HEAD without framing',
    bodiless,
    `${answer([], '')}${next}`,
    [{ start: '200' }, nextRead],
    { methods: ['HEAD'] },
  ),
  refuses(
    'a body after an answer to HEAD',
    bodiless,
    answer(['Content-Length: 5'], 'hello'),
    502,
    'STATUS_LINE_INVALID',
    { methods: ['HEAD'], after: [{ start: '200' }] },
  ),
  refuses(
    '204 with a length',
    no204,
    answer(['Content-Length: 5'], 'hello', '204 x'),
    502,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    '204 with chunked',
    no204,
    answer(['Transfer-Encoding: chunked'], '0\r\n\r\n', '204 x'),
    502,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    '100 with a length',
    no204,
    answer(['Content-Length: 5'], 'hello', '100 x'),
    502,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    '100 with chunked',
    no204,
    answer(['Transfer-Encoding: chunked'], '0\r\n\r\n', '100 x'),
    502,
    'FRAMING_AMBIGUOUS',
  ),
  ...['+5', '-5', '0x5', '5a', '5, 5', '5, 6', '', '1_0', '9007199254740993'].map((value) =>
    refuses(
      `the length "${value}"`,
      badLength,
      answer([`Content-Length: ${value}`], 'hello'),
      502,
      'LENGTH_INVALID',
    ),
  ),
  refuses(
    'two equal lengths',
    badLength,
    answer(['Content-Length: 5', 'Content-Length: 5'], 'hello'),
    502,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    'two different lengths',
    badLength,
    answer(['Content-Length: 5', 'Content-Length: 0'], 'hello'),
    502,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    'a length before chunked',
    both,
    answer(['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
    502,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    'a length after chunked',
    both,
    answer(['Transfer-Encoding: chunked', 'Content-Length: 5'], '0\r\n\r\n'),
    502,
    'FRAMING_AMBIGUOUS',
  ),
  refuses(
    'a length and chunked in an answer to HEAD',
    both,
    answer(['Transfer-Encoding: chunked', 'Content-Length: 5'], ''),
    502,
    'FRAMING_AMBIGUOUS',
    { methods: ['HEAD'] },
  ),
  ...['gzip', 'gzip, chunked', 'chunked, gzip', 'chunked, chunked', 'xchunked', 'identity', ''].map((value) =>
    refuses(
      `the transfer coding "${value}"`,
      coding,
      answer([`Transfer-Encoding: ${value}`], '0\r\n\r\n'),
      502,
      'TRANSFER_CODING_INVALID',
    ),
  ),
  refuses(
    'chunked in HTTP/1.0',
    old,
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    502,
    'TRANSFER_CODING_INVALID',
  ),
  refuses(
    'Transfer_Encoding',
    ['RFC 9110 §5.1', 'MAY', 'A name that others map to a framing field may be refused.'],
    answer(['Transfer_Encoding: chunked', 'Content-Length: 5'], 'hello'),
    502,
    'FIELD_INVALID',
  ),
  refuses(
    'a body cut short',
    cut,
    answer(['Content-Length: 6'], 'hello'),
    502,
    'RESPONSE_INCOMPLETE',
    begun('hello'),
  ),
  refuses('a chunk cut short', cut, chunked('6\r\nhello'), 502, 'RESPONSE_INCOMPLETE', begun('hello')),
  refuses(
    'chunks without an end',
    cut,
    chunked('5\r\nhello\r\n'),
    502,
    'RESPONSE_INCOMPLETE',
    begun('hello'),
  ),
  refuses(
    'the last chunk without its empty line',
    cut,
    chunked('0\r\n'),
    502,
    'RESPONSE_INCOMPLETE',
    begun(),
  ),
  refuses(
    'a chunk size with a sign',
    chunk,
    chunked('+5\r\nhello\r\n0\r\n\r\n'),
    502,
    'CHUNK_INVALID',
    begun(),
  ),
  refuses(
    'a chunk size with a space',
    chunk,
    chunked('5 \r\nhello\r\n0\r\n\r\n'),
    502,
    'CHUNK_INVALID',
    begun(),
  ),
  refuses(
    'more data than the chunk has',
    chunk,
    chunked('4\r\nhello\r\n0\r\n\r\n'),
    502,
    'CHUNK_INVALID',
    begun('hell'),
  ),
  refuses(
    'a lone LF after a chunk size',
    chunk,
    chunked('5\nhello\r\n0\r\n\r\n'),
    502,
    'LINE_END_INVALID',
    begun(),
  ),
  refuses(
    'a length as a trailer',
    ['RFC 9110 §6.5.1', 'MUST', 'Framing fields do not belong in trailers.'],
    chunked('0\r\nContent-Length: 5\r\n\r\n'),
    502,
    'TRAILER_INVALID',
    begun(),
  ),
  refuses(
    'an HTML page after an empty answer',
    length,
    `${answer(['Content-Length: 0'], '')}<html>`,
    502,
    'STATUS_LINE_INVALID',
    { after: [{ start: '200' }] },
  ),
]
