import { errors } from '../errors.ts'
import type { FieldList } from '../fields.ts'
import { isAuthority } from './authority.ts'
import type { ResolvedLimits } from './limits.ts'
import { Kind, knownName } from './names.ts'
import { TOKEN, VALUE } from './tables.ts'

/** What the fields of one head say about framing and the connection. Reused from message to message. */
export class FieldSection {
  /** -1 when absent. */
  contentLength: number = -1
  chunked: boolean = false
  host: string | undefined
  close: boolean = false
  keepAlive: boolean = false
  connectionUpgrade: boolean = false
  expect: string | undefined
  upgrade: string | undefined

  reset(): void {
    this.contentLength = -1
    this.chunked = false
    this.host = undefined
    this.close = false
    this.keepAlive = false
    this.connectionUpgrade = false
    this.expect = undefined
    this.upgrade = undefined
  }

  /**
   * Reads field lines from `bytes[start, end)`; `end` is just after the CR LF of the last one. `text` is the latin1
   * text of the same memory, its first character standing for `bytes[textStart]`.
   *
   * @throws the refusal that applies (RFC 9112 §5, §6.1, §6.3).
   */
  read(
    bytes: Uint8Array,
    text: string,
    textStart: number,
    start: number,
    end: number,
    limits: ResolvedLimits,
    into: FieldList,
  ): void {
    const { flat } = into
    const maxEntries = limits.maxFields * 2
    let at = start
    while (at < end) {
      const lineStart = at
      let hash = 0
      let lower = TOKEN[bytes[at] as number] as number
      while (lower !== 0) {
        hash = (Math.imul(hash, 31) + lower) | 0
        lower = TOKEN[bytes[++at] as number] as number
      }
      if (bytes[at] !== 0x3a || at === lineStart) throw badName(bytes, lineStart, at)
      const { name, kind } = knownName(bytes, lineStart, at, hash)
      at++
      while (bytes[at] === 0x20 || bytes[at] === 0x09) at++
      const valueStart = at
      while (VALUE[bytes[at] as number] === 1) at++
      if (bytes[at] !== 0x0d || bytes[at + 1] !== 0x0a) throw badByte(bytes, at, name)
      let valueEnd = at
      while (valueEnd > valueStart && (bytes[valueEnd - 1] === 0x20 || bytes[valueEnd - 1] === 0x09))
        valueEnd--
      // White space at its end is allowed, and one parser in two takes it into the value: llhttp refuses a tab here.
      if (kind === Kind.transferEncoding && valueEnd !== at)
        throw errors.BW_HTTP_TRANSFER_CODING_INVALID('white space after a transfer coding')
      at += 2
      if (at - lineStart > limits.maxFieldLineBytes) {
        throw errors.BW_HTTP_HEAD_TOO_LARGE(
          `the field ${name} has ${at - lineStart} bytes, the limit is ${limits.maxFieldLineBytes}`,
        )
      }
      if (flat.length >= maxEntries)
        throw errors.BW_HTTP_HEAD_TOO_LARGE(`more than ${limits.maxFields} fields`)
      const value = text.slice(valueStart - textStart, valueEnd - textStart)
      flat.push(name, value)
      if (kind !== Kind.other) this.#note(kind, name, value)
    }
  }

  #note(kind: number, name: string, value: string): void {
    switch (kind) {
      case Kind.contentLength:
        if (this.contentLength >= 0) throw errors.BW_HTTP_FRAMING_AMBIGUOUS('more than one Content-Length')
        if (this.chunked)
          throw errors.BW_HTTP_FRAMING_AMBIGUOUS('Content-Length together with Transfer-Encoding')
        this.contentLength = lengthOf(value)
        return
      case Kind.transferEncoding:
        if (this.chunked) throw errors.BW_HTTP_FRAMING_AMBIGUOUS('more than one Transfer-Encoding')
        if (this.contentLength >= 0)
          throw errors.BW_HTTP_FRAMING_AMBIGUOUS('Content-Length together with Transfer-Encoding')
        if (value !== 'chunked' && value.toLowerCase() !== 'chunked') {
          throw errors.BW_HTTP_TRANSFER_CODING_INVALID(
            `transfer codings other than exactly one "chunked": ${quoted(value)}`,
          )
        }
        this.chunked = true
        return
      case Kind.host:
        if (this.host !== undefined) throw errors.BW_HTTP_HOST_INVALID('more than one Host field')
        if (!isAuthority(value))
          throw errors.BW_HTTP_HOST_INVALID(`Host is not a host with an optional port: ${quoted(value)}`)
        this.host = value
        return
      case Kind.connection:
        this.#noteConnection(value)
        return
      case Kind.expect:
        this.expect = this.expect === undefined ? value : `${this.expect}, ${value}`
        return
      case Kind.upgrade:
        this.upgrade = this.upgrade === undefined ? value : `${this.upgrade}, ${value}`
        return
      default:
        throw errors.BW_HTTP_FIELD_INVALID(`the field ${name} reads like a framing field to some servers`)
    }
  }

  #noteConnection(value: string): void {
    if (value === 'keep-alive') this.keepAlive = true
    else if (value === 'close') this.close = true
    else {
      for (const option of value.toLowerCase().split(',')) {
        const token = option.trim()
        if (token === 'close') this.close = true
        else if (token === 'keep-alive') this.keepAlive = true
        else if (token === 'upgrade') this.connectionUpgrade = true
      }
    }
  }
}

/** Decimal digits only (RFC 9110 §8.6): no sign, no prefix, no list. */
function lengthOf(value: string): number {
  let length = 0
  const bad = value.length === 0 || value.length > 16
  for (let at = 0; at < value.length && !bad; at++) {
    const digit = value.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return badLength(value)
    length = length * 10 + digit
  }
  return bad || length > Number.MAX_SAFE_INTEGER ? badLength(value) : length
}

function badLength(value: string): never {
  throw errors.BW_HTTP_LENGTH_INVALID(`Content-Length is not a decimal number below 2^53: ${quoted(value)}`)
}

function badName(bytes: Uint8Array, lineStart: number, at: number): Error {
  const byte = bytes[at] as number
  if (at === lineStart && (byte === 0x20 || byte === 0x09)) {
    return errors.BW_HTTP_FIELD_INVALID('a line begins with white space (obsolete folding, RFC 9112 §5.2)')
  }
  if (byte === 0x20 || byte === 0x09)
    return errors.BW_HTTP_FIELD_INVALID('white space before a colon (RFC 9112 §5.1)')
  if (byte === 0x0d || byte === 0x0a) {
    return bytes[at + 1] === 0x0a && byte === 0x0d
      ? errors.BW_HTTP_FIELD_INVALID('a line without a colon')
      : errors.BW_HTTP_LINE_END_INVALID('a CR or LF alone in a field name')
  }
  if (byte === 0x3a) return errors.BW_HTTP_FIELD_INVALID('a field without a name')
  return errors.BW_HTTP_FIELD_INVALID(`byte 0x${byte.toString(16).padStart(2, '0')} in a field name`)
}

function badByte(bytes: Uint8Array, at: number, name: string): Error {
  const byte = bytes[at] as number
  if (byte === 0x0d || byte === 0x0a)
    return errors.BW_HTTP_LINE_END_INVALID(`a CR or LF alone in the field ${name}`)
  return errors.BW_HTTP_FIELD_INVALID(`byte 0x${byte.toString(16).padStart(2, '0')} in the field ${name}`)
}

/** Text of the peer, cut and escaped so that it can stand in a message or a log. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text)
}
