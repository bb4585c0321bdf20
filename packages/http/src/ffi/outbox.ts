import type { NetTurns } from '../net/turns.ts'
import type { Outlet } from '../net/transport.ts'
import type { Libc, Memory } from './libc.ts'

/** What one connection writes in a round goes to the system in pieces of this size at most. */
export const BOX_BYTES = 65_536
const BOXES = 32

/** Room for what one connection has written in this round. @internal */
export interface Box extends Memory {
  used: number
  sender: Sender | undefined
}

/** @internal */
export interface Sender {
  box: Box | undefined
  /** Hands the box to the kernel, and keeps what it does not take. Calls nobody. */
  send(box: Box): void
}

/**
 * What a round of turns writes, connection by connection; it leaves when the round ends. Reading and deciding, and then
 * sending, each stay in the processor's caches. @internal
 */
export class Outbox implements Outlet {
  readonly #boxes: readonly Box[]
  readonly #turns: NetTurns
  #used = 0
  #isRound = false
  #isMarked = false

  constructor(libc: Libc, turns: NetTurns) {
    this.#turns = turns
    this.#boxes = Array.from({ length: BOXES }, () => ({
      ...libc.allocate(BOX_BYTES),
      used: 0,
      sender: undefined,
    }))
  }

  /** From now on writes wait for `endRound`, not for the end of their turn. */
  beginRound(): void {
    this.#isRound = true
  }

  endRound(): void {
    this.#isRound = false
    this.flush()
  }

  /** Copies the chunk. A string is latin1. */
  put(sender: Sender, chunk: Uint8Array | string): void {
    const box = sender.box ?? this.#take(sender)
    const { length } = chunk
    if (length > BOX_BYTES - box.used) {
      this.#putLong(sender, typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk)
      return
    }
    if (typeof chunk === 'string') box.bytes.write(chunk, box.used, length, 'latin1')
    else box.bytes.set(chunk, box.used)
    box.used += length
  }

  /** Sends what this one has written so far. */
  sendNow(sender: Sender): void {
    const { box } = sender
    if (box === undefined || box.used === 0) return
    sender.send(box)
    box.used = 0
  }

  flush(): void {
    this.#isMarked = false
    const used = this.#used
    this.#used = 0
    for (let at = 0; at < used; at++) {
      const box = this.#boxes[at] as Box
      const { sender } = box
      box.sender = undefined
      if (sender !== undefined) {
        sender.box = undefined
        if (box.used > 0) sender.send(box)
      }
      // Also what was written to one that has closed since: it must never reach who gets the box next.
      box.used = 0
    }
  }

  /** Nothing waits for a later turn here. */
  seal(): boolean {
    return false
  }

  #putLong(sender: Sender, chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const box = sender.box ?? this.#take(sender)
      const part = chunk.subarray(at, at + BOX_BYTES - box.used)
      box.bytes.set(part, box.used)
      box.used += part.length
      at += part.length
      if (box.used === BOX_BYTES) this.sendNow(sender)
    }
  }

  #take(sender: Sender): Box {
    if (this.#used === BOXES) this.flush()
    const box = this.#boxes[this.#used++] as Box
    box.sender = sender
    sender.box = box
    if (!this.#isRound && !this.#isMarked) {
      this.#isMarked = true
      this.#turns.mark(this)
    }
    return box
  }
}
