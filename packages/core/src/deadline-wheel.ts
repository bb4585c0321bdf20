import { errors } from './errors.ts'

/**
 * What can stand in a wheel. An object that is made for every request and has one deadline extends this and is its own
 * entry, which saves two objects; everybody else holds a `Deadline`.
 */
export abstract class WheelEntry {
  /** Monotonic milliseconds; `Infinity` while disarmed. Read only. */
  atMs: number = Infinity
  /** @internal */ previous: WheelEntry | undefined = undefined
  /** @internal */ next: WheelEntry | undefined = undefined
  /** @internal */ slot: number = -1

  /** Its time has come. It is disarmed already, and may be armed again. */
  abstract onExpire(nowMs: number): void
}

/**
 * One thing that must happen by some time. Allocate it once with its owner (a connection, a timer) and
 * re-arm it as often as you like: arming costs a few field writes and no allocation.
 */
export class Deadline extends WheelEntry {
  readonly #task: (nowMs: number) => void

  constructor(task: (nowMs: number) => void) {
    super()
    this.#task = task
  }

  override onExpire(nowMs: number): void {
    this.#task(nowMs)
  }
}

export interface DeadlineWheelOptions {
  /** Width of a slot: how late an expiry may be noticed. Milliseconds, above 0. Default 8. */
  readonly slotMs?: number
  /** A power of two, 2 or more. Default 1024, so one turn of the wheel is about 8 s; later deadlines stay in their slot for more turns. */
  readonly slots?: number
}

/**
 * A hashed timing wheel (Varghese and Lauck, 1987): every timeout of a process in one structure, moved by one
 * timer. Arm and disarm are O(1). Pushing an armed deadline *later* only writes its time: it moves when its slot comes up.
 * Deadlines that are far off share a few slots until they are near, so that whoever holds many of them sleeps in between.
 *
 * @throws `BW_CORE_OPTIONS_INVALID` at construction when an option is out of its range.
 */
export class DeadlineWheel {
  readonly slotMs: number
  readonly #slots: (WheelEntry | undefined)[]
  readonly #mask: number
  /** Every so many slots there is one for what is further off than that. */
  readonly #stride: number
  #tick: number
  #size = 0

  constructor(nowMs: number, options: DeadlineWheelOptions = {}) {
    const slots = options.slots ?? 1024
    this.slotMs = options.slotMs ?? 8
    if (!(slots >= 2) || (slots & (slots - 1)) !== 0)
      throw errors.BW_CORE_OPTIONS_INVALID(`slots must be a power of two, 2 or more, got ${slots}`)
    if (!(this.slotMs > 0)) throw errors.BW_CORE_OPTIONS_INVALID(`slotMs must be above 0, got ${this.slotMs}`)
    this.#slots = Array.from({ length: slots }, () => undefined)
    this.#mask = slots - 1
    this.#stride = Math.max(1, slots >> 3)
    this.#tick = Math.floor(nowMs / this.slotMs)
  }

  /** Armed deadlines. */
  get size(): number {
    return this.#size
  }

  /** Sets an entry to expire at `atMs`, wherever it stood before. `Infinity` disarms it. */
  arm(deadline: WheelEntry, atMs: number): void {
    if (deadline.slot >= 0) {
      if (atMs >= deadline.atMs && atMs !== Infinity) {
        deadline.atMs = atMs
        return
      }
      this.#unlink(deadline)
    }
    deadline.atMs = atMs
    if (atMs !== Infinity) this.#link(deadline)
  }

  disarm(deadline: WheelEntry): void {
    if (deadline.slot >= 0) this.#unlink(deadline)
    deadline.atMs = Infinity
  }

  /** Calls `onExpire` of everything that was due by `nowMs`. A callback may arm and disarm freely. */
  advance(nowMs: number): void {
    const target = Math.floor(nowMs / this.slotMs)
    const first = Math.max(this.#tick, target - this.#mask)
    this.#tick = target
    for (let tick = first; tick <= target && this.#size > 0; tick++) this.#expire(tick & this.#mask, nowMs)
  }

  /**
   * When `advance` is worth calling next, or `Infinity`: then whatever was due at first is due, and no later than one slot. What
   * is armed after this was asked may be due before.
   */
  nextLookMs(): number {
    if (this.#size === 0) return Infinity
    let tick = this.#tick
    while (this.#slots[tick & this.#mask] === undefined) tick++
    return (tick + 1) * this.slotMs
  }

  /** The earliest time at which a deadline is due, or `Infinity`. Scans all of them: for simulated drivers. */
  nextDueMs(): number {
    let earliest = Infinity
    for (const head of this.#slots) {
      for (let entry = head; entry !== undefined; entry = entry.next)
        earliest = Math.min(earliest, entry.atMs)
    }
    return earliest
  }

  #expire(slot: number, nowMs: number): void {
    let entry = this.#slots[slot]
    let due: WheelEntry[] | undefined
    while (entry !== undefined) {
      const { next } = entry
      if (entry.atMs <= nowMs) (due ??= []).push(entry)
      else if (this.#slotOf(entry.atMs) !== slot) {
        this.#unlink(entry)
        this.#link(entry)
      }
      entry = next
    }
    if (due === undefined) return
    for (const deadline of due) {
      // A callback before this one may have disarmed or postponed it.
      if (deadline.slot < 0 || deadline.atMs > nowMs) continue
      this.disarm(deadline)
      deadline.onExpire(nowMs)
    }
  }

  #slotOf(atMs: number): number {
    const tick = Math.max(Math.floor(atMs / this.slotMs), this.#tick)
    if (tick - this.#tick <= this.#stride) return tick & this.#mask
    // Looked at before it is due, and at the latest when the wheel has gone round once.
    const look = Math.min(tick, this.#tick + this.#mask)
    return (look - (look % this.#stride)) & this.#mask
  }

  #link(deadline: WheelEntry): void {
    const slot = this.#slotOf(deadline.atMs)
    const head = this.#slots[slot]
    deadline.slot = slot
    deadline.previous = undefined
    deadline.next = head
    if (head !== undefined) head.previous = deadline
    this.#slots[slot] = deadline
    this.#size++
  }

  #unlink(deadline: WheelEntry): void {
    const { previous, next } = deadline
    if (previous === undefined) this.#slots[deadline.slot] = next
    else previous.next = next
    if (next !== undefined) next.previous = previous
    deadline.previous = undefined
    deadline.next = undefined
    deadline.slot = -1
    this.#size--
  }
}
