import { Flow } from './waiter.ts'
import type { Waiter } from './waiter.ts'

/** One priority: its tenant buckets, and a ring of those that have somebody waiting. */
class Level {
  readonly flows: Flow[]
  cursor: Flow | undefined
  active = 0
  size = 0

  constructor(priority: number, buckets: number) {
    this.flows = Array.from({ length: buckets }, () => new Flow(priority))
  }
}

/**
 * A queue by priority, then round robin over tenants (stochastic fairness queueing, McKenney 1990), then by age.
 * A tenant with a thousand waiting gets the same turn as a tenant with one. All memory for the structure is allocated
 * at construction; waiters bring their own links.
 */
export class FairQueue {
  readonly #levels: Level[]
  readonly #bucketMask: number
  #size = 0

  constructor(priorities: number, buckets: number) {
    this.#levels = Array.from({ length: priorities }, (_, priority) => new Level(priority, buckets))
    this.#bucketMask = buckets - 1
  }

  get size(): number {
    return this.#size
  }

  /** Waiters with this priority or a more important one. */
  sizeUpTo(priority: number): number {
    let size = 0
    for (let level = 0; level <= priority; level++) size += this.#at(level).size
    return size
  }

  sizeOf(priority: number): number {
    return this.#at(priority).size
  }

  /** Whether this tenant already holds at least an equal share of the places of its priority. */
  holdsItsShare(priority: number, tenant: number): boolean {
    const level = this.#at(priority)
    const flow = level.flows[tenant & this.#bucketMask] as Flow
    return flow.size * Math.max(1, level.active) >= level.size && flow.size > 0
  }

  push(waiter: Waiter): void {
    const level = this.#at(waiter.priority)
    const flow = level.flows[waiter.tenant & this.#bucketMask] as Flow
    if (flow.size === 0) this.#enterRing(level, flow)
    flow.append(waiter)
    level.size++
    this.#size++
  }

  remove(waiter: Waiter): boolean {
    const { flow } = waiter
    if (flow === undefined) return false
    const level = this.#at(flow.priority)
    flow.remove(waiter)
    level.size--
    this.#size--
    if (flow.size === 0) this.#leaveRing(level, flow)
    return true
  }

  /** The flow whose turn it is: most important priority, next tenant. It has at least one waiter. */
  turn(): Flow | undefined {
    for (const level of this.#levels) if (level.cursor !== undefined) return level.cursor
    return undefined
  }

  /** Ends the turn of `flow`. */
  pass(flow: Flow): void {
    const level = this.#at(flow.priority)
    if (level.cursor === flow) level.cursor = flow.next
  }

  /** The newest waiter of the least important priority below `priority` (numerically above it), still in the queue. */
  leastImportantBelow(priority: number): Waiter | undefined {
    for (let index = this.#levels.length - 1; index > priority; index--) {
      const flow = this.#at(index).cursor
      if (flow !== undefined) return flow.newest
    }
    return undefined
  }

  /** The newest waiter of a tenant that holds more than an equal share and more than `tenant`. Looks at few flows. */
  overShare(priority: number, tenant: number): Waiter | undefined {
    const level = this.#at(priority)
    const own = (level.flows[tenant & this.#bucketMask] as Flow).size
    const sharers = own === 0 ? level.active + 1 : level.active
    let flow = level.cursor
    for (let looked = 0; flow !== undefined && looked < level.active; looked++) {
      if (flow.size * sharers > level.size && flow.size > own + 1) return flow.newest
      flow = flow.next
    }
    return undefined
  }

  #at(priority: number): Level {
    return this.#levels[priority] as Level
  }

  #enterRing(level: Level, flow: Flow): void {
    const { cursor } = level
    level.active++
    if (cursor === undefined) {
      flow.next = flow
      flow.previous = flow
      level.cursor = flow
      return
    }
    // Just behind the cursor: last in turn.
    const last = cursor.previous as Flow
    flow.next = cursor
    flow.previous = last
    last.next = flow
    cursor.previous = flow
  }

  #leaveRing(level: Level, flow: Flow): void {
    const { previous, next } = flow
    level.active--
    flow.previous = undefined
    flow.next = undefined
    if (level.active === 0) {
      level.cursor = undefined
      return
    }
    ;(previous as Flow).next = next
    ;(next as Flow).previous = previous
    if (level.cursor === flow) level.cursor = next
  }
}
