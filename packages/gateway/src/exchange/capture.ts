import { FieldList } from '@breakwater/http'

/** A whole answer in memory: for idempotency keys, shared calls and stale answers. */
export interface StoredAnswer {
  readonly status: number
  /** `[name, value, …]`, without hop-by-hop fields. */
  readonly fields: readonly string[]
  readonly body: Uint8Array
}

/** Memory that an answer takes, for bounded stores. Bytes. */
export function sizeOfAnswer({ fields, body }: StoredAnswer): number {
  return fields.reduce((sum, text) => sum + text.length, 64) + body.length
}

/** A list of the stored fields that may be changed. */
export function fieldsOfAnswer({ fields }: StoredAnswer): FieldList {
  const list = new FieldList()
  for (let at = 0; at < fields.length; at += 2) list.append(fields[at] ?? '', fields[at + 1] ?? '')
  return list
}

const NO_ROOM = Buffer.alloc(0)

/** Copies an answer while it passes, as long as it stays within `maxBytes`. */
export class Capture {
  readonly status: number
  readonly #fields: readonly string[]
  readonly #maxBytes: number
  /** Room for more than there is, so that an answer in tiny pieces costs no object for each. Undefined once it is too long. */
  #room: Buffer | undefined = NO_ROOM
  #bytes = 0

  constructor(status: number, fields: FieldList, maxBytes: number) {
    this.status = status
    this.#fields = [...fields.flat]
    this.#maxBytes = maxBytes
  }

  /** The chunk is a view that will be reused: it is copied. */
  add(chunk: Uint8Array): void {
    if (this.#room === undefined) return
    const bytes = this.#bytes + chunk.length
    this.#room = bytes > this.#maxBytes ? undefined : this.#roomFor(bytes, this.#room)
    this.#room?.set(chunk, this.#bytes)
    this.#bytes = bytes
  }

  /** Whether the answer turned out longer than may be kept. */
  get isTooLong(): boolean {
    return this.#room === undefined
  }

  /** The answer, once its end has come; undefined when it was too long. */
  complete(): StoredAnswer | undefined {
    if (this.#room === undefined) return undefined
    // What is kept for long keeps no spare room.
    const body = this.#room.length === this.#bytes ? this.#room : copyOf(this.#room, this.#bytes)
    return { status: this.status, fields: this.#fields, body }
  }

  #roomFor(bytes: number, room: Buffer): Buffer {
    if (bytes <= room.length) return room
    return copyOf(room, Math.min(Math.max(bytes, 2 * room.length), this.#maxBytes))
  }
}

function copyOf(bytes: Buffer, length: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(length)
  bytes.copy(copy)
  return copy
}
