import { errors } from '../errors.ts'
import type { HttpError } from '../errors.ts'
import { FieldList } from '../fields.ts'
import { FieldSection } from './field-section.ts'
import type { BodyEvents } from './handlers.ts'
import { CRLF_CRLF, HeadBuffer, lineFault } from './head-buffer.ts'
import type { ResolvedLimits } from './limits.ts'
import { HEX, TOKEN, VALUE } from './tables.ts'

const State = {
  idle: 0,
  length: 1,
  close: 2,
  sizeFirst: 3,
  size: 4,
  sizeLf: 5,
  data: 6,
  dataCr: 7,
  dataLf: 8,
  trailer: 9,
  extensionName: 10,
  extensionNameMore: 11,
  extensionValue: 12,
  extensionToken: 13,
  extensionQuoted: 14,
  extensionEscape: 15,
  extensionEnd: 16,
} as const

/** Most hex digits of a chunk size: keeps it an exact integer. */
const MAX_SIZE_DIGITS = 12

/** What a trailer must never say: it would come too late to be obeyed, and somebody would obey it (RFC 9110 §6.5.1). */
const FORBIDDEN_TRAILERS: ReadonlySet<string> = new Set(
  `age authorization cache-control connection content-encoding content-length content-range content-type cookie date expect
  expires forwarded host if-match if-modified-since if-none-match if-range if-unmodified-since keep-alive location max-forwards
  pragma proxy-authenticate proxy-authorization proxy-connection range retry-after set-cookie te trailer transfer-encoding
  upgrade vary via warning www-authenticate x-forwarded-for x-forwarded-host x-forwarded-proto x-real-ip`.split(
    /\s+/,
  ),
)

/** Takes the framing off a body, of a request or a response: the same rules for both. One per parser, reused. */
export class BodyReader {
  readonly #limits: ResolvedLimits
  /** Only while a section of trailers is incomplete: few bodies have one, and connections are many. */
  #trailer: HeadBuffer | undefined
  #state: number = State.idle
  /** Bytes still to come, of the body or of the chunk. */
  #remaining = 0
  #digits = 0
  #lastChunk = false
  #extensionBytes = 0
  #allExtensionBytes = 0
  #bodyBytes = 0
  #maxBodyBytes = 0
  /** Set by `feed` when the body is over; says so once. */
  ended: boolean = false
  trailers: FieldList | undefined

  constructor(limits: ResolvedLimits) {
    this.#limits = limits
  }

  get active(): boolean {
    return this.#state !== State.idle
  }

  startLength(bytes: number): void {
    this.#state = State.length
    this.#remaining = bytes
    this.trailers = undefined
  }

  startClose(): void {
    this.#state = State.close
    this.#maxBodyBytes = this.#limits.maxBodyBytes
    this.#bodyBytes = 0
    this.trailers = undefined
  }

  startChunked(): void {
    this.#state = State.sizeFirst
    this.#remaining = 0
    this.#allExtensionBytes = 0
    this.#extensionBytes = 0
    this.#bodyBytes = 0
    this.#maxBodyBytes = this.#limits.maxBodyBytes
    this.trailers = undefined
  }

  /** The connection is over. Returns whether that ends the body well. */
  endOfStream(): boolean {
    const well = this.#state === State.close
    this.#state = State.idle
    return well
  }

