import { isBreakwaterError } from '@breakwater/core'
import { errors } from '../errors.ts'
import type { HttpError } from '../errors.ts'
import { FieldList } from '../fields.ts'
import type { BodyKind, ResponseHead } from '../messages.ts'
import { BodyReader } from './body-reader.ts'
import { FieldSection } from './field-section.ts'
import type { Parser, ResponseEvents } from './handlers.ts'
import { HeadBuffer, lineFault, sectionEnd } from './head-buffer.ts'
import type { ResolvedLimits } from './limits.ts'
import { asBuffer } from './request-parser.ts'
import { VALUE } from './tables.ts'

/** More 1xx heads than this before one answer are an attack or a bug. */
const MAX_INFORMATIONAL = 16

/**
 * Reads the responses of one upstream connection with the same rules as requests. Say `expect(method)` before each:
 * what comes unasked is refused. Every error is `BW_HTTP_RESPONSE_INVALID` or `BW_HTTP_RESPONSE_INCOMPLETE`, with the rule in
 * `details.rule`.
 */
export class ResponseParser implements Parser {
  readonly #limits: ResolvedLimits
  readonly #events: ResponseEvents
  readonly #section = new FieldSection()
  readonly #body: BodyReader
  readonly #partial = new HeadBuffer()
  #expecting = false
  #toHead = false
  #upgrading = false
  #informational = 0
  #checkedBytes = 0
  #switched = false
  paused: boolean = false
  dead: boolean = false

  constructor(limits: ResolvedLimits, events: ResponseEvents) {
    this.#limits = limits
    this.#events = events
    this.#body = new BodyReader(limits)
  }

  /** A request with this method was sent: one answer is due. `upgrading` allows it to be 101. */
  expect(method: string, upgrading: boolean = false): void {
    this.#expecting = true
    this.#toHead = method === 'HEAD'
    this.#upgrading = upgrading
    this.#informational = 0
  }

  get midMessage(): boolean {
    return this.#body.active || this.#partial.length > 0
  }

