import type { Libc, Memory } from './libc.ts'

const INBOX_BYTES = 65_536
/** Up to here a view is made once for each length, and kept. */
const KEPT_BYTES = 4_096

/** Where all connections read into: every reader is done with what it was given before the next read. @internal */
export class Inbox {
  readonly size: number = INBOX_BYTES
  readonly #memory: Memory
  readonly #views: (Buffer | undefined)[] = Array.from({ length: KEPT_BYTES + 1 }, () => undefined)

  constructor(libc: Libc) {
    this.#memory = libc.allocate(INBOX_BYTES)
  }

  get pointer(): bigint {
    return this.#memory.pointer
  }

  /** The first `bytes` of it, which a read has just filled. */
  read(bytes: number): Buffer {
    if (bytes > KEPT_BYTES) return this.#memory.bytes.subarray(0, bytes)
    return (this.#views[bytes] ??= this.#memory.bytes.subarray(0, bytes))
  }
}
