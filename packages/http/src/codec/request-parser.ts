import { Buffer } from 'node:buffer'
import { isBreakwaterError } from '@breakwater/core'
import { errors } from '../errors.ts'
import type { HttpError } from '../errors.ts'
import { FieldList } from '../fields.ts'
import type { RequestHead } from '../messages.ts'
import { BodyReader } from './body-reader.ts'
import { FieldSection, quoted } from './field-section.ts'
import type { Parser, RequestEvents } from './handlers.ts'
import { HeadBuffer, lineFault, sectionEnd } from './head-buffer.ts'
import type { ResolvedLimits } from './limits.ts'
import { TARGET, TOKEN } from './tables.ts'
import { checkPath, unusualTarget } from './target.ts'

const MAX_METHOD_BYTES = 32

/**
 * Reads the requests of one connection, strictly: what RFC 9112 leaves to the reader's kindness is refused. Memory: one head
 * at most, and only while it is incomplete. Costs about 1 µs for a head of 200 bytes.
 */
export class RequestParser implements Parser {
  readonly #limits: ResolvedLimits
  readonly #events: RequestEvents
  readonly #section = new FieldSection()
  readonly #body: BodyReader
  readonly #partial = new HeadBuffer()
  #method = ''
  #skippedEmptyLine = false
  #checkedLine = false
  #checkedBytes = 0
  paused: boolean = false
  dead: boolean = false

  constructor(limits: ResolvedLimits, events: RequestEvents) {
    this.#limits = limits
    this.#events = events
    this.#body = new BodyReader(limits)
  }

  get midMessage(): boolean {
    return this.#body.active || this.#partial.length > 0
  }

  /** Whether the head of the message at hand is complete. */
  get inBody(): boolean {
    return this.#body.active
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  feed(bytes: Uint8Array): number {
    let at = 0
    while (at < bytes.length && !this.paused && !this.dead) {
      at = this.#body.active ? this.#feedBody(bytes, at) : this.#feedHead(bytes, at)
    }
    return at
  }

  end(): void {
    if (this.dead || !this.midMessage) return
    this.#fail(errors.BW_HTTP_REQUEST_INCOMPLETE('the connection ended in the middle of a request'))
  }

  #feedBody(bytes: Uint8Array, at: number): number {
    const body = this.#body
    let next: number
    try {
      next = body.feed(bytes, at, this.#events)
    } catch (error) {
      return this.#caught(error, bytes.length)
    }
    if (body.ended) {
      body.ended = false
      this.#events.onMessageEnd(body.trailers)
    }
    return next
  }

  #feedHead(bytes: Uint8Array, start: number): number {
    let head: Head | undefined
    let next: number
    try {
      const partial = this.#partial
      if (partial.length === 0) {
        const at = this.#skipEmptyLine(bytes, start)
        const buffer = asBuffer(bytes)
        const end = at < bytes.length ? sectionEnd(buffer, at) : -1
        if (end >= 0 && end + 4 - at <= this.#limits.maxHeadBytes) {
          head = this.#readHead(buffer, at, end + 4)
          next = end + 4
        } else next = at < bytes.length ? this.#collect(bytes, at) : at
      } else next = this.#collect(bytes, start)
      if (head === undefined && partial.length > 0 && this.#complete(partial)) {
        if (partial.length > this.#limits.maxHeadBytes) throw this.#tooLarge()
        head = this.#readHead(partial.bytes, this.#skipEmptyLine(partial.bytes, 0), partial.length)
        partial.clear()
      }
    } catch (error) {
      return this.#caught(error, bytes.length)
    }
    if (head !== undefined) this.#announce(head)
    return next
  }

  /** One empty line in front of a request is noise of old clients (RFC 9112 §2.2); two are not. */
  #skipEmptyLine(bytes: Uint8Array, at: number): number {
    if (this.#skippedEmptyLine || bytes[at] !== 0x0d || bytes[at + 1] !== 0x0a) return at
    this.#skippedEmptyLine = true
    return at + 2
  }

  #collect(bytes: Uint8Array, at: number): number {
    const partial = this.#partial
    const next = partial.take(bytes, at, this.#limits.maxHeadBytes)
    if (next >= 0) return next
    this.#checkPartial(partial)
    return bytes.length
  }

  #complete(partial: HeadBuffer): boolean {
    const { bytes, length } = partial
    return (
      length >= 4 &&
      bytes[length - 1] === 0x0a &&
      bytes[length - 2] === 0x0d &&
      bytes[length - 3] === 0x0a &&
      bytes[length - 4] === 0x0d
    )
  }

