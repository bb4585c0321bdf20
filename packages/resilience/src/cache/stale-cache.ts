import { OptionCheck } from '../internal/option-check.ts'

export interface StaleCacheOptions {
  /** Entries at the most. Whole number, 2 or more. Default 10 000. */
  readonly maxEntries?: number
  /** Bytes of all entries together, as given to `set`, at the most. Above 0. Default 64 MiB. */
  readonly maxBytes?: number
  /** Bytes of one entry at the most; larger ones are not kept. Above 0, up to `maxBytes`. Default 1 MiB or `maxBytes`, the smaller. */
  readonly maxEntryBytes?: number
}

/** How long a stored answer is good for what. Milliseconds, 0 or more; each span begins where the one before it ends. */
export interface Lifetime {
  readonly freshMs: number
  /** After that: may be served while a newer one is fetched (RFC 5861 §3). */
  readonly staleWhileRevalidateMs: number
  /** From the end of freshness on: may be served when the upstream fails (RFC 5861 §4). */
  readonly staleIfErrorMs: number
}

/** `fresh`: serve it. `stale`: serve it and fetch a newer one. `if-error`: serve it only if fetching fails. */
export type Freshness = 'fresh' | 'stale' | 'if-error'

/** Memory an entry takes besides its value: the links, the map's slot, the key's header. */
const OVERHEAD_BYTES = 256

interface Entry<Value> {
  readonly key: string
  readonly value: Value
  readonly bytes: number
  readonly storedMs: number
  readonly freshUntilMs: number
  readonly staleUntilMs: number
  readonly errorUntilMs: number
}

/** What was found. */
export interface Cached<Value> {
  readonly value: Value
  /** When it was stored. Monotonic milliseconds. */
  readonly storedMs: number
}

/**
 * Answers kept for when the upstream is slow or down. Bounded in entries and in bytes. Two segments: a new entry is on
 * probation and is the first to go; asked for again it moves to the protected four fifths. So a flood of keys that
 * nobody asks for twice pushes out itself, not what is in use. `get` costs one map lookup; nothing is swept by timers.
 *
 * It does not know what may be shared: the key must hold everything the answer depends on (tenant, user, `Vary`).
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID`
 */
export class StaleCache<Value> {
  readonly #maxEntries: number
  readonly #maxBytes: number
  readonly #maxEntryBytes: number
  readonly #probation = new Map<string, Entry<Value>>()
  readonly #protected = new Map<string, Entry<Value>>()
  #bytes = 0
  #protectedBytes = 0
  /** Live entries pushed out to make room. */
  evictions = 0
  /** Answers too large to keep. */
  oversized = 0

  constructor(options: StaleCacheOptions = {}) {
    const { maxEntries = 10_000, maxBytes = 64 * 1024 * 1024 } = options
    const maxEntryBytes = options.maxEntryBytes ?? Math.min(1024 * 1024, maxBytes)
    new OptionCheck('stale cache')
      .whole('maxEntries', maxEntries, 2)
      .above('maxBytes', maxBytes, 0)
      .that(
        maxEntryBytes > 0 && maxEntryBytes <= maxBytes,
        `maxEntryBytes must be above 0 and at most maxBytes (${maxBytes}), got ${maxEntryBytes}`,
      )
      .done()
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
    this.#maxEntryBytes = maxEntryBytes
  }

  get size(): number {
    return this.#probation.size + this.#protected.size
  }

  /** Bytes in use, overhead included. Never above `maxBytes`. */
  get bytes(): number {
    return this.#bytes
  }

  /** How `key` may be used now; `undefined` when there is nothing usable. Counts as a use. */
  freshness(key: string, nowMs: number): Freshness | undefined {
    const entry = this.#find(key, nowMs)
    if (entry === undefined) return undefined
    if (nowMs < entry.freshUntilMs) return 'fresh'
    return nowMs < entry.staleUntilMs ? 'stale' : 'if-error'
  }

  /** The stored answer, however old it is within its lifetimes. Ask `freshness` first. */
  get(key: string, nowMs: number): Cached<Value> | undefined {
    return this.#find(key, nowMs)
  }

  /** Keeps an answer of `bytes`. False when it is too large or has no lifetime at all: an older one is dropped then. */
  set(key: string, value: Value, bytes: number, lifetime: Lifetime, nowMs: number): boolean {
    // Fetched again: somebody asked for it twice, even if nothing was ever served from here.
    const known = this.delete(key)
    const freshUntilMs = nowMs + lifetime.freshMs
    const staleUntilMs = freshUntilMs + lifetime.staleWhileRevalidateMs
    const errorUntilMs = Math.max(staleUntilMs, freshUntilMs + lifetime.staleIfErrorMs)
    const total = bytes + 2 * key.length + OVERHEAD_BYTES
    if (!(total <= this.#maxEntryBytes)) {
      this.oversized++
      return false
    }
    if (!(errorUntilMs > nowMs)) return false
    const times = { storedMs: nowMs, freshUntilMs, staleUntilMs, errorUntilMs }
    const entry: Entry<Value> = { key, value, bytes: total, ...times }
    this.#bytes += total
    if (known) this.#protect(entry)
    else this.#probation.set(key, entry)
    this.#shrink(nowMs)
    return true
  }

  delete(key: string): boolean {
    const entry = this.#probation.get(key) ?? this.#protected.get(key)
    if (entry === undefined) return false
    this.#drop(entry)
    return true
  }

  #find(key: string, nowMs: number): Entry<Value> | undefined {
    const entry = this.#probation.get(key) ?? this.#protected.get(key)
    if (entry === undefined) return undefined
    if (nowMs >= entry.errorUntilMs) {
      this.#drop(entry)
      return undefined
    }
    this.#touch(entry)
    return entry
  }

  #touch(entry: Entry<Value>): void {
    if (this.#probation.delete(entry.key)) {
      this.#protect(entry)
      return
    }
    this.#protected.delete(entry.key)
    this.#protected.set(entry.key, entry)
  }

  #protect(entry: Entry<Value>): void {
    this.#protected.set(entry.key, entry)
    this.#protectedBytes += entry.bytes
    // What falls out of the protected part gets a second chance as the newest on probation.
    for (const [key, oldest] of this.#protected) {
      if (this.#protected.size <= this.#maxEntries * 0.8 && this.#protectedBytes <= this.#maxBytes * 0.8)
        return
      if (oldest === entry) return
      this.#protected.delete(key)
      this.#protectedBytes -= oldest.bytes
      this.#probation.set(key, oldest)
    }
  }

  #shrink(nowMs: number): void {
    while (this.size > this.#maxEntries || this.#bytes > this.#maxBytes) {
      const segment = this.#probation.size > 0 ? this.#probation : this.#protected
      const oldest = segment.values().next().value
      if (oldest === undefined) return
      if (nowMs < oldest.errorUntilMs) this.evictions++
      this.#drop(oldest)
    }
  }

  #drop(entry: Entry<Value>): void {
    this.#bytes -= entry.bytes
    if (this.#probation.delete(entry.key)) return
    this.#protected.delete(entry.key)
    this.#protectedBytes -= entry.bytes
  }
}
