import type { Clock } from '@breakwater/core'
import type { Outlet, Turns } from './transport.ts'

/** Sizes of shared write buffers. A slow reader keeps one, so small writes must not take a large one along. */
const SCRATCH_BYTES = [4_096, 32_768, 163_840] as const

/**
 * Turns that begin closer to each other than this are a burst: their short writes wait for the end of the burst and leave one
 * after the other. Reading and deciding, and then sending, each stay in the processor's caches: about a tenth less time for each
 * request of a busy process. An idle one answers at once. Milliseconds.
 */
const BURST_GAP_MS = 0.2
/** So many writes wait at most: bounds what the first of them waits for. */
const MAX_HELD = 32

/**
 * Turns of the net driver: the clock is read once in each, and everything written in one leaves at its end, or at the end of
 * its burst. @internal
 */
export class NetTurns implements Turns {
  /** A number from the first: a field that begins as undefined costs an object for every time that is stored in it later. */
  nowMs: number = 0
  readonly #now: () => number
  readonly #afterReads: (task: () => void) => void
  #depth = 0
  /** The first `#markedCount` have something to flush. Never shortened: setting the length of an array leaves compiled code. */
  readonly #marked: (Outlet | undefined)[] = []
  #markedCount = 0
  #held: Outlet[] = []
  #lastMs = -Infinity
  #scheduled = false
  readonly #scratch: (Buffer | undefined)[] = SCRATCH_BYTES.map(() => undefined)

  /** `afterReads` runs a task when the sockets that can be read now have been read. */
  constructor(
    now: () => number = () => performance.now(),
    afterReads: (task: () => void) => void = setImmediate,
  ) {
    this.#now = now
    this.#afterReads = afterReads
    this.nowMs = now()
  }

  /** Inside a turn the time at which it began, outside the real one. */
  readonly clock: Clock = {
    now: () => (this.#depth > 0 ? this.nowMs : this.#now()),
    schedule: (delayMs, task) => {
      const handle = setTimeout(() => this.run(task), delayMs)
      return { cancel: () => clearTimeout(handle) }
    },
  }

  begin(): void {
    if (this.#depth++ === 0) this.nowMs = this.#now()
  }

  finish(): void {
    if (--this.#depth > 0 || this.#markedCount === 0) return
    const isBurst = this.nowMs - this.#lastMs < BURST_GAP_MS
    this.#lastMs = this.nowMs
    if (isBurst) this.#hold()
    else this.#flush()
  }

  run(task: (nowMs: number) => void): void {
    this.begin()
    try {
      task(this.nowMs)
    } finally {
      this.finish()
    }
  }

  mark(outlet: Outlet): void {
    this.#marked[this.#markedCount++] = outlet
    if (this.#depth > 0 || this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      if (this.#depth === 0) this.#flush()
    })
  }

  scratch(bytes: number): Buffer {
    const size = sizeClass(bytes)
    if (size < 0) return Buffer.allocUnsafeSlow(bytes)
    return (this.#scratch[size] ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES[size] ?? bytes))
  }

  giveAwayScratch(bytes: number): void {
    const size = sizeClass(bytes)
    if (size >= 0) this.#scratch[size] = undefined
  }

  #hold(): void {
    const marked = this.#marked
    const count = this.#markedCount
    this.#markedCount = 0
    for (let at = 0; at < count; at++) {
      const outlet = marked[at] as Outlet
      marked[at] = undefined
      if (!outlet.seal()) outlet.flush()
      else if (this.#held.push(outlet) === 1) this.#afterReads(this.#release)
    }
    if (this.#held.length >= MAX_HELD) this.#release()
  }

  readonly #release = (): void => {
    const held = this.#held
    this.#held = []
    for (const outlet of held) outlet.flush()
  }

  #flush(): void {
    const marked = this.#marked
    const count = this.#markedCount
    this.#markedCount = 0
    // Flushing calls no handler, so nothing is marked meanwhile.
    for (let at = 0; at < count; at++) {
      marked[at]?.flush()
      marked[at] = undefined
    }
  }
}

function sizeClass(bytes: number): number {
  return SCRATCH_BYTES.findIndex((size) => bytes <= size)
}
