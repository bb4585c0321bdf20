const LF = 0x0a
const CR = 0x0d

/** Watches a stream of events pass, for whether it stands between two of them: at its beginning or after an empty line. */
export class EventTail {
  /** Line ends since the last other byte; CR LF is one. */
  #lineEnds = 2
  #wasCr = false

  /** Whether another event may be written here. */
  get isBetween(): boolean {
    return this.#lineEnds >= 2
  }

  /** Looks at the end of the chunk only: at most four bytes of it matter. */
  add(chunk: Uint8Array): void {
    for (let at = Math.max(0, chunk.length - 4); at < chunk.length; at++) {
      const byte = chunk[at]
      if (byte === CR || (byte === LF && !this.#wasCr)) this.#lineEnds++
      else if (byte !== LF) this.#lineEnds = 0
      this.#wasCr = byte === CR
    }
  }
}