  /** Whether a final head has come and its body has not ended. */
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
    while (at < bytes.length && !this.paused && !this.dead && !this.#switched) {
      at = this.#body.active ? this.#feedBody(bytes, at) : this.#feedHead(bytes, at)
    }
    return at
  }

  end(): void {
    if (this.dead || this.#switched) return
    if (this.#body.active) {
      if (this.#body.endOfStream()) this.#events.onMessageEnd(undefined)
      else this.#fail(errors.BW_HTTP_RESPONSE_INCOMPLETE('the upstream closed in the middle of a body'))
    } else if (this.#partial.length > 0) {
      this.#fail(errors.BW_HTTP_RESPONSE_INCOMPLETE('the upstream closed in the middle of a head'))
    }
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

  #feedHead(bytes: Uint8Array, at: number): number {
    let head: Answer | undefined
    let next = bytes.length
    try {
      if (!this.#expecting) throw errors.BW_HTTP_STATUS_LINE_INVALID('bytes came that no request asked for')
      const partial = this.#partial
      const buffer = asBuffer(bytes)
      const end = partial.length === 0 ? sectionEnd(buffer, at) : -1
      if (end >= 0) {
        next = end + 4
        head = this.#readHead(buffer, at, next)
      } else {
        const taken = partial.take(bytes, at, this.#limits.maxHeadBytes)
        if (taken >= 0) {
          next = taken
          head = this.#readHead(partial.bytes, 0, partial.length)
          partial.clear()
        } else this.#checkPartial(partial)
      }
    } catch (error) {
      return this.#caught(error, bytes.length)
    }
    if (head !== undefined) this.#announce(head)
    return next
  }

  #checkPartial(partial: HeadBuffer): void {
    const { bytes, length } = partial
    const fault = lineFault(bytes, this.#checkedBytes, length)
    if (fault !== undefined) throw fault
    this.#checkedBytes = Math.max(0, length - 1)
    if (length > this.#limits.maxHeadBytes) throw this.#tooLarge()
    for (let at = 0; at < length && at < 5; at++) {
      if (bytes[at] !== 'HTTP/'.charCodeAt(at))
        throw errors.BW_HTTP_STATUS_LINE_INVALID('the response does not begin with HTTP/')
    }
  }

  #readHead(bytes: Buffer, start: number, end: number): Answer {
    if (end - start > this.#limits.maxHeadBytes) throw this.#tooLarge()
    this.#checkedBytes = 0
    const text = bytes.toString('latin1', start, end)
    const head = readStatusLine(bytes, text, start)
    const section = this.#section
    section.reset()
    section.read(bytes, text, start, start + head.lineBytes, end - 2, this.#limits, head.fields)
    this.#settle(head, section)
    return head
  }

  #settle(head: Answer, section: FieldSection): void {
    const { status } = head
    if (section.chunked && head.minorVersion === 0) {
      throw errors.BW_HTTP_TRANSFER_CODING_INVALID('Transfer-Encoding in an HTTP/1.0 response')
    }
    if (status < 200 || status === 204) {
      if (section.chunked) throw errors.BW_HTTP_FRAMING_AMBIGUOUS(`Transfer-Encoding in a ${status} response`)
      if (section.contentLength > 0)
        throw errors.BW_HTTP_FRAMING_AMBIGUOUS(`Content-Length in a ${status} response`)
      if (status === 101 && !this.#upgrading)
        throw errors.BW_HTTP_UPGRADE_INVALID('101 without an upgrade being asked for')
      if (status === 101 && (section.upgrade === undefined || !section.connectionUpgrade))
        throw errors.BW_HTTP_UPGRADE_INVALID('101 that does not name the new protocol (RFC 9110 §15.2.2)')
      if (status !== 101 && status < 200 && ++this.#informational > MAX_INFORMATIONAL) {
        throw errors.BW_HTTP_STATUS_LINE_INVALID(`more than ${MAX_INFORMATIONAL} informational responses`)
      }
    }
    head.declaredLength = section.contentLength
    head.keepAlive = !section.close && (head.minorVersion === 1 || section.keepAlive)
    // HTTP/1.0 has no 1xx, and one that closes the connection contradicts the answer that must follow.
    if (status < 200 && !head.keepAlive)
      throw errors.BW_HTTP_FRAMING_AMBIGUOUS(`a ${status} response that ends the connection`)
    if (status < 200 || status === 204 || status === 304 || this.#toHead) return
    if (section.chunked) {
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
    } else if (section.contentLength < 0) {
      head.body = 'close'
      head.contentLength = -1
      head.keepAlive = false
    }
  }

  #announce(head: Answer): void {
    if (head.status < 200 && head.status !== 101) {
      this.#events.onInformational(head)
      return
    }
    this.#expecting = false
    if (head.status === 101) this.#switched = true
    if (head.body === 'none') {
      this.#events.onHead(head)
      if (!this.dead && !this.#switched) this.#events.onMessageEnd(undefined)
      return
    }
    if (head.body === 'chunked') this.#body.startChunked()
    else if (head.body === 'length') this.#body.startLength(head.contentLength)
    else this.#body.startClose()
    this.#events.onHead(head)
  }

  #tooLarge(): HttpError {
    return errors.BW_HTTP_HEAD_TOO_LARGE(`the head has more than ${this.#limits.maxHeadBytes} bytes`)
  }

  #caught(error: unknown, consumed: number): number {
    if (!isBreakwaterError(error)) throw error
    this.#fail(
      errors.BW_HTTP_RESPONSE_INVALID(`the upstream sent a response that is refused: ${error.message}`, {
        details: { rule: error.code },
        cause: error,
      }),
    )
    return consumed
  }

  #fail(error: HttpError): void {
    this.dead = true
    this.#partial.clear()
    this.#events.onError(error)
  }
}

/** One shape for all heads. */
class Answer implements ResponseHead {
  readonly status: number
  readonly reason: string
  readonly minorVersion: number
  readonly lineBytes: number
  readonly fields: FieldList = new FieldList()
  body: BodyKind = 'none'
  contentLength: number = 0
  declaredLength: number = -1
  keepAlive: boolean = false

  constructor(status: number, reason: string, minorVersion: number, lineBytes: number) {
    this.status = status
    this.reason = reason
    this.minorVersion = minorVersion
    this.lineBytes = lineBytes
  }
}

/** RFC 9112 §4: `HTTP/1.1 200 OK`. The space after the code may be missing when the reason is: nothing depends on it. */
function readStatusLine(bytes: Uint8Array, text: string, start: number): Answer {
  if (!text.startsWith('HTTP/'))
    throw errors.BW_HTTP_STATUS_LINE_INVALID('the response does not begin with HTTP/')
  const minorVersion = (bytes[start + 7] as number) - 0x30
  if (
    bytes[start + 5] !== 0x31 ||
    bytes[start + 6] !== 0x2e ||
    (minorVersion !== 0 && minorVersion !== 1) ||
    bytes[start + 8] !== 0x20
  ) {
    throw errors.BW_HTTP_VERSION_UNSUPPORTED('the response is neither HTTP/1.1 nor HTTP/1.0')
  }
  let status = 0
  for (let at = start + 9; at < start + 12; at++) {
    const digit = (bytes[at] as number) - 0x30
    if (!(digit >= 0 && digit <= 9))
      throw errors.BW_HTTP_STATUS_LINE_INVALID('the status code is not three digits')
    status = status * 10 + digit
  }
  if (status < 100) throw errors.BW_HTTP_STATUS_LINE_INVALID(`the status code is ${status}, below 100`)
  let at = start + 12
  if (bytes[at] === 0x20) at++
  else if (bytes[at] !== 0x0d)
    throw errors.BW_HTTP_STATUS_LINE_INVALID('the status code is not followed by a space')
  const reasonStart = at
  while (VALUE[bytes[at] as number] === 1) at++
  if (bytes[at] !== 0x0d || bytes[at + 1] !== 0x0a)
    throw errors.BW_HTTP_LINE_END_INVALID('a control byte in the status line')
  return new Answer(status, text.slice(reasonStart - start, at - start), minorVersion, at + 2 - start)
}
