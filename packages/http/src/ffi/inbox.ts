import type { Libc, Memory } from './libc.ts'

/** What one read takes at most. */
export const PLACE_BYTES = 65_536
/** So many connections are read before the first of them is told. */
export const PLACES = 16
/** Between two places, so that small reads do not all fall into the same few sets of the processor's caches. */
const SPACING_BYTES = PLACE_BYTES + 4_096 + 320

/**
 * Where all connections read into, a few of them at a time: reading one after the other, and then deciding about one after the
 * other, each stay in the processor's caches. Every reader is done with what it was given before its place is read into again.
 * @internal
 */
export class Inbox {
  readonly #memory: Memory
  readonly #pointers: readonly bigint[]
  /** What was given out last: connections that are alike are often told of as many bytes. */
  readonly #views: Buffer[]

  constructor(libc: Libc) {
    const memory = libc.allocate(PLACES * SPACING_BYTES)
    const at = Array.from({ length: PLACES }, (_, place) => place * SPACING_BYTES)
    this.#memory = memory
    this.#pointers = at.map((offset) => memory.pointer + BigInt(offset))
    this.#views = at.map((offset) => memory.bytes.subarray(offset, offset))
  }

  pointer(place: number): bigint {
    return this.#pointers[place] as bigint
  }

  /** The first `bytes` of a place, which a read has just filled. */
  read(place: number, bytes: number): Buffer {
    const last = this.#views[place] as Buffer
    if (last.length === bytes) return last
    const offset = place * SPACING_BYTES
    return (this.#views[place] = this.#memory.bytes.subarray(offset, offset + bytes))
  }
}