  /** Refuses an unfinished head as soon as it cannot become a good one. */
  #checkPartial(partial: HeadBuffer): void {
    const { bytes, length } = partial
    if (bytes[0] === 0x0d && (length === 1 || bytes[1] === 0x0a) && !this.#skippedEmptyLine) {
      if (length >= 2) {
        this.#skippedEmptyLine = true
        bytes.copyWithin(0, 2, length)
        partial.length = length - 2
        if (partial.length > 0) this.#checkPartial(partial)
      }
      return
    }
    const fault = lineFault(bytes, this.#checkedBytes, length)
    if (fault !== undefined) throw fault
    this.#checkedBytes = Math.max(0, length - 1)
    if (!this.#checkedLine) {
      const line = bytes.subarray(0, length).indexOf('\r\n', 0, 'latin1')
      if (line >= 0) {
        this.#readLine(bytes, bytes.toString('latin1', 0, line + 2), 0)
        this.#checkedLine = true
      } else this.#checkUnfinishedLine(bytes, length)
    }
    if (length > this.#limits.maxHeadBytes) {
      throw this.#tooLarge()
    }
  }

  #checkUnfinishedLine(bytes: Uint8Array, length: number): void {
    let at = 0
    while (at < length && TOKEN[bytes[at] as number] !== 0) at++
    if (at > MAX_METHOD_BYTES || (at < length && (bytes[at] !== 0x20 || at === 0))) throw badMethod()
    if (length - at > this.#limits.maxTargetBytes + 12) throw this.#tooLong()
  }

  #readHead(bytes: Buffer, start: number, end: number): Head {
    const text = bytes.toString('latin1', start, end)
    const section = this.#section
    section.reset()
    const head = this.#readLine(bytes, text, start)
    section.read(bytes, text, start, this.#lineEnd, end - 2, this.#limits, head.fields)
    this.#settle(head, section)
    this.#skippedEmptyLine = false
    this.#checkedLine = false
    this.#checkedBytes = 0
    return head
  }

  #lineEnd = 0

  #readLine(bytes: Uint8Array, text: string, start: number): Head {
    let at = start
    while (TOKEN[bytes[at] as number] !== 0) at++
    const methodBytes = at - start
    if (methodBytes === 0 || methodBytes > MAX_METHOD_BYTES || bytes[at] !== 0x20) throw badMethod()
    const method = this.#methodOf(text, methodBytes)
    const targetStart = ++at
    let query = -1
    let previous = 0
    let suspicious = false
    let kind = TARGET[bytes[at] as number] as number
    while (kind !== 0) {
      if (kind !== 1 && query < 0) {
        if (kind === 3) query = at
        // `%` and `\` always, `.` and `/` only after `/`.
        else suspicious ||= kind === 4 || kind === 6 || (kind !== 3 && previous === 2)
      }
      previous = kind
      kind = TARGET[bytes[++at] as number] as number
    }
    if (at - targetStart > this.#limits.maxTargetBytes) throw this.#tooLong()
    if (at === targetStart || bytes[at] !== 0x20) throw badTarget(bytes, at, targetStart)
    const targetEnd = at
    const minorVersion = readVersion(bytes, at + 1)
    this.#lineEnd = at + 11
    if (method === 'CONNECT') throw errors.BW_HTTP_METHOD_REFUSED('CONNECT is not supported')
    const target = text.slice(targetStart - start, targetEnd - start)
    if (bytes[targetStart] === 0x2f) {
      const path = query < 0 ? target : text.slice(targetStart - start, query - start)
      if (suspicious) checkPath(path, this.#limits)
      return new Head(
        method,
        target,
        path,
        query < 0 ? undefined : text.slice(query + 1 - start, targetEnd - start),
        minorVersion,
      )
    }
    const parts = unusualTarget(method, target)
    checkPath(parts.path, this.#limits)
    const head = new Head(method, target, parts.path, parts.query, minorVersion)
    head.scheme = parts.scheme
    if (parts.authority !== undefined) head.authority = parts.authority
    return head
  }

  /** Most requests of a connection have the method of the one before: one text, compared by identity from here on. */
  #methodOf(text: string, length: number): string {
    if (this.#method.length === length && text.startsWith(this.#method)) return this.#method
    const method = text.slice(0, length)
    // A longer one would be a view that keeps the whole head.
    if (length <= 8) this.#method = method
    return method
  }

  #settle(head: Head, section: FieldSection): void {
    const { host } = section
    if (host === undefined) {
      if (head.minorVersion === 1) throw errors.BW_HTTP_HOST_INVALID('no Host field in an HTTP/1.1 request')
    } else if (head.authority === '') head.authority = host
    else if (head.authority.toLowerCase() !== host.toLowerCase()) {
      throw errors.BW_HTTP_HOST_INVALID(
        `Host ${quoted(host)} is not the authority of the target ${quoted(head.authority)}`,
      )
    }
    if (section.chunked) {
      if (head.minorVersion === 0)
        throw errors.BW_HTTP_TRANSFER_CODING_INVALID('Transfer-Encoding in an HTTP/1.0 request')
      head.body = 'chunked'
      head.contentLength = -1
    } else if (section.contentLength > 0) {
      if (section.contentLength > this.#limits.maxBodyBytes) {
        throw errors.BW_HTTP_BODY_TOO_LARGE(
          `the body has ${section.contentLength} bytes, the limit is ${this.#limits.maxBodyBytes}`,
        )
      }
      head.body = 'length'
      head.contentLength = section.contentLength
    }
    head.keepAlive = !section.close && (head.minorVersion === 1 || section.keepAlive)
    if (section.expect !== undefined && head.minorVersion === 1) {
      if (section.expect.toLowerCase() !== '100-continue') {
        throw errors.BW_HTTP_EXPECTATION_FAILED(
          `the expectation is not 100-continue: ${quoted(section.expect)}`,
        )
      }
      head.expectContinue = head.body !== 'none'
    }
    if (
      section.upgrade !== undefined &&
      section.upgrade !== '' &&
      section.connectionUpgrade &&
      head.minorVersion === 1 &&
      head.body === 'none'
    ) {
      head.upgrade = section.upgrade.toLowerCase()
    }
  }

  #announce(head: Head): void {
    if (head.body === 'none') {
      this.#events.onHead(head)
      if (!this.dead) this.#events.onMessageEnd(undefined)
      return
    }
    if (head.body === 'chunked') this.#body.startChunked()
    else this.#body.startLength(head.contentLength)
    this.#events.onHead(head)
  }

