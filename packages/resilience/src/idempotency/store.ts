import type { Result } from '@breakwater/core'
import { OptionCheck } from '../internal/option-check.ts'

export interface IdempotencyStoreOptions {
  /** How long an outcome is remembered after it was known. Milliseconds, above 0. Default 24 hours. */
  readonly ttlMs?: number
  /** A request that has neither completed nor been abandoned by then is taken for lost. Milliseconds, above 0. Default 5 minutes. */
  readonly inFlightTtlMs?: number
  /** Keys held, in flight and completed. A live one is never dropped for a new one. A whole number, 1 or more. Default 100 000. */
  readonly maxEntries?: number
  /** Keys one tenant may hold. A whole number, 1 or more. Default a tenth of `maxEntries`, at least 1. */
  readonly maxPerTenant?: number
  /** Decide and count, but let every request through. Default false. */
  readonly dark?: boolean
}

/** Expired entries dropped at each request. More than one, so that the store shrinks as fast as it grew. */
const DROPS_AT_ONCE = 8

/** What to do with a request that carries a key. */
export type IdempotencyDecision<Value> =
  | { readonly kind: 'first'; readonly claim: IdempotencyClaim }
  | { readonly kind: 'replay'; readonly outcome: Result<Value, unknown> }
  /** The first request with this key is still under way: wait with `onSettled`, or answer 409. */
  | { readonly kind: 'in-flight'; readonly entry: InFlight }
  /** The key came with a different request before: 422. */
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'full' }

/** The right to report the outcome of a request. Void once its lease has passed and another request took over. */
export interface IdempotencyClaim {
  readonly id: string
  readonly generation: number
}

export interface InFlight {
  readonly fingerprint: string
  readonly generation: number
  readonly leaseUntilMs: number
  readonly listeners: Set<() => void>
}

interface Completed<Value> {
  readonly fingerprint: string
  readonly tenant: string
  readonly outcome: Result<Value, unknown>
  readonly expiresAtMs: number
}

/**
 * Remembers the outcome of each request by tenant and key, so that a request sent twice has one effect. Synchronous and
 * bounded: when it is full of live keys, new ones are refused, never old ones forgotten. In memory: one process.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` at construction.
 */
export class IdempotencyStore<Value> {
  readonly dark: boolean
  readonly counters: Record<IdempotencyDecision<Value>['kind'] | 'leases-lost', number> = {
    first: 0,
    replay: 0,
    'in-flight': 0,
    mismatch: 0,
    full: 0,
    'leases-lost': 0,
  }
  readonly #ttlMs: number
  readonly #inFlightTtlMs: number
  readonly #maxEntries: number
  readonly #maxPerTenant: number
  readonly #inFlight = new Map<string, InFlight & { readonly tenant: string }>()
  /** In order of completion, and so of expiry. */
  readonly #completed = new Map<string, Completed<Value>>()
  readonly #held = new Map<string, number>()
  #generation = 0

  constructor(options: IdempotencyStoreOptions = {}) {
    const { ttlMs = 86_400_000, inFlightTtlMs = 300_000, maxEntries = 100_000, dark = false } = options
    const maxPerTenant = options.maxPerTenant ?? Math.max(1, Math.floor(maxEntries / 10))
    new OptionCheck('idempotency')
      .above0('ttlMs', ttlMs)
      .above0('inFlightTtlMs', inFlightTtlMs)
      .whole('maxEntries', maxEntries, 1)
      .whole('maxPerTenant', maxPerTenant, 1)
      .done()
    this.dark = dark
    this.#ttlMs = ttlMs
    this.#inFlightTtlMs = inFlightTtlMs
    this.#maxEntries = maxEntries
    this.#maxPerTenant = maxPerTenant
  }

  /** Keys held, in flight and completed. */
  get size(): number {
    return this.#inFlight.size + this.#completed.size
  }

  /** Judges a request. `fingerprint` stands for everything that makes it this request: method, path, body digest. */
  begin(tenant: string, key: string, fingerprint: string, nowMs: number): IdempotencyDecision<Value> {
    const decision = this.#decide(tenant, key, fingerprint, nowMs)
    this.counters[decision.kind]++
    return decision
  }

