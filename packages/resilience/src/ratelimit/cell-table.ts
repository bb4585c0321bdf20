import { seededHash } from '../internal/hash.ts'

/** Slots looked at for a spent cell on each new key while the table is full. */
const SWEEP_STEPS = 8

/**
 * One number per key in bounded memory, for GCRA. A cell whose time has passed says exactly what an absent one says, so
 * it is reclaimed without loss; a cell still in use is never thrown out for a newcomer. When all cells are in use,
 * newcomers share a few overflow cells, picked by a seeded hash: they are limited together, and nobody can wash his
 * own slate clean by flooding the table.
 */
export class CellTable {
  readonly #slotOf = new Map<string, number>()
  readonly #keys: (string | undefined)[] = []
  readonly #times: Float64Array
  readonly #free: number[] = []
  readonly #maxKeys: number
  readonly #maxKeyLength: number
  readonly #overflowMask: number
  readonly #seed: number
  #hand = 0
  /** Decisions that fell to a shared overflow cell. A flood of keys shows here. */
  overflows = 0

  constructor(maxKeys: number, maxKeyLength: number, overflowCells: number, seed: number) {
    this.#maxKeys = maxKeys
    this.#maxKeyLength = maxKeyLength
    this.#overflowMask = overflowCells - 1
    this.#seed = seed
    this.#times = new Float64Array(maxKeys + overflowCells).fill(-Infinity)
  }

  /** Keys with a cell of their own. */
  get size(): number {
    return this.#slotOf.size
  }

  /** The cell of `key`, or -1 when it has none: then it is as good as new. */
  find(key: string): number {
    return this.#slotOf.get(this.#bounded(key)) ?? -1
  }

  /** The cell of `key`, found or made. */
  claim(key: string, nowMs: number): number {
    const bounded = this.#bounded(key)
    const known = this.#slotOf.get(bounded)
    if (known !== undefined) return known
    const slot = this.#vacant(nowMs)
    if (slot < 0) {
      this.overflows++
      return this.#maxKeys + (seededHash(bounded, this.#seed) & this.#overflowMask)
    }
    const own = detached(bounded)
    this.#keys[slot] = own
    this.#times[slot] = -Infinity
    this.#slotOf.set(own, slot)
    return slot
  }

  timeOf(slot: number): number {
    return this.#times[slot] as number
  }

  setTime(slot: number, atMs: number): void {
    this.#times[slot] = atMs
  }

  /** Frees every spent cell. O(keys); for quiet moments and for tests, correctness does not need it. */
  sweep(nowMs: number): void {
    for (let slot = 0; slot < this.#keys.length; slot++) this.#reclaim(slot, nowMs)
  }

  #vacant(nowMs: number): number {
    const freed = this.#free.pop()
    if (freed !== undefined) return freed
    const used = this.#keys.length
    if (used < this.#maxKeys) {
      this.#keys.push(undefined)
      return used
    }
    for (let step = 0; step < SWEEP_STEPS && step < used; step++) {
      this.#hand = this.#hand + 1 < used ? this.#hand + 1 : 0
      this.#reclaim(this.#hand, nowMs)
    }
    return this.#free.pop() ?? -1
  }

  #reclaim(slot: number, nowMs: number): void {
    const key = this.#keys[slot]
    if (key === undefined || (this.#times[slot] as number) > nowMs) return
    this.#slotOf.delete(key)
    this.#keys[slot] = undefined
    this.#free.push(slot)
  }

  #bounded(key: string): string {
    if (key.length <= this.#maxKeyLength) return key
    const seed = this.#seed
    return `${key.slice(0, 16)}#${key.length}#${seededHash(key, seed)}#${seededHash(key, ~seed)}`
  }
}

/**
 * A copy of its own of `key`: one cut out of a request head would keep the whole head alive. Property names are stored
 * flat, which a plain concatenation is not, and comparing flat strings is what makes the lookup quick.
 */
function detached(key: string): string {
  return Object.keys({ [key]: 0 })[0] ?? key
}
