const KINDS = 3

/**
 * Counts of the last `windowMs` in `buckets` steps: calls, failures, slow calls. Recording costs a few array writes and
 * allocates nothing; a window nobody touched for a while empties itself on the next touch.
 */
export class RollingWindow {
  readonly #bucketMs: number
  readonly #buckets: number
  readonly #counts: Int32Array
  #calls = 0
  #failures = 0
  #slow = 0
  #tick = -1

  constructor(windowMs: number, buckets: number) {
    this.#bucketMs = windowMs / buckets
    this.#buckets = buckets
    this.#counts = new Int32Array(buckets * KINDS)
  }

  get calls(): number {
    return this.#calls
  }

  get failures(): number {
    return this.#failures
  }

  get slow(): number {
    return this.#slow
  }

  record(failed: boolean, slow: boolean, nowMs: number): void {
    this.advance(nowMs)
    const counts = this.#counts
    const base = (this.#tick % this.#buckets) * KINDS
    counts[base] = (counts[base] as number) + 1
    this.#calls++
    if (failed) {
      counts[base + 1] = (counts[base + 1] as number) + 1
      this.#failures++
    }
    if (slow) {
      counts[base + 2] = (counts[base + 2] as number) + 1
      this.#slow++
    }
  }

  /** Drops what is older than the window. A time before the last one changes nothing. */
  advance(nowMs: number): void {
    const tick = Math.floor(nowMs / this.#bucketMs)
    if (tick <= this.#tick) return
    if (this.#tick < 0 || tick - this.#tick >= this.#buckets) this.clear()
    else for (let passed = this.#tick + 1; passed <= tick; passed++) this.#empty(passed % this.#buckets)
    this.#tick = tick
  }

  clear(): void {
    this.#counts.fill(0)
    this.#calls = 0
    this.#failures = 0
    this.#slow = 0
  }

  #empty(bucket: number): void {
    const counts = this.#counts
    const base = bucket * KINDS
    this.#calls -= counts[base] as number
    this.#failures -= counts[base + 1] as number
    this.#slow -= counts[base + 2] as number
    counts[base] = 0
    counts[base + 1] = 0
    counts[base + 2] = 0
  }
}
