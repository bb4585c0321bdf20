/**
 * One request waiting for its turn. Its owner allocates it (usually it *is* part of the exchange) and sets the public
 * fields before `offer`; the links belong to the queue.
 */
export class Waiter {
  /** 0 is the most important. Whole number below `priorities`. */
  priority = 2
  /** Whose fair share this uses: any 32-bit number, see `LoadShedder.tenantOf`. */
  tenant = 0
  /** When the answer stops being useful. Monotonic milliseconds; `Infinity`: never. */
  deadlineMs: number = Infinity
  /** Set by the queue on entry. Monotonic milliseconds. */
  enqueuedMs = 0
  /** @internal */ flow: Flow | undefined
  /** @internal */ older: Waiter | undefined
  /** @internal */ newer: Waiter | undefined

  /** Whether it stands in a queue now. */
  get waiting(): boolean {
    return this.flow !== undefined
  }
}

/** The waiters of one tenant bucket within one priority, by age. Linked both ways: every operation is O(1). */
export class Flow {
  readonly priority: number
  oldest: Waiter | undefined
  newest: Waiter | undefined
  size = 0
  /** Neighbours in the ring of flows that have somebody waiting. */
  previous: Flow | undefined
  next: Flow | undefined

  constructor(priority: number) {
    this.priority = priority
  }

  append(waiter: Waiter): void {
    waiter.flow = this
    waiter.older = this.newest
    if (this.newest === undefined) this.oldest = waiter
    else this.newest.newer = waiter
    this.newest = waiter
    this.size++
  }

  remove(waiter: Waiter): void {
    const { older, newer } = waiter
    if (older === undefined) this.oldest = newer
    else older.newer = newer
    if (newer === undefined) this.newest = older
    else newer.older = older
    waiter.flow = undefined
    waiter.older = undefined
    waiter.newer = undefined
    this.size--
  }
}
