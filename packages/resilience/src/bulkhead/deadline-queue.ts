/**
 * A place in a bulkhead's queue. Make one per owner (an exchange, a connection) and enqueue it as often as needed.
 * `onDecided` runs once for each successful `enqueue` that is not cancelled: with `true` the slot is held and must be
 * released; with `false` its time passed in the queue.
 */
export class BulkheadTicket {
  readonly onDecided: (isAdmitted: boolean, nowMs: number) => void
  /** @internal */ untilMs: number = Infinity
  /** @internal */ order: number = 0
  /** @internal */ index: number = -1

  constructor(onDecided: (isAdmitted: boolean, nowMs: number) => void) {
    this.onDecided = onDecided
  }

  get isQueued(): boolean {
    return this.index >= 0
  }
}

/** A binary heap by deadline, ties in order of arrival; each ticket knows its place, so removal costs O(log n). */
export class DeadlineQueue {
  readonly #items: BulkheadTicket[] = []
  #arrivals = 0

  get size(): number {
    return this.#items.length
  }

  peek(): BulkheadTicket | undefined {
    return this.#items[0]
  }

  push(ticket: BulkheadTicket, untilMs: number): void {
    ticket.untilMs = untilMs
    ticket.order = this.#arrivals++
    this.#items.push(ticket)
    this.#rise(this.#items.length - 1, ticket)
  }

  remove(ticket: BulkheadTicket): boolean {
    const { index } = ticket
    if (index < 0 || this.#items[index] !== ticket) return false
    ticket.index = -1
    const last = this.#items.pop() as BulkheadTicket
    if (last === ticket) return true
    this.#rise(index, last)
    this.#sink(last.index, last)
    return true
  }

  #rise(from: number, ticket: BulkheadTicket): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = this.#items[parent] as BulkheadTicket
      if (!isBefore(ticket, above)) break
      this.#place(above, index)
      index = parent
    }
    this.#place(ticket, index)
  }

  #sink(from: number, ticket: BulkheadTicket): void {
    const items = this.#items
    let index = from
    for (let child = 2 * index + 1; child < items.length; child = 2 * index + 1) {
      const right = items[child + 1]
      if (right !== undefined && isBefore(right, items[child] as BulkheadTicket)) child++
      const below = items[child] as BulkheadTicket
      if (!isBefore(below, ticket)) break
      this.#place(below, index)
      index = child
    }
    this.#place(ticket, index)
  }

  #place(ticket: BulkheadTicket, index: number): void {
    this.#items[index] = ticket
    ticket.index = index
  }
}

function isBefore(a: BulkheadTicket, b: BulkheadTicket): boolean {
  return a.untilMs < b.untilMs || (a.untilMs === b.untilMs && a.order < b.order)
}
