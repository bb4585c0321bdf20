import { errors } from './errors.ts'

export interface ExpiringMapOptions {
  /** Entries kept at the most; the least recently used goes first. 1 or more. */
  readonly maxEntries: number
  /** How long an untouched entry lives. Milliseconds, above 0. Default: for ever (until evicted). */
  readonly ttlMs?: number
}

interface Entry<Value> {
  value: Value
  expiresAtMs: number
}

/**
 * A map that cannot grow without bound: least-recently-used eviction at `maxEntries`, expiry after `ttlMs` without
 * a touch. Expired entries are dropped when met, and two at a time on each `set`, so that no sweep timer is needed.
 *
 * @throws `BW_CORE_OPTIONS_INVALID` at construction when an option is out of its range.
 */
export class ExpiringMap<Key, Value> {
  readonly #entries = new Map<Key, Entry<Value>>()
  readonly #maxEntries: number
  readonly #ttlMs: number
  /** How many entries were pushed out by newer ones while still alive. A flood of keys shows here. */
  evictions: number = 0

  constructor(options: ExpiringMapOptions) {
    const { maxEntries, ttlMs = Infinity } = options
    if (!(maxEntries >= 1))
      throw errors.BW_CORE_OPTIONS_INVALID(`maxEntries must be 1 or more, got ${maxEntries}`)
    if (!(ttlMs > 0)) throw errors.BW_CORE_OPTIONS_INVALID(`ttlMs must be above 0, got ${ttlMs}`)
    this.#maxEntries = maxEntries
    this.#ttlMs = ttlMs
  }

  get size(): number {
    return this.#entries.size
  }

  /** The live value of `key`, which thereby becomes the most recently used and lives `ttlMs` longer. */
  get(key: Key, nowMs: number): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (entry.expiresAtMs <= nowMs) return undefined
    entry.expiresAtMs = nowMs + this.#ttlMs
    this.#entries.set(key, entry)
    return entry.value
  }

  /** As `get`, but changes neither order nor lifetime. */
  peek(key: Key, nowMs: number): Value | undefined {
    const entry = this.#entries.get(key)
    return entry === undefined || entry.expiresAtMs <= nowMs ? undefined : entry.value
  }

  set(key: Key, value: Value, nowMs: number): void {
    this.#entries.delete(key)
    this.#dropExpired(nowMs)
    if (this.#entries.size >= this.#maxEntries) this.#evictOldest()
    this.#entries.set(key, { value, expiresAtMs: nowMs + this.#ttlMs })
  }

  delete(key: Key): boolean {
    return this.#entries.delete(key)
  }

  *entries(nowMs: number): IterableIterator<[Key, Value]> {
    for (const [key, entry] of this.#entries) if (entry.expiresAtMs > nowMs) yield [key, entry.value]
  }

  #dropExpired(nowMs: number): void {
    let looked = 0
    for (const [key, entry] of this.#entries) {
      if (entry.expiresAtMs > nowMs || ++looked > 2) return
      this.#entries.delete(key)
    }
  }

  #evictOldest(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key)
      this.evictions++
      return
    }
  }
}
