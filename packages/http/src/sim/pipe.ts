import type { Random, Timer } from '@breakwater/core'
import type { BreakKind, Link, Waiter } from './faults.ts'
import type { Turns } from './turns.ts'

/** The receiving end of a pipe. */
export interface PipeSink {
  /** False while it is paused or nobody has taken it yet: bytes stay in the pipe. */
  readonly isReading: boolean
  /** True once it was closed: what still arrives is answered with a reset. */
  readonly isGone: boolean
  /** Set while the host stands still: the pipe waits there. */
  waitWhileStill(waiter: Waiter): boolean
  receive(bytes: Uint8Array, nowMs: number): void
  receiveEnd(nowMs: number): void
}

/** The sending end of a pipe, and what may happen to the connection as a whole. */
export interface PipeSource {
  /** The pipe has room again. */
  onRoom(): void
  /** The end was put on its way. */
  onEndSent(): void
  /** The peer answered with a reset. */
  onRefusedByPeer(): void
  /** The planned loss of the connection has come. */
  onBreak(kind: BreakKind): void
}

interface Segment {
  readonly atMs: number
  /** Undefined: the end of the stream. */
  readonly bytes: Uint8Array | undefined
}

/** First in, first out, both in constant time however long it is. */
class Queue {
  #items: Segment[] = []
  #first = 0

  get head(): Segment | undefined {
    return this.#items[this.#first]
  }

  push(segment: Segment): void {
    this.#items.push(segment)
  }

  shift(): void {
    if (++this.#first * 2 < this.#items.length) return
    this.#items = this.#items.slice(this.#first)
    this.#first = 0
  }

  /** Puts back what was left of the head. */
  replaceHead(segment: Segment): void {
    this.#items[this.#first] = segment
  }

  clear(): void {
    this.#items = []
    this.#first = 0
  }
}

/** Bytes on their way and unread at the receiver, together, as TCP's window would allow. */
const WINDOW_BYTES = 65_536
/** A slow reader reads this often. */
const SLICE_MS = 50
/** A task for a time may run this much before it: `now + (at - now)` is not always `at`. */
const ROUNDING_MS = 1e-6
/** What a delivered buffer is filled with once the call returned: who kept it sees nonsense. */
const POISON = 0xa5

/** One direction of a connection: keeps order, delays, splits, slows down and breaks. */
export class Pipe implements Waiter {
  readonly #turns: Turns
  readonly #link: Link
  readonly #random: Random
  readonly #source: PipeSource
  readonly #sink: PipeSink
  readonly #run = (): void => this.#deliver()
  readonly #segments = new Queue()
  #unsent: Uint8Array[] = []
  #unsentBytes = 0
  #windowBytes = 0
  #isEnding = false
  #isEndSent = false
  #lastAtMs = 0
  #nextReadMs = 0
  #timer: Timer | undefined
  #timerAtMs = Infinity
  #breakAfterBytes: number
  readonly #breakKind: BreakKind
  #isDead = false

  constructor(
    turns: Turns,
    link: Link,
    random: Random,
    ends: { readonly source: PipeSource; readonly sink: PipeSink },
    loss: { readonly afterBytes: number; readonly kind: BreakKind },
  ) {
    this.#turns = turns
    this.#link = link
    this.#random = random
    this.#source = ends.source
    this.#sink = ends.sink
    this.#breakAfterBytes = loss.afterBytes
    this.#breakKind = loss.kind
  }

  get unsentBytes(): number {
    return this.#unsentBytes
  }

  /** Whether bytes have arrived or will arrive that nobody has read. */
  get hasUnread(): boolean {
    return this.#windowBytes > 0
  }

  /** When the last byte put on its way so far arrives. */
  get lastAtMs(): number {
    return this.#lastAtMs
  }