  /** The outcome is known: repeats get it from now on. Ignored when the claim is void. */
  complete(claim: IdempotencyClaim, outcome: Result<Value, unknown>, nowMs: number): void {
    const entry = this.#claimed(claim)
    if (entry === undefined) return
    this.#inFlight.delete(claim.id)
    const { fingerprint, tenant } = entry
    this.#completed.set(claim.id, { fingerprint, tenant, outcome, expiresAtMs: nowMs + this.#ttlMs })
    for (const listener of entry.listeners) listener()
  }

  /** The request surely had no effect: the next one with this key is a first one again. */
  abandon(claim: IdempotencyClaim): void {
    const entry = this.#claimed(claim)
    if (entry === undefined) return
    this.#inFlight.delete(claim.id)
    this.#letGo(entry.tenant)
    for (const listener of entry.listeners) listener()
  }

  #decide(tenant: string, key: string, fingerprint: string, nowMs: number): IdempotencyDecision<Value> {
    this.#dropExpired(nowMs, DROPS_AT_ONCE)
    // The length keeps `a` + `b:c` and `a:b` + `c` apart.
    const id = `${tenant.length}:${tenant}:${key}`
    const done = this.#completed.get(id)
    if (done !== undefined && done.expiresAtMs > nowMs)
      return done.fingerprint === fingerprint
        ? { kind: 'replay', outcome: done.outcome }
        : { kind: 'mismatch' }
    const entry = this.#inFlight.get(id)
    if (entry !== undefined) {
      if (entry.fingerprint !== fingerprint) return { kind: 'mismatch' }
      if (entry.leaseUntilMs > nowMs) return { kind: 'in-flight', entry }
      this.counters['leases-lost']++
      return this.#claim(id, tenant, fingerprint, nowMs, entry.listeners)
    }
    if (this.#isFull(tenant)) this.#dropExpired(nowMs, Infinity)
    if (this.#isFull(tenant)) return { kind: 'full' }
    if (done !== undefined) this.#forget(id, done)
    this.#held.set(tenant, (this.#held.get(tenant) ?? 0) + 1)
    return this.#claim(id, tenant, fingerprint, nowMs, new Set())
  }

  #claim(
    id: string,
    tenant: string,
    fingerprint: string,
    nowMs: number,
    listeners: Set<() => void>,
  ): IdempotencyDecision<Value> {
    const generation = ++this.#generation
    const leaseUntilMs = nowMs + this.#inFlightTtlMs
    this.#inFlight.delete(id)
    this.#inFlight.set(id, { fingerprint, tenant, generation, leaseUntilMs, listeners })
    return { kind: 'first', claim: { id, generation } }
  }

  #claimed(claim: IdempotencyClaim): (InFlight & { readonly tenant: string }) | undefined {
    const entry = this.#inFlight.get(claim.id)
    return entry?.generation === claim.generation ? entry : undefined
  }

  #isFull(tenant: string): boolean {
    return this.size >= this.#maxEntries || (this.#held.get(tenant) ?? 0) >= this.#maxPerTenant
  }

  /** At most `limit` of each kind: a request must not pay for the burst of yesterday. */
  #dropExpired(nowMs: number, limit: number): void {
    let left = limit
    for (const [id, entry] of this.#completed) {
      if (entry.expiresAtMs > nowMs || left-- <= 0) break
      this.#forget(id, entry)
    }
    left = limit
    for (const [id, entry] of this.#inFlight) {
      if (entry.leaseUntilMs > nowMs || entry.listeners.size > 0 || left-- <= 0) break
      this.#inFlight.delete(id)
      this.#letGo(entry.tenant)
      this.counters['leases-lost']++
    }
  }

  #forget(id: string, entry: Completed<Value>): void {
    if (this.#completed.delete(id)) this.#letGo(entry.tenant)
  }

  #letGo(tenant: string): void {
    const held = (this.#held.get(tenant) ?? 1) - 1
    if (held > 0) this.#held.set(tenant, held)
    else this.#held.delete(tenant)
  }
}
