interface Entry<Value> {
  readonly text: string
  readonly value: Value
  bytes: number
}

/** Tokens end in their signature: so much of it tells them apart, and little is to be hashed. */
const TAIL = 43

/**
 * Remembers the latest of what it was told about long texts. A text is found by its end and then compared in full; of two with
 * the same end the later one is remembered. A look-up that finds something changes nothing. Two halves, each with at most
 * `entries` of them and about `maxBytes` of text: when one is full, the other is let go.
 */
export class Recent<Value> {
  readonly #entries: number
  readonly #maxBytes: number
  #youngBytes = 0
  #oldBytes = 0
  #young = new Map<string, Entry<Value>>()
  #old = new Map<string, Entry<Value>>()

  constructor(entries: number, maxBytes: number) {
    this.#entries = entries
    this.#maxBytes = maxBytes
  }

  /** Of the texts, and of what was added to them. */
  get bytes(): number {
    return this.#youngBytes + this.#oldBytes
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(text: string): Value | undefined {
    const tail = tailOf(text)
    const entry = this.#young.get(tail) ?? this.#fromOld(tail)
    return entry?.text === text ? entry.value : undefined
  }

  /** Keeps a copy of the text: a piece of a request would keep all of the request alive. */
  set(text: string, value: Value): void {
    const own = ownText(text)
    this.#put(ownText(tailOf(own)), { text: own, value, bytes: own.length })
  }

  /** What is remembered about a text has grown. */
  grow(text: string, bytes: number): void {
    const entry = this.#young.get(tailOf(text))
    if (entry?.text !== text) return
    entry.bytes += bytes
    this.#youngBytes += bytes
    if (this.#youngBytes > this.#maxBytes) this.#turn()
  }

  #put(tail: string, entry: Entry<Value>): void {
    if (this.#young.size >= this.#entries || this.#youngBytes + entry.bytes > this.#maxBytes) this.#turn()
    this.#youngBytes += entry.bytes - (this.#young.get(tail)?.bytes ?? 0)
    this.#young.set(tail, entry)
  }

  #turn(): void {
    this.#old = this.#young
    this.#oldBytes = this.#youngBytes
    this.#young = new Map()
    this.#youngBytes = 0
  }

  /** What is still asked for lives on. */
  #fromOld(tail: string): Entry<Value> | undefined {
    const entry = this.#old.get(tail)
    if (entry === undefined) return undefined
    this.#old.delete(tail)
    this.#oldBytes -= entry.bytes
    this.#put(ownText(tail), entry)
    return entry
  }
}

function tailOf(text: string): string {
  return text.length <= TAIL ? text : text.slice(-TAIL)
}

/** The same text in memory of its own. Latin-1. */
export function ownText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