  /** Takes ownership of `bytes`. */
  send(bytes: Uint8Array): void {
    if (this.#isDead || bytes.length === 0) return
    this.#unsent.push(bytes)
    this.#unsentBytes += bytes.length
    this.#pump()
  }

  end(): void {
    if (this.#isEnding || this.#isDead) return
    this.#isEnding = true
    this.#pump()
  }

  /** What was not put on its way yet never will be. */
  dropUnsent(): void {
    this.#unsent = []
    this.#unsentBytes = 0
  }

  /** Nothing passes from now on. */
  kill(): void {
    this.#isDead = true
    this.dropUnsent()
    this.#segments.clear()
    this.#windowBytes = 0
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** The receiver reads again, the link is whole again, or the host moves again. */
  goOn(): void {
    this.#schedule()
  }

  #pump(): void {
    const { faults } = this.#link
    while (this.#unsentBytes > 0 && this.#windowBytes < WINDOW_BYTES) {
      const chunk = this.#unsent[0] as Uint8Array
      let size = Math.min(chunk.length, WINDOW_BYTES - this.#windowBytes, faults.maxSegmentBytes)
      if (size > 1 && faults.splitRatio > 0 && this.#random() < faults.splitRatio)
        size = 1 + Math.floor(this.#random() * (size - 1))
      if (size === chunk.length) this.#unsent.shift()
      else this.#unsent[0] = chunk.subarray(size)
      this.#unsentBytes -= size
      this.#windowBytes += size
      this.#push(size === chunk.length ? chunk : chunk.subarray(0, size))
    }
    if (this.#isEnding && this.#unsentBytes === 0 && !this.#isEndSent) {
      this.#isEndSent = true
      this.#push(undefined)
      this.#source.onEndSent()
    }
    this.#schedule()
  }

  #push(bytes: Uint8Array | undefined): void {
    const { latencyMs, jitterMs } = this.#link.faults
    const delayMs = jitterMs > 0 ? latencyMs + this.#random() * jitterMs : latencyMs
    this.#lastAtMs = Math.max(this.#lastAtMs, this.#turns.clock.now() + delayMs)
    this.#segments.push({ atMs: this.#lastAtMs, bytes })
  }

  #schedule(): void {
    const head = this.#segments.head
    if (head === undefined || this.#isDead || !(this.#sink.isReading || this.#sink.isGone)) return
    const atMs = Math.max(head.atMs, this.#nextReadMs)
    if (this.#timer !== undefined) {
      if (this.#timerAtMs <= atMs) return
      this.#timer.cancel()
    }
    this.#timerAtMs = atMs
    this.#timer = this.#turns.clock.schedule(atMs - this.#turns.clock.now(), this.#run)
  }

  #deliver(): void {
    this.#timer = undefined
    if (this.#link.faults.isCut) {
      this.#link.wait(this)
      return
    }
    if (this.#sink.waitWhileStill(this) || !(this.#sink.isReading || this.#sink.isGone)) return
    const nowMs = this.#turns.enter()
    // A few bytes that were read already may arrive after a pause: the contract allows it, so it happens.
    let grace = this.#link.faults.splitRatio > 0 && this.#random() < 0.5 ? 1 : 0
    for (let head = this.#segments.head; head !== undefined && !this.#isDead; head = this.#segments.head) {
      if (Math.max(head.atMs, this.#nextReadMs) > nowMs + ROUNDING_MS) break
      if (this.#sink.isGone) {
        this.#arriveAtNobody(head)
        break
      }
      if (!this.#sink.isReading && grace-- <= 0) break
      if (head.bytes === undefined) {
        this.#segments.shift()
        this.#sink.receiveEnd(nowMs)
      } else this.#hand(head.atMs, head.bytes, nowMs)
    }
    this.#turns.leave()
    if (this.#unsentBytes > 0 || this.#isEnding) this.#pump()
    else this.#schedule()
    if (!this.#isDead && this.#unsentBytes === 0) this.#source.onRoom()
  }

  #hand(atMs: number, bytes: Uint8Array, nowMs: number): void {
    const { bytesPerSecond } = this.#link.faults
    let size = bytes.length
    if (bytesPerSecond !== Infinity) {
      size = Math.min(size, Math.max(1, Math.floor((bytesPerSecond * SLICE_MS) / 1000)))
      this.#nextReadMs = nowMs + (size * 1000) / bytesPerSecond
    }
    const isLost = size >= this.#breakAfterBytes
    if (isLost) size = this.#breakAfterBytes
    if (size < bytes.length) this.#segments.replaceHead({ atMs, bytes: bytes.subarray(size) })
    else this.#segments.shift()
    this.#breakAfterBytes -= size
    this.#windowBytes -= size
    const part = size === bytes.length ? bytes : bytes.subarray(0, size)
    if (size > 0) {
      this.#sink.receive(part, nowMs)
      // What the receiver wrote on may be a view of these bytes: it has until the end of the turn.
      this.#turns.flush()
      part.fill(POISON)
    }
    if (isLost) this.#source.onBreak(this.#breakKind)
  }

  #arriveAtNobody(head: Segment): void {
    this.#segments.clear()
    this.#windowBytes = 0
    if (head.bytes !== undefined || this.#unsentBytes > 0) this.#source.onRefusedByPeer()
  }
}
