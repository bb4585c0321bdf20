import { DeadlineWheel } from '@breakwater/core'
import type { Clock, Deadline } from '@breakwater/core'
import type { NetTransport, Turns } from './transport.ts'

const SCRATCH_BYTES = 262_144

/** Turns of the net driver: the clock is read once in each, and everything written in one leaves at its end. @internal */
export class NetTurns implements Turns {
  nowMs: number = performance.now()
  #depth = 0
  #marked: NetTransport[] = []
  #scheduled = false
  #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)

  /** Inside a turn the time at which it began, outside the real one. */
  readonly clock: Clock = {
    now: () => (this.#depth > 0 ? this.nowMs : performance.now()),
    schedule: (delayMs, task) => {
      const handle = setTimeout(() => this.run(task), delayMs)
      return { cancel: () => clearTimeout(handle) }
    },
  }

  begin(): void {
    if (this.#depth++ === 0) this.nowMs = performance.now()
  }

  finish(): void {
    if (--this.#depth === 0 && this.#marked.length > 0) this.#flush()
  }

  run(task: (nowMs: number) => void): void {
    this.begin()
    try {
      task(this.nowMs)
    } finally {
      this.finish()
    }
  }

  mark(transport: NetTransport): void {
    this.#marked.push(transport)
    if (this.#depth > 0 || this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      if (this.#depth === 0) this.#flush()
    })
  }

  scratch(bytes: number): Buffer {
    return bytes <= SCRATCH_BYTES ? this.#scratch : Buffer.allocUnsafeSlow(bytes)
  }

  giveAwayScratch(): void {
    this.#scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  }

  #flush(): void {
    const marked = this.#marked
    // Flushing calls no handler, so nothing is marked meanwhile.
    for (let at = 0; at < marked.length; at++) marked[at]?.flush()
    marked.length = 0
  }
}

/** A wheel that starts its own timer when something is armed, and stops it when nothing is. @internal */
export class TickingWheel extends DeadlineWheel {
  readonly #turns: NetTurns
  #timer: NodeJS.Timeout | undefined

  constructor(turns: NetTurns) {
    super(turns.clock.now())
    this.#turns = turns
  }

  override arm(deadline: Deadline, atMs: number): void {
    super.arm(deadline, atMs)
    if (this.#timer === undefined && this.size > 0) this.#start()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #start(): void {
    // Sockets keep a process alive; their time-outs need not.
    this.#timer = setInterval(() => this.#tick(), this.slotMs).unref()
  }

  #tick(): void {
    this.#turns.run((nowMs) => this.advance(nowMs))
    if (this.size === 0) this.stop()
  }
}
