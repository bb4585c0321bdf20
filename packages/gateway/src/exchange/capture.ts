import { FieldList } from '@breakwater/http'
import { Gathered } from './gathered.ts'

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

/** Copies an answer while it passes, as long as it stays within `maxBytes`. */
export class Capture {
  readonly status: number
  readonly #fields: readonly string[]
  readonly #maxBytes: number
  #body: Gathered | undefined = new Gathered()

  constructor(status: number, fields: FieldList, maxBytes: number) {
    this.status = status
    this.#fields = [...fields.flat]
    this.#maxBytes = maxBytes
  }

  add(chunk: Uint8Array): void {
    if (this.#body === undefined) return
    if (this.#body.length + chunk.length <= this.#maxBytes) this.#body.add(chunk)
    else this.#body = undefined
  }

  /** Whether the answer turned out longer than may be kept. */
  get isTooLong(): boolean {
    return this.#body === undefined
  }

  /** The answer, once its end has come; undefined when it was too long. */
  complete(): StoredAnswer | undefined {
    if (this.#body === undefined) return undefined
    return { status: this.status, fields: this.#fields, body: this.#body.exactly() }
  }
}
