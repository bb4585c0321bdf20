import type { Clock, Timer } from './clock.ts'
import { MinHeap } from './min-heap.ts'

interface Task {
  readonly atMs: number
  readonly order: number
  run: (() => void) | undefined
}

/** Microtask rounds given to promise chains between two timers of `advance`. */
const SETTLE_ROUNDS = 24

/**
 * Time that moves only when told to. Tasks run in order of their due time, ties in order of scheduling,
 * so a run is the same every time.
 */
export class VirtualClock implements Clock {
  readonly #tasks = new MinHeap<Task>((a, b) => a.atMs - b.atMs || a.order - b.order)
  #nowMs: number
  #order = 0

  constructor(startMs = 0) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  schedule(delayMs: number, task: () => void): Timer {
    const entry: Task = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run: task }
    this.#tasks.push(entry)
    return { cancel: () => (entry.run = undefined) }
  }

  /** When the next task is due, or `Infinity` when none is. */
  nextDueMs(): number {
    for (let next = this.#tasks.peek(); next !== undefined; next = this.#tasks.peek()) {
      if (next.run !== undefined) return next.atMs
      this.#tasks.pop()
    }
    return Infinity
  }

  /** Runs everything due up to `untilMs` and leaves the clock there. For worlds without promises: nothing is awaited. */
  runUntil(untilMs: number): void {
    while (this.nextDueMs() <= untilMs) this.#runNext()
    this.#nowMs = Math.max(this.#nowMs, untilMs)
  }

  /** Moves time on by `deltaMs`, letting promise chains settle before, between and after the tasks that fall due. */
  async advance(deltaMs: number): Promise<void> {
    const untilMs = this.#nowMs + deltaMs
    await settle()
    while (this.nextDueMs() <= untilMs) {
      this.#runNext()
      await settle()
    }
    this.#nowMs = untilMs
    await settle()
  }

  #runNext(): void {
    const task = this.#tasks.pop()
    if (task === undefined) return
    this.#nowMs = Math.max(this.#nowMs, task.atMs)
    const { run } = task
    task.run = undefined
    run?.()
  }
}

async function settle(): Promise<void> {
  for (let round = 0; round < SETTLE_ROUNDS; round++) await Promise.resolve()
}