  /**
   * Consumes from `bytes[at …]` until the body ends, data was given to `events` (at most once a call), or nothing is left.
   * Returns the new offset; sets `ended` when the body is over.
   *
   * @throws the refusal that applies.
   */
  feed(bytes: Uint8Array, start: number, events: BodyEvents): number {
    if (this.#state === State.length) return this.#deliver(bytes, start, events)
    if (this.#state === State.close) {
      this.#remaining = bytes.length - start
      return this.#deliver(bytes, start, events)
    }
    return this.#feedChunked(bytes, start, events)
  }

  #deliver(bytes: Uint8Array, start: number, events: BodyEvents): number {
    const end = Math.min(bytes.length, start + this.#remaining)
    this.#remaining -= end - start
    if (this.#state === State.close) this.#count(end - start)
    // State first: the handler may look at it, or start something new.
    if (this.#remaining === 0 && this.#state === State.length) {
      this.#state = State.idle
      this.ended = true
    } else if (this.#remaining === 0 && this.#state === State.data) this.#state = State.dataCr
    if (end > start) events.onData(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
    return end
  }

  #feedChunked(bytes: Uint8Array, start: number, events: BodyEvents): number {
    let at = start
    const { length } = bytes
    while (at < length) {
      const state = this.#state
      if (state === State.data) return this.#deliver(bytes, at, events)
      if (state === State.trailer) return this.#feedTrailer(bytes, at)
      const byte = bytes[at++] as number
      switch (state) {
        case State.sizeFirst:
        case State.size:
          this.#sizeByte(byte)
          break
        case State.sizeLf:
          if (byte !== 0x0a) throw lineEnd('after a chunk size')
          if (this.#lastChunk) this.#state = State.trailer
          else {
            this.#count(this.#remaining)
            this.#state = State.data
          }
          break
        case State.dataCr:
          if (byte !== 0x0d) throw errors.BW_HTTP_CHUNK_INVALID('the data of a chunk is longer than its size')
          this.#state = State.dataLf
          break
        case State.dataLf:
          if (byte !== 0x0a) throw lineEnd('after the data of a chunk')
          this.#state = State.sizeFirst
          this.#remaining = 0
          break
        default:
          this.#extensionByte(state, byte)
      }
    }
    return at
  }

  #sizeByte(byte: number): void {
    const digit = HEX[byte] as number
    if (digit <= 15) {
      if (this.#state === State.sizeFirst) {
        this.#state = State.size
        this.#digits = 0
        this.#extensionBytes = 0
      }
      if (++this.#digits > MAX_SIZE_DIGITS)
        throw errors.BW_HTTP_CHUNK_INVALID('a chunk size has too many digits')
      this.#remaining = this.#remaining * 16 + digit
      return
    }
    if (this.#state === State.sizeFirst)
      throw errors.BW_HTTP_CHUNK_INVALID('a chunk does not begin with a hex digit')
    if (byte === 0x0d) this.#endOfSize()
    else if (byte === 0x3b) this.#state = State.extensionName
    else if (byte === 0x0a) throw lineEnd('after a chunk size')
    else throw errors.BW_HTTP_CHUNK_INVALID('a chunk size is followed by neither CR LF nor an extension')
  }

  #endOfSize(): void {
    this.#lastChunk = this.#remaining === 0
    this.#state = State.sizeLf
  }

  /** RFC 9112 §7.1.1, without the "bad" white space that it allows for history's sake. */
  #extensionByte(state: number, byte: number): void {
    this.#allExtensionBytes++
    if (
      ++this.#extensionBytes > this.#limits.maxChunkExtensionBytes ||
      this.#allExtensionBytes > this.#limits.maxTotalExtensionBytes
    ) {
      throw errors.BW_HTTP_CHUNK_INVALID('chunk extensions are too long')
    }
    const isToken = TOKEN[byte] !== 0
    switch (state) {
      case State.extensionName:
        if (!isToken) break
        this.#state = State.extensionNameMore
        return
      case State.extensionNameMore:
        if (isToken) return
        if (byte === 0x3d) this.#state = State.extensionValue
        else break
        return
      case State.extensionValue:
        if (byte === 0x22) this.#state = State.extensionQuoted
        else if (isToken) this.#state = State.extensionToken
        else break
        return
      case State.extensionToken:
        if (isToken) return
        break
      case State.extensionQuoted:
        if (VALUE[byte] === 0) throw errors.BW_HTTP_CHUNK_INVALID('a control byte in a chunk extension')
        if (byte === 0x22) this.#state = State.extensionEnd
        else if (byte === 0x5c) this.#state = State.extensionEscape
        return
      case State.extensionEscape:
        if (VALUE[byte] === 0) throw errors.BW_HTTP_CHUNK_INVALID('a control byte in a chunk extension')
        this.#state = State.extensionQuoted
        return
      default:
    }
    const complete = state !== State.extensionName && state !== State.extensionValue
    if (complete && byte === 0x0d) this.#endOfSize()
    else if (complete && byte === 0x3b) this.#state = State.extensionName
    else if (byte === 0x0a || byte === 0x0d) throw lineEnd('in a chunk extension')
    else throw errors.BW_HTTP_CHUNK_INVALID('a chunk extension is not ;name or ;name=value')
  }

  #feedTrailer(bytes: Uint8Array, start: number): number {
    if (this.#trailer === undefined && bytes[start] === 0x0d && bytes[start + 1] === 0x0a)
      return this.#finish(start + 2)
    const buffer = (this.#trailer ??= new HeadBuffer())
    // A CR LF in front makes "no trailers at all" end like every other section.
    if (buffer.length === 0) buffer.append(CRLF_CRLF, 0, 2)
    const end = buffer.take(bytes, start, this.#limits.maxTrailerBytes + 2)
    if (end < 0) {
      if (buffer.length > this.#limits.maxTrailerBytes + 2) {
        throw errors.BW_HTTP_HEAD_TOO_LARGE(
          `the trailers have more than ${this.#limits.maxTrailerBytes} bytes`,
        )
      }
      const fault = lineFault(buffer.bytes, 0, buffer.length)
      if (fault !== undefined) throw fault
      return bytes.length
    }
    const { length } = buffer
    if (length > 4) this.#readTrailers(buffer.bytes, length)
    this.#trailer = undefined
    return this.#finish(end)
  }

  #readTrailers(bytes: Buffer, length: number): void {
    const trailers = new FieldList()
    const text = bytes.toString('latin1', 0, length)
    new FieldSection().read(bytes, text, 0, 2, length - 2, this.#limits, trailers)
    for (let at = 0; at < trailers.flat.length; at += 2) {
      const name = trailers.flat[at] ?? ''
      if (FORBIDDEN_TRAILERS.has(name))
        throw errors.BW_HTTP_TRAILER_INVALID(`the field ${name} is not allowed as a trailer`)
    }
    this.trailers = trailers
  }

  #finish(at: number): number {
    this.#state = State.idle
    this.ended = true
    return at
  }

  #count(bytes: number): void {
    this.#bodyBytes += bytes
    if (this.#bodyBytes > this.#maxBodyBytes) {
      throw errors.BW_HTTP_BODY_TOO_LARGE(`the body has more than ${this.#maxBodyBytes} bytes`)
    }
  }
}

function lineEnd(where: string): HttpError {
  return errors.BW_HTTP_LINE_END_INVALID(`a CR or LF alone ${where}`)
}
