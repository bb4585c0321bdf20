import { USUAL } from './naive-http.ts'
import type { Quirks } from './naive-http.ts'
import type { RelayHabits } from './naive-relay.ts'

/** One attack: the bytes, and a pair of servers that read them differently. */
export interface Payload {
  /** Also the host that it is sent to when nothing else is said, so that each has a backend of its own. */
  readonly id: string
  readonly bytes: (host: string) => string
  /** Who stands in front when Breakwater does not. */
  readonly front: Quirks
  readonly back: Quirks
  readonly habits?: RelayHabits
  /** Nothing about it is ambiguous: it may be passed on, but rightly. All others must be refused, and never arrive. */
  readonly isLegal: boolean
}

const smuggled = (host: string): string => `GET /admin/refund HTTP/1.1\r\nHost: ${host}\r\n\r\n`
const start = (host: string, method = 'POST', target = '/shop/search'): string =>
  `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n`
const hex = (count: number): string => count.toString(16)

type Difference = Partial<Quirks>

function payload(
  id: string,
  bytes: (host: string) => string,
  front: Difference,
  back: Difference,
  more: { readonly habits?: RelayHabits; readonly isLegal?: boolean } = {},
): Payload {
  return {
    id,
    bytes,
    front: { ...USUAL, ...front },
    back: { ...USUAL, ...back },
    isLegal: false,
    ...more,
  }
}

/** The front goes by the length, the back by the chunks that it alone sees: its body ends at once, the rest is a request. */
function hiddenChunks(id: string, line: string, front: Difference, back: Difference): Payload {
  return payload(
    id,
    (host) => {
      const body = `0\r\n\r\n${smuggled(host)}`
      return `${start(host)}Content-Length: ${body.length}\r\n${line}\r\n\r\n${body}`
    },
    front,
    back,
  )
}

/** The front sees a body that the back does not. */
function hiddenLength(
  id: string,
  lines: (bytes: number) => string,
  front: Difference,
  back: Difference,
): Payload {
  return payload(
    id,
    (host) => {
      const body = smuggled(host)
      return `${start(host)}${lines(body.length)}\r\n\r\n${body}`
    },
    front,
    back,
  )
}

/** Both go by chunks; the size is one for the front and 0 for the back. */
function chunkSize(
  id: string,
  size: (bytes: number) => string,
  front: Difference,
  back: Difference,
): Payload {
  return payload(
    id,
    (host) => {
      const data = `\r\n${smuggled(host)}`
      return `${start(host)}Transfer-Encoding: chunked\r\n\r\n${size(data.length)}\r\n${data}\r\n0\r\n\r\n`
    },
    front,
    back,
  )
}

const CHUNKED = 'Transfer-Encoding: chunked'

