import type { Random } from '@breakwater/core'

/** A seeded writer of messages: mostly right, sometimes wrong in the ways that proxies have been fooled with. */
export class Grammar {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** One to four requests on one connection. */
  requests(): string {
    return this.#many(4, () => this.request())
  }

  /** Responses to `methods`, with informational ones between. */
  responses(methods: readonly string[]): string {
    return methods.map((method) => this.response(method)).join('')
  }

  methods(): string[] {
    return Array.from({ length: 1 + this.#below(3) }, () =>
      this.#pick(['GET', 'GET', 'HEAD', 'POST', 'UPGRADE']),
    )
  }

  request(): string {
    const body = this.#body()
    const line = `${this.#often(this.#pick(METHODS), ODD_METHODS)} ${this.#often(this.#pick(TARGETS), ODD_TARGETS)} ${this.#often('HTTP/1.1', VERSIONS)}`
    const host = this.#often('Host: a', HOSTS)
    const fields = this.#shuffle([...(host === '' ? [] : [host]), ...body.fields, ...this.#fields()])
    const before = this.#often('', ['\r\n', '\n', '\r\n\r\n', ' '])
    return `${before}${line}\r\n${fields.map((field) => `${field}${this.#lineEnd()}`).join('')}\r\n${body.bytes}`
  }

  response(method: string): string {
    const informational = this.#chance(0.15) ? this.#informational() : ''
    const status = this.#often('200', STATUSES)
    const body = this.#body()
    const isBodiless = method === 'HEAD' || status === '204' || status === '304' || status.startsWith('1')
    const fields = this.#shuffle([...body.fields, ...this.#fields()])
    const line = `${this.#often('HTTP/1.1', VERSIONS)} ${status}${this.#often(' OK', [' ', '', '  ', ' \u00e9', ' O\tK', ' a\rb', ' a\0b'])}`
    const bytes = isBodiless && this.#chance(0.9) ? '' : body.bytes
    return `${informational}${line}\r\n${fields.map((field) => `${field}${this.#lineEnd()}`).join('')}\r\n${bytes}`
  }

  #informational(): string {
    const fields = this.#chance(0.2) ? `${this.#pick(FRAMING)}\r\n` : ''
    return `HTTP/1.1 ${this.#pick(['100 Continue', '103 Early Hints', '102 ', '199 x'])}\r\n${fields}\r\n`
  }

  #body(): { fields: string[]; bytes: string } {
    const text = this.#pick(BODIES)
    const kind = this.#below(20)
    if (kind < 6) return { fields: [], bytes: '' }
    if (kind < 11) return { fields: [`Content-Length: ${text.length}`], bytes: text }
    if (kind < 16) return { fields: ['Transfer-Encoding: chunked'], bytes: this.#chunked(text) }
    if (kind < 17) return { fields: [this.#pick(FRAMING)], bytes: this.#chunked(text) }
    if (kind < 18) return { fields: [this.#pick(FRAMING), this.#pick(FRAMING)], bytes: this.#chunked(text) }
    if (kind < 19)
      return {
        fields: [`Content-Length: ${text.length}`, this.#pick(FRAMING)],
        bytes: this.#chance(0.5) ? text : this.#chunked(text),
      }
    return { fields: [this.#pick(FRAMING)], bytes: text }
  }

  #chunked(text: string): string {
    let bytes = ''
    for (let at = 0; at < text.length;) {
      const size = 1 + this.#below(Math.min(20, text.length - at))
      bytes += `${this.#size(size)}${this.#extension()}${this.#chunkEnd()}${text.slice(at, at + size)}${this.#chunkEnd()}`
      at += size
    }
    const trailers = this.#chance(0.2)
      ? this.#many(2, () => `${this.#often(this.#pick(TRAILERS), ODD_FIELDS)}\r\n`)
      : ''
    return `${bytes}${this.#often('0', ['00', '000', '', '-0', '+0', '0x0'])}${this.#extension()}${this.#chunkEnd()}${trailers}${this.#often('\r\n', ['\n', '', '\r', '\r\r\n'])}`
  }

  #size(size: number): string {
    const hex = size.toString(16)
    return this.#often(
      hex,
      [
        hex.toUpperCase(),
        `0${hex}`,
        `000${hex}`,
        `0x${hex}`,
        ` ${hex}`,
        `${hex} `,
        `${hex}\t`,
        `+${hex}`,
        `-${hex}`,
        `${hex}_0`,
        (size + 1).toString(16),
        (size - 1).toString(16),
        `ffffffffffffffff${hex}`,
        `100000000${hex}`,
        `${hex}g`,
      ],
      0.96,
    )
  }

  #extension(): string {
    return this.#often('', EXTENSIONS, 0.93)
  }

  #chunkEnd(): string {
    return this.#often('\r\n', ['\n', '\r', '', ' \r\n', '\r\n\r\n', '\r\r\n'], 0.99)
  }

  #lineEnd(): string {
    return this.#often('\r\n', ['\n', '\r', '\r\n ', '\r\n\t', ' \r\n', '\t\r\n', '\r\r\n', '\n\r'], 0.985)
  }

  #fields(): string[] {
    return Array.from({ length: this.#below(4) }, () => this.#often(this.#pick(FIELDS), ODD_FIELDS))
  }

  #many(most: number, one: () => string): string {
    return Array.from({ length: 1 + this.#below(most) }, one).join('')
  }

  #shuffle(items: string[]): string[] {
    for (let at = items.length - 1; at > 0; at--) {
      const other = this.#below(at + 1)
      const item = items[at] as string
      items[at] = items[other] as string
      items[other] = item
    }
    return items
  }

  #often(usual: string, others: readonly string[], ratio = 0.96): string {
    return this.#chance(ratio) ? usual : this.#pick(others)
  }

  #chance(ratio: number): boolean {
    return this.#random() < ratio
  }

  #below(bound: number): number {
    return Math.floor(this.#random() * bound)
  }

  #pick(items: readonly string[]): string {
    return items[this.#below(items.length)] as string
  }
}

const METHODS =
  'GET GET GET POST POST PUT DELETE HEAD OPTIONS PATCH TRACE QUERY M-SEARCH SOURCE FOO get'.split(' ')

const ODD_METHODS = ['CONNECT', 'PRI', 'G(T', '', 'GET ', 'ANNOUNCE', 'DESCRIBE', 'M\u00c9', 'A'.repeat(33)]

const TARGETS = [
  '/',
  '/',
  '/a',
  '/a?b=c',
  'http://a/',
  'http://a',
  'http://a/x?y',
  'http://a?x',
  '//a',
  '/{|}^`',
  '/?a?b/../c',
  '/;a=b,c',
  "/!$&'()*+,;=:@-._~",
  '/"',
  '/%41',
]

const ODD_TARGETS = [
  '/a/b/../c',
  '/%2e',
  '/a b',
  '/a#b',
  '*',
  'http://b/',
  'https://a:443/',
  'http://u@a/',
  'a:80',
  '/\u00e9',
  '/\x7f',
  '/\x01',
  '/<>',
  '/a\\b',
  'http://[::1]/',
  'http:///x',
  'http://a#f',
  '?x',
  '',
  '/ HTTP/1.1 x',
  'ftp://a/',
  '/%',
  '/%zz',
  'HTTP://a/',
  'http:/a',
  'http://a:b/',
  'http://a:80:80/',
  'http://a/\t',
  '/\t',
  'http://@a/',
  'http://a@/',
]

const VERSIONS = [
  'HTTP/1.0',
  'HTTP/1.0',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1.10',
  'HTTP/1',
  'HTTP/11',
  'HTTP/1.',
  ' HTTP/1.1',
  'HTTP/1.1 ',
  'HTTP /1.1',
  'ICE/1.0',
  'RTSP/1.0',
  '',
]

const HOSTS = [
  '',
  'Host:',
  'Host: b',
  'host:a',
  'Host: a\r\nHost: a',
  'Host: a\r\nHost: b',
  'Host: a, b',
  'Host: a b',
  'Host: u@a',
  'Host: a/',
  'Host: [::1]:80',
  'Host: a:80',
  'Host: a:',
  'Host : a',
  'Host:\ta\t',
]

const STATUSES = [
  '201',
  '204',
  '204',
  '304',
  '304',
  '100',
  '101',
  '205',
  '404',
  '500',
  '999',
  '099',
  '99',
  '2000',
  '20',
  '2a0',
  '-20',
  '+20',
  ' 200',
  '\t200',
  '000',
]

const FRAMING = [
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: 05',
  'Content-Length: +5',
  'Content-Length: -5',
  'Content-Length: 5, 5',
  'Content-Length: 5,6',
  'Content-Length: 0x5',
  'Content-Length: 5 ',
  'Content-Length:5',
  'Content-Length: 5 5',
  'Content-Length:',
  'Content-Length: 9007199254740993',
  'Content-Length: 18446744073709551621',
  'Content-Length: 5\t',
  'Content-Length: \x0b5',
  'Content-Length : 5',
  'Content_Length: 5',
  ' Content-Length: 5',
  'Content-Length: 5;',
  'Content-Length: "5"',
  'Content-Length: 5.0',
  'content-LENGTH: 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding:chunked ',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding: gzip',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunkedx',
  'Transfer-Encoding: chunked;q=1',
  'Transfer-Encoding:',
  'Transfer-Encoding: ,chunked',
  'Transfer-Encoding: chunked,',
  'Transfer-Encoding: \x0bchunked',
  'Transfer-Encoding: chunked\0',
  'Transfer-Encoding : chunked',
  'Transfer_Encoding: chunked',
  ' Transfer-Encoding: chunked',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'X: y\r\n Transfer-Encoding: chunked',
  'Transfer-Encoding\t: chunked',
  'Transfer-\u0045ncoding: chunked',
  'transfer-encoding: CHUNKED',
  'Transfer-Encoding: chunked\t',
  'Transfer-Encoding: trailers, chunked',
]

const TRAILERS = ['X: y', 'X:', 'Checksum: 1', 'x-a:b ', 'X: \u00e9']

const FIELDS = [
  'Connection: close',
  'Connection: keep-alive',
  'Connection: keep-alive',
  'Connection: close, keep-alive',
  'Connection: upgrade',
  'Connection: Upgrade, keep-alive',
  'Connection: closed',
  'Connection: ,x',
  'Connection: Content-Length',
  'Connection: Transfer-Encoding',
  'Connection:',
  'Proxy-Connection: close',
  'Keep-Alive: timeout=5',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'Upgrade: websocket',
  'Expect: 100-continue',
  'TE: trailers',
  'Trailer: x',
  'X: y',
  'X:',
  'X:y',
  'X: \u00e9\u00ff',
  'X: a\tb',
  'X_Y: z',
  'x-long: zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz',
  'Accept: */*',
  'Cookie: a=b; c=d',
  'X: "a\\"b"',
  'X:  y  ',
  'X: \x80',
  'X: :',
  'X:: y',
  '!#$%: x',
]

const ODD_FIELDS = [
  ...FRAMING,
  'Connection: Close',
  'Connection: keep-alive, close',
  'Connection: xclose',
  'Connection: ,close,',
  'Connection:\tclose\t',
  'Connection: close;x',
  'Connection: clo se',
  'Connection: keep-alive\r\nConnection: close',
  'Proxy-Connection: keep-alive',
  'Connection: keep-alive,upgrade',
  'Connection: upgradex',
  'Connection: x,\tupgrade',
  'Connection: close\t,x',
  'Connection: close ,x',
  'Connection: "close"',
  'Upgrade:',
  'Expect: x',
  'X : y',
  ' X: y',
  'X',
  ': y',
  'X(: y',
  'X\u00e9: y',
  'X: a\0b',
  'X: a\rb',
  'X: a\x7fb',
  'X: a\x01b',
  'X: a\x0bb',
  'X: a\x0c',
  'X: y\r\n z',
  'X: y\n',
  'Hos\tt: x',
  'X;y: z',
  'Host: a',
  'X: \r',
  'X:\r\r\n',
  'X: \0',
]

const EXTENSIONS = [
  ';',
  ';a',
  ';a=b',
  ';a="b"',
  ';a="b;c"',
  ';a="b\\"c"',
  ';a=',
  '; a=b',
  ' ;a=b',
  ';a =b',
  ';a= b',
  ';a=b;c',
  ';a;b;c=d',
  ';=b',
  ';a="b',
  ';a="b\nc"',
  ';a="b\rc"',
  ';a\0',
  ';a="\0"',
  ';a="\u00e9"',
  ';\u00e9',
  ';a=\u00e9',
  ';a=b,c',
  ';a(',
  ';;',
  ';a="b"c',
  ';a\n',
  ' ',
  '\t',
  ';a="\t"',
  ';a="\\\u00e9"',
  ';a="b" ',
  ';a="b"\t;c',
  ';a="\x7f"',
  ';a=b"c"',
  ',a',
  '=',
]

const BODIES = [
  'hello',
  'x',
  '0\r\n\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  'a=1&b=2',
  '\0\r\n\u00ff',
  '5\r\nhello\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'z'.repeat(100),
  '\r\n',
  '\n',
]

const INSERTS = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\0',
  ':',
  ';',
  ',',
  '0',
  '5',
  '\u00ff',
  '\x0b',
  '\x7f',
  '\r\n\r\n',
  'chunked',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: b\r\n',
  '"',
  '\\',
  '=',
  '-',
  '_',
  'GET / HTTP/1.1\r\n',
]

/** Breaks `text` in one to three places. */
export function mutate(text: string, random: Random): string {
  let bytes = text
  for (let count = 1 + Math.floor(random() * 3); count > 0 && bytes.length > 0; count--)
    bytes = mutateOnce(bytes, random)
  return bytes
}

function mutateOnce(text: string, random: Random): string {
  const at = Math.floor(random() * text.length)
  const before = text.slice(0, at)
  switch (Math.floor(random() * 9)) {
    case 0:
      return `${before}${String.fromCharCode(text.charCodeAt(at) ^ (1 << Math.floor(random() * 8)))}${text.slice(at + 1)}`
    case 1:
      return `${before}${String.fromCharCode(Math.floor(random() * 256))}${text.slice(at + 1)}`
    case 2:
      return `${before}${INSERTS[Math.floor(random() * INSERTS.length)]}${text.slice(at)}`
    case 3:
      return `${before}${text.slice(at + 1 + Math.floor(random() * 3))}`
    case 4:
      return before
    case 5:
      return onLines(text, random, (lines, line) => lines.splice(line, 0, lines[line] as string))
    case 6:
      return onLines(text, random, (lines, line) => lines.splice(line, 1))
    case 7:
      return onLines(text, random, (lines, line) => {
        const other = Math.floor(random() * lines.length)
        const kept = lines[line] as string
        lines[line] = lines[other] as string
        lines[other] = kept
      })
    default:
      return text.replace(
        /\r\n([0-9a-f]+)\r\n/,
        (_, size: string) => `\r\n${(Number.parseInt(size, 16) + 1).toString(16)}\r\n`,
      )
  }
}

function onLines(text: string, random: Random, change: (lines: string[], line: number) => void): string {
  const lines = text.split('\r\n')
  change(lines, Math.floor(random() * lines.length))
  return lines.join('\r\n')
}
