import { OptionCheck } from '../internal/option-check.ts'
import { publish } from '../internal/events.ts'
import { DeadlineQueue } from './deadline-queue.ts'
import type { BulkheadTicket } from './deadline-queue.ts'

export interface BulkheadOptions {
  /** What the bulkhead protects; names it in events. One per dependency. Default ''. */
  readonly key?: string
  /** Calls under way at the same time. A whole number, 1 or more. */
  readonly maxConcurrent: number
  /** Calls that may wait for a slot. A whole number, 0 or more. Default 0. */
  readonly maxQueue?: number
  /** Longest wait for a slot. Milliseconds, above 0 and finite: nobody waits for ever. Default 1 000. */
  readonly maxWaitMs?: number
  /** Decide and count, but refuse and delay nobody. Default false. */
  readonly dark?: boolean
}

/**
 * Bounds the calls under way to one dependency, so that a slow one cannot use up what all share. Who finds no slot may
 * queue: the earliest deadline goes first, and whoever's time has passed is dropped instead of served. `maxWaitMs` caps
 * each deadline, so that a call without one is served or refused in time and never starves. A freed slot goes
 * straight to the queue: newcomers do not overtake.
 *
 * Synchronous, without timers: expired tickets leave at `release`, `enqueue` and `expire`.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` at construction.
 */
export class Bulkhead {
  readonly key: string
  readonly maxConcurrent: number
  readonly maxQueue: number
  readonly maxWaitMs: number
  dark: boolean
  readonly counters: {
    admitted: number
    refused: number
    expired: number
    cancelled: number
    wouldRefuse: number
  } = { admitted: 0, refused: 0, expired: 0, cancelled: 0, wouldRefuse: 0 }
  readonly #queue = new DeadlineQueue()
  #inFlight = 0

  constructor(options: BulkheadOptions) {
    const { key = '', maxConcurrent, maxQueue = 0, maxWaitMs = 1_000, dark = false } = options
    new OptionCheck('bulkhead')
      .whole('maxConcurrent', maxConcurrent, 1)
      .whole('maxQueue', maxQueue, 0)
      .above('maxWaitMs', maxWaitMs, 0)
      .done()
    this.key = key
    this.maxConcurrent = maxConcurrent
    this.maxQueue = maxQueue
    this.maxWaitMs = maxWaitMs
    this.dark = dark
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get queued(): number {
    return this.#queue.size
  }

  /** Takes a slot when one is free. Every `true` is followed by exactly one `release`. About 5 ns. */
  tryAcquire(): boolean {
    if (this.#inFlight >= this.maxConcurrent) {
      if (!this.dark) return false
      this.counters.wouldRefuse++
      publish({ name: 'dark.would-refuse', key: this.key, control: 'bulkhead' })
    }
    this.#inFlight++
    this.counters.admitted++
    return true
  }

  /**
   * Puts a ticket into the queue after `tryAcquire` said no; `false` when the queue is full of live ones or the ticket's
   * time has passed already. Its place is decided by the earlier of `deadlineMs` and `nowMs + maxWaitMs`.
   */
  enqueue(ticket: BulkheadTicket, deadlineMs: number, nowMs: number): boolean {
    if (ticket.isQueued) this.cancel(ticket)
    if (this.#queue.size >= this.maxQueue) this.expire(nowMs)
    if (this.#queue.size >= this.maxQueue || deadlineMs <= nowMs) {
      this.counters.refused++
      return false
    }
    this.#queue.push(ticket, Math.min(deadlineMs, nowMs + this.maxWaitMs))
    return true
  }

  /** Takes a ticket out of the queue: its caller went away. `false` when it was decided before. */
  cancel(ticket: BulkheadTicket): boolean {
    const wasQueued = this.#queue.remove(ticket)
    if (wasQueued) this.counters.cancelled++
    return wasQueued
  }

  /** Gives a slot back and hands it to the queue. */
  release(nowMs: number): void {
    if (this.#inFlight > 0) this.#inFlight--
    while (this.#inFlight < this.maxConcurrent) {
      const next = this.#queue.peek()
      if (next === undefined) return
      this.#queue.remove(next)
      if (next.untilMs <= nowMs) {
        this.#drop(next, nowMs)
        continue
      }
      this.#inFlight++
      this.counters.admitted++
      next.onDecided(true, nowMs)
    }
  }

  /** Drops every queued ticket whose time has passed. Returns how many. */
  expire(nowMs: number): number {
    let dropped = 0
    for (
      let next = this.#queue.peek();
      next !== undefined && next.untilMs <= nowMs;
      next = this.#queue.peek()
    ) {
      this.#queue.remove(next)
      this.#drop(next, nowMs)
      dropped++
    }
    return dropped
  }

  /** When `expire` next has something to do; `Infinity` when nobody waits. */
  nextExpiryMs(): number {
    return this.#queue.peek()?.untilMs ?? Infinity
  }

  #drop(ticket: BulkheadTicket, nowMs: number): void {
    this.counters.expired++
    ticket.onDecided(false, nowMs)
  }
}
