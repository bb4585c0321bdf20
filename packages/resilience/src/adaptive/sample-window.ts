/** Latencies kept of one window. More than this adds cost, not knowledge. */
const KEPT = 128

/** What one measuring window of an adaptive limit saw. Fixed memory; recording costs a few field writes. */
export class SampleWindow {
  readonly #kept = new Float64Array(KEPT)
  #count = 0
  #stride = 1
  #inflightSum = 0
  startedMs: number
  /** Highest number in flight, counted at every start. */
  peakInflight = 0
  /** Whether somebody was turned away, or would have been. */
  limited = false
  dropped = 0

  constructor(nowMs: number) {
    this.startedMs = nowMs
  }

  get samples(): number {
    return this.#count
  }

  restart(nowMs: number): void {
    this.startedMs = nowMs
    this.#count = 0
    this.#stride = 1
    this.#inflightSum = 0
    this.peakInflight = 0
    this.limited = false
    this.dropped = 0
  }

  add(latencyMs: number, inflight: number): void {
    // Past the first 128 every k-th sample replaces an older one, so a busy window is not judged by its first moments.
    if (this.#count % this.#stride === 0) this.#kept[(this.#count / this.#stride) % KEPT] = latencyMs
    this.#count++
    if (this.#count === KEPT * this.#stride) this.#stride *= 2
    this.#inflightSum += inflight
  }

  /** Mean number in flight, as seen at the ends of requests. */
  get meanInflight(): number {
    return this.#count === 0 ? 0 : this.#inflightSum / this.#count
  }

  /**
   * The mean of the middle half of the latencies: as steady as a mean against luck, as deaf as a median to one request
   * that hung. Sorts up to 128 numbers; called once a window.
   */
  latencyMs(): number {
    const count = Math.min(this.#count, KEPT)
    if (count === 0) return 0
    const sorted = this.#kept.subarray(0, count).sort()
    const first = count >> 2
    const last = count - first
    let sum = 0
    for (let index = first; index < last; index++) sum += sorted[index] as number
    return sum / (last - first)
  }
}
