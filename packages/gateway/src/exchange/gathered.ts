const NOTHING = Buffer.alloc(0)

/**
 * Bytes that come in pieces and are kept: in one piece of memory that doubles, so that tiny pieces cost no object for each. What was
 * given out never changes.
 */
export class Gathered {
  #room: Buffer = NOTHING
  #length = 0

  get length(): number {
    return this.#length
  }

  /** All of it so far. */
  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length)
  }

  /** The piece is copied: it may be a view that is used again. */
  add(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#room.length) this.#room = copyOf(this.#room, Math.max(length, 2 * this.#room.length))
    this.#room.set(piece, this.#length)
    this.#length = length
  }

  /** The same, to be kept for long: without spare room. */
  exactly(): Uint8Array {
    return this.#room.length === this.#length ? this.#room : copyOf(this.#room, this.#length)
  }
}

function copyOf(bytes: Buffer, length: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(length)
  bytes.copy(copy)
  return copy
}
