import { errors } from '../errors.ts'
import type { HttpError } from '../errors.ts'

/** CR LF CR LF: the end of every section of fields. */
export const CRLF_CRLF: Buffer = Buffer.from('\r\n\r\n', 'latin1')

const NOTHING = Buffer.alloc(0)

/** Longer heads than this are searched by the platform: faster by the byte, but slow to call. */
const OWN_SEARCH_BYTES = 2048

/** Offset of the first CR LF CR LF at or after `start`, or -1. Looks at every fourth byte where lines are long. */
export function sectionEnd(bytes: Buffer, start: number): number {
  const limit = Math.min(bytes.length, start + OWN_SEARCH_BYTES)
  // Where the last LF of the four would be.
  let last = start + 3
  while (last < limit) {
    const byte = bytes[last] as number
    if (byte !== 0x0a) last += byte === 0x0d ? 1 : 4
    else if (bytes[last - 1] === 0x0d && bytes[last - 2] === 0x0a && bytes[last - 3] === 0x0d) return last - 3
    else last += 2 // it may be the first LF
  }
  return limit === bytes.length ? -1 : bytes.indexOf(CRLF_CRLF, last - 3)
}

/** Collects a head that arrives in pieces. Bytes are copied once and searched once, however many pieces there are. */
export class HeadBuffer {
  bytes: Buffer = NOTHING
  length: number = 0

  /**
   * Adds bytes from `chunk[start …]` until the section is complete or `maxBytes` are passed.
   *
   * @returns offset in `chunk` just after the section, or -1 when it is not complete.
   */
  take(chunk: Uint8Array, start: number, maxBytes: number): number {
    const before = this.length
    const taken = Math.min(chunk.length - start, maxBytes + 1 - before)
    this.append(chunk, start, start + taken)
    const from = Math.max(0, before - 3)
    const found = sectionEnd(this.bytes.subarray(0, this.length), from)
    if (found < 0) return -1
    this.length = found + 4
    return start + this.length - before
  }

  append(chunk: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2, 512))
      this.bytes.copy(larger, 0, 0, this.length)
      this.bytes = larger
    }
    this.bytes.set(start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end), this.length)
    this.length = needed
  }

  /** Forgets the content and its memory: an idle connection should hold none. */
  clear(): void {
    this.bytes = NOTHING
    this.length = 0
  }
}

/** What makes an unfinished section hopeless already: a CR or LF alone, or NUL. Nobody should wait for the rest of it. */
export function lineFault(bytes: Uint8Array, start: number, end: number): HttpError | undefined {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (byte >= 0x0e) continue
    if (byte === 0x0a && (at === 0 || bytes[at - 1] !== 0x0d))
      return errors.BW_HTTP_LINE_END_INVALID('an LF alone')
    if (byte === 0x0d && at + 1 < end && bytes[at + 1] !== 0x0a)
      return errors.BW_HTTP_LINE_END_INVALID('a CR alone')
    if (byte === 0) return errors.BW_HTTP_FIELD_INVALID('a NUL byte')
  }
  return undefined
}
