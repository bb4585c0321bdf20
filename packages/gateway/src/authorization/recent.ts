/**
 * Remembers the latest of what it was told. A look-up that finds something changes nothing, so it costs one hash of the key, and
 * keys are compared in full. Holds between `entries` and twice as many: when one half is full, the other is let go.
 */
export class Recent<Value> {
  readonly #entries: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()

  constructor(entries: number) {
    this.#entries = entries
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(key: string): Value | undefined {
    return this.#young.get(key) ?? this.#fromOld(key)
  }

  set(key: string, value: Value): void {
    if (this.#young.size >= this.#entries) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }

  /** What is still asked for lives on. */
  #fromOld(key: string): Value | undefined {
    const value = this.#old.get(key)
    if (value === undefined) return undefined
    this.#old.delete(key)
    this.set(key, value)
    return value
  }
}

/** The same text in memory of its own: a piece of a request would keep all of the request alive. */
export function ownText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