  #tooLarge(): HttpError {
    return errors.BW_HTTP_HEAD_TOO_LARGE(`the head has more than ${this.#limits.maxHeadBytes} bytes`)
  }

  #tooLong(): HttpError {
    return errors.BW_HTTP_TARGET_TOO_LONG(`the target has more than ${this.#limits.maxTargetBytes} bytes`)
  }

  #caught(error: unknown, consumed: number): number {
    if (!isBreakwaterError(error)) throw error
    this.#fail(error as HttpError)
    return consumed
  }

  #fail(error: HttpError): void {
    this.dead = true
    this.#partial.clear()
    this.#events.onError(error)
  }
}

/** One shape for all heads. @internal */
export class Head implements RequestHead {
  readonly method: string
  readonly target: string
  readonly path: string
  readonly query: string | undefined
  readonly minorVersion: number
  readonly fields: FieldList = new FieldList()
  authority: string = ''
  scheme: string | undefined = undefined
  body: 'none' | 'length' | 'chunked' = 'none'
  contentLength: number = 0
  keepAlive: boolean = false
  expectContinue: boolean = false
  upgrade: string | undefined = undefined

  constructor(method: string, target: string, path: string, query: string | undefined, minorVersion: number) {
    this.method = method
    this.target = target
    this.path = path
    this.query = query
    this.minorVersion = minorVersion
  }
}

/** `HTTP/1.1` and CR LF, at `at`. RFC 9112 §2.3: case-sensitive, one digit, a dot, one digit. */
function readVersion(bytes: Uint8Array, at: number): number {
  const isHttp =
    bytes[at] === 0x48 &&
    bytes[at + 1] === 0x54 &&
    bytes[at + 2] === 0x54 &&
    bytes[at + 3] === 0x50 &&
    bytes[at + 4] === 0x2f
  const major = (bytes[at + 5] as number) - 0x30
  const minor = (bytes[at + 7] as number) - 0x30
  if (!isHttp || !(major >= 0 && major <= 9) || bytes[at + 6] !== 0x2e || !(minor >= 0 && minor <= 9)) {
    throw errors.BW_HTTP_VERSION_INVALID('the request line does not end in HTTP/1.1 or HTTP/1.0')
  }
  if (bytes[at + 8] !== 0x0d || bytes[at + 9] !== 0x0a) {
    throw bytes[at + 8] === 0x0a || bytes[at + 8] === 0x0d
      ? errors.BW_HTTP_LINE_END_INVALID('a CR or LF alone after the version')
      : errors.BW_HTTP_VERSION_INVALID('something follows the version')
  }
  if (major !== 1 || minor > 1)
    throw errors.BW_HTTP_VERSION_UNSUPPORTED(`HTTP/${major}.${minor} is not supported here`)
  return minor
}

function badMethod(): HttpError {
  return errors.BW_HTTP_METHOD_INVALID('the request does not begin with a method token and one space')
}

function badTarget(bytes: Uint8Array, at: number, targetStart: number): HttpError {
  const byte = bytes[at] as number
  if (byte === 0x0d && bytes[at + 1] === 0x0a)
    return errors.BW_HTTP_VERSION_INVALID('the request line has no version (HTTP/0.9)')
  if (byte === 0x0a || byte === 0x0d)
    return errors.BW_HTTP_LINE_END_INVALID('a CR or LF alone in the request line')
  if (at === targetStart)
    return errors.BW_HTTP_REQUEST_LINE_INVALID('the request line has no target after one space')
  return errors.BW_HTTP_TARGET_INVALID(`byte 0x${byte.toString(16).padStart(2, '0')} in the target`)
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