export const payloads: readonly Payload[] = [
  hiddenChunks('cl-te', CHUNKED, { prefers: 'length' }, {}),
  payload(
    'te-cl',
    (host) => {
      const inner = `POST /admin/refund HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 7\r\n\r\n`
      const size = hex(inner.length)
      return `${start(host)}Content-Length: ${size.length + 2}\r\n${CHUNKED}\r\n\r\n${size}\r\n${inner}\r\n0\r\n\r\n`
    },
    {},
    { prefers: 'length' },
  ),
  hiddenChunks('te-unknown-coding', 'Transfer-Encoding: xchunked', {}, { chunked: 'loose' }),
  hiddenChunks('te-space-before-colon', 'Transfer-Encoding : chunked', {}, { names: 'cleaned' }),
  hiddenChunks('te-tab', 'Transfer-Encoding:\tchunked', {}, { chunked: 'loose' }),
  hiddenChunks('te-twice', `${CHUNKED}\r\nTransfer-Encoding: identity`, {}, { chunked: 'loose' }),
  hiddenChunks('te-quoted', 'Transfer-Encoding: "chunked"', {}, { chunked: 'loose' }),
  hiddenChunks('te-not-last', 'Transfer-Encoding: chunked, identity', {}, { chunked: 'loose' }),
  hiddenChunks('te-indented', `X-Pad: a\r\n ${CHUNKED}`, { folds: 'joined' }, { folds: 'trimmed' }),
  hiddenChunks('te-folded', 'Transfer-Encoding:\r\n chunked', {}, { folds: 'joined', chunked: 'loose' }),
  hiddenChunks('te-underscore', 'Transfer_Encoding: chunked', {}, { names: 'cleaned' }),
  hiddenChunks('te-vertical-tab', 'Transfer-Encoding: \u000bchunked', {}, { chunked: 'loose' }),
  hiddenChunks('te-after-nul', 'Transfer-Encoding\0: chunked', {}, { names: 'cleaned' }),
  hiddenChunks('te-after-bare-lf', `X-Pad: a\n${CHUNKED}`, {}, { lineEnds: 'lf' }),
  hiddenChunks('te-after-bare-cr', `X-Pad: a\r${CHUNKED}`, {}, { lineEnds: 'cr' }),
  // Only a head: who sees no chunks passes it on, who sees some waits for them, and takes the next request for one.
  payload(
    'te-alone-unknown-coding',
    (host) => `${start(host)}Transfer-Encoding: xchunked\r\n\r\n`,
    {},
    { chunked: 'loose' },
  ),
  payload(
    'te-in-version-1-0',
    (host) => `POST /shop/search HTTP/1.0\r\nHost: ${host}\r\nConnection: keep-alive\r\n${CHUNKED}\r\n\r\n`,
    { oldHasNoChunks: true },
    {},
  ),
  hiddenLength(
    'cl-twice',
    (bytes) => `Content-Length: ${bytes}\r\nContent-Length: 0`,
    {},
    { length: 'last' },
  ),
  hiddenLength('cl-list', (bytes) => `Content-Length: ${bytes}, 0`, { numbers: 'prefix' }, {}),
  hiddenLength('cl-plus', (bytes) => `Content-Length: +${bytes}`, { numbers: 'any' }, {}),
  hiddenLength(
    'cl-hex',
    (bytes) => `Content-Length: 0x${hex(bytes)}`,
    { numbers: 'any' },
    { numbers: 'prefix' },
  ),
  hiddenLength('cl-space-before-colon', (bytes) => `Content-Length : ${bytes}`, { names: 'cleaned' }, {}),
  chunkSize('chunk-size-0x', (bytes) => `0x${hex(bytes)}`, { chunkSize: 'any' }, {}),
  chunkSize('chunk-size-plus', (bytes) => `+${hex(bytes)}`, { chunkSize: 'any' }, {}),
  payload(
    'chunk-size-overflow',
    (host) => `${start(host)}${CHUNKED}\r\n\r\n100000000000000000002\r\nab\r\n0\r\n\r\n`,
    { chunkSize: 'wrapped' },
    { chunkSize: 'any' },
  ),
  payload(
    'chunk-extension-bare-lf',
    (host) => {
      // The front reads a long extension and then the data; the back's line ends at the LF, its data with the extension.
      const hidden = `\r\n0\r\n\r\n${smuggled(host)}`
      const extension = 'e'.repeat(hidden.length - 2)
      const size = hex(extension.length + 2 + 1)
      return `${start(host)}${CHUNKED}\r\n\r\n${size};\n${extension}\r\nd${hidden}\r\n0\r\n\r\n`
    },
    {},
    { lineEnds: 'lf' },
  ),
  payload(
    'host-against-absolute-form',
    (host) => start(host, 'GET', 'http://internal/shop/search') + '\r\n',
    {},
    { host: 'absolute' },
  ),
  payload('host-twice', (host) => `${start(host, 'GET')}Host: internal\r\n\r\n`, {}, { host: 'last' }),
  payload(
    'path-encoded-slash',
    (host) => `${start(host, 'GET', '/shop/internal%2frefund')}\r\n`,
    {},
    { paths: 'resolved' },
  ),
  payload(
    'path-dot-segments',
    (host) => `${start(host, 'GET', '/shop/../admin/refund')}\r\n`,
    {},
    { paths: 'resolved' },
  ),
  payload(
    'path-backslash',
    (host) => `${start(host, 'GET', '/shop/internal\\refund')}\r\n`,
    {},
    { paths: 'resolved' },
  ),
  // Legal, each of them, and each has been passed on wrongly by somebody.
  payload(
    'get-with-length',
    (host) => `${start(host, 'GET')}Content-Length: 60\r\n\r\n`,
    { getHasNoBody: true },
    {},
    { isLegal: true },
  ),
  payload(
    'length-named-by-connection',
    (host) => {
      const body = smuggled(host)
      return `${start(host)}Content-Length: ${body.length}\r\nConnection: keep-alive, Content-Length\r\n\r\n${body}`
    },
    {},
    {},
    { isLegal: true, habits: { stripsNominated: true } },
  ),
  payload(
    'delete-with-chunks',
    (host) => {
      const data = `\r\n\r\n${smuggled(host)}`
      return `${start(host, 'DELETE')}${CHUNKED}\r\n\r\n${hex(data.length)}\r\n${data}\r\n0\r\n\r\n`
    },
    {},
    {},
    { isLegal: true, habits: { emptiesDelete: true } },
  ),
  payload(
    'expect-continue',
    (host) => `${start(host)}Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello`,
    {},
    {},
    { isLegal: true },
  ),
]
