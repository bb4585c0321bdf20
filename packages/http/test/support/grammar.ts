import type { Random } from '@breakwater/core'
import {
  BODIES,
  EXTENSIONS,
  FIELDS,
  FRAMING,
  HOSTS,
  METHODS,
  ODD_FIELDS,
  ODD_METHODS,
  ODD_TARGETS,
  STATUSES,
  TARGETS,
  TRAILERS,
  VERSIONS,
} from './vocabulary.ts'

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
