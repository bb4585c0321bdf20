import { Buffer } from 'node:buffer'
import type { NetTurns } from '../net/turns.ts'
import type { Transport, TransportHandler } from '../transport.ts'
import { EAGAIN, EINTR, SHUT_WR, systemError } from './libc.ts'
import { PLACE_BYTES } from './inbox.ts'
import type { Inbox } from './inbox.ts'
import type { Libc, Memory } from './libc.ts'
import type { Box, Outbox, Sender } from './outbox.ts'
import { EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from './poller.ts'
import type { Pollable, Poller } from './poller.ts'
import type { Accepted, Sockets } from './sockets.ts'

/** What a transport waits for, all its life. @internal */
export const TRANSPORT_EVENTS: number = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET
const READABLE = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR
const LAST_WORDS = EPOLLRDHUP | EPOLLHUP | EPOLLERR

/** Above this many bytes that the kernel has not taken, `write` says stop. */
const HIGH_WATER_BYTES = 65_536
/** One connection reads so often in a row before others have their turn. */
const MAX_READS = 4

/** Less than any negative errno. */
const NOTHING = -0x1_0000

/** What all transports of a driver share. @internal */
export interface Shared {
  readonly libc: Libc
  readonly sockets: Sockets
  readonly turns: NetTurns
  readonly poller: Poller
  readonly outbox: Outbox
  readonly inbox: Inbox
  /** Where bytes that had to wait are joined. */
  readonly staging: Memory
  readonly open: Set<{ destroy(): void }>
}

/** A connected TCP socket, owned by its descriptor. @internal */
export class FfiTransport implements Transport, Pollable, Sender {
  readonly secure = false
  readonly remoteAddress: string
  readonly remotePort: number
  box: Box | undefined
  writtenBytes: number = 0
  readonly #shared: Shared
  readonly #descriptor: number
  readonly #count: { connections: number } | undefined
  #slot = -1
  #handler: TransportHandler | undefined
  /** What the kernel did not take, in order. */
  #queue: Buffer[] | undefined
  #queuedBytes = 0
  #needDrain = false
  /** There may be something to read that nobody will tell of again. */
  #readable = false
  /** The other side has ended or broken off: read on until that has been seen. */
  #isLast = false
  /** What it has read and not told yet: bytes, or a negative errno. */
  #ahead = NOTHING
  #kept: Buffer | undefined
  #paused = false
  #hasEnded = false
  #ending = false
  #isShut = false
  #closed = false

  /** `count` is one less when it has closed. */
  constructor(shared: Shared, connected: Accepted, count?: { connections: number }) {
    this.#shared = shared
    this.#descriptor = connected.descriptor
    this.remoteAddress = connected.remoteAddress
    this.remotePort = connected.remotePort
    this.#count = count
    shared.open.add(this)
  }

  /** Where its descriptor is watched already. */
  adopt(slot: number): void {
    this.#slot = slot
    this.#shared.poller.replace(slot, this)
  }

  /** Begins to read. */
  bind(handler: TransportHandler): void {
    this.#handler = handler
    if (this.#closed || this.#slot >= 0) return
    try {
      this.#slot = this.#shared.poller.add(this.#descriptor, TRANSPORT_EVENTS, this)
    } catch (error) {
      this.#close(error as Error)
    }
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + (this.box?.used ?? 0)
  }

  readAhead(events: number, place: number): void {
    if ((events & READABLE) === 0 || this.#paused || this.#hasEnded || this.#ahead !== NOTHING) return
    this.#ahead = this.#fromKernel(place)
  }

  onReady(events: number, place: number): void {
    // It may have asked to be called again.
    if (this.#closed) return
    if ((events & READABLE) !== 0) this.#readable = true
    if ((events & LAST_WORDS) !== 0) this.#isLast = true
    if (this.#hasEnded) {
      if ((events & EPOLLERR) !== 0) this.#failAsTold()
    } else if (this.#paused) this.#keepAhead(place)
    else if (this.#readable) this.#read(place)
    if ((events & EPOLLOUT) !== 0 && this.#queuedBytes > 0) this.#sendQueue()
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#closed || this.#ending) return true
    this.writtenBytes += chunk.length
    if (this.#queuedBytes > 0) {
      // The rest of a long write stands in the box still, and goes before.
      this.#shared.outbox.sendNow(this)
      this.#keep(chunk)
    } else this.#shared.outbox.put(this, chunk)
    if (this.bufferedBytes >= HIGH_WATER_BYTES) this.#shared.outbox.sendNow(this)
    const isOpen = this.bufferedBytes < HIGH_WATER_BYTES
    if (!isOpen) this.#needDrain = true
    return isOpen
  }

  end(): void {
    if (this.#ending || this.#closed) return
    this.#ending = true
    this.#shared.outbox.sendNow(this)
    this.#shutWhenSent()
  }

  destroy(reset: boolean = false): void {
    if (this.#closed) return
    // Whoever wrote in an earlier turn of this round counts on it that this has left.
    this.#shared.outbox.sendNow(this)
    if (this.#closed) return
    if (reset) this.#shared.sockets.resetOnClose(this.#descriptor)
    this.#close()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#readable) this.#shared.poller.again(this)
  }

  send(box: Box): void {
    if (this.#closed) return
    const { used } = box
    const sent = this.#queuedBytes > 0 ? 0 : this.#toKernel(box, used)
    if (this.#closed) return
    if (sent < used) this.#keep(box.bytes.subarray(sent, used))
    else this.#tellOfRoom()
  }

  #read(place: number): void {
    const { inbox, turns } = this.#shared
    for (let reads = 0; reads < MAX_READS; reads++) {
      const bytes = this.#ahead === NOTHING ? this.#fromKernel(place) : this.#ahead
      this.#ahead = NOTHING
      if (bytes === 0) return this.#onEnd()
      if (bytes < 0) {
        this.#readable = false
        if (bytes !== -EAGAIN) this.#fail(-bytes, 'read')
        else if (this.#isLast) this.#failAsTold()
        return
      }
      const kept = this.#kept
      this.#kept = undefined
      this.#handler?.onBytes(kept ?? inbox.read(place, bytes), turns.nowMs)
      if (this.#closed || this.#paused) return
      // Behind what was kept more may have come since.
      if (bytes < PLACE_BYTES && !this.#isLast && kept === undefined) {
        this.#readable = false
        return
      }
      // The next read overwrites what this turn was given, and a transport over TLS may hold that until the turn ends.
      turns.finish()
      turns.begin()
    }
    this.#shared.poller.again(this)
  }

  /** Returns how many bytes came, or what went wrong as a negative errno. */
  #fromKernel(place: number): number {
    const { libc, inbox } = this.#shared
    const bytes = libc.read(this.#descriptor, inbox.pointer(place), PLACE_BYTES)
    if (bytes >= 0) return bytes
    const errno = libc.errno()
    return errno === EINTR ? this.#fromKernel(place) : -errno
  }

  /** Somebody has paused it since it read: that waits until it is resumed, and the place is needed by others. */
  #keepAhead(place: number): void {
    if (this.#ahead > 0) this.#kept ??= Buffer.from(this.#shared.inbox.read(place, this.#ahead))
  }

  #onEnd(): void {
    this.#readable = false
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#handler?.onEnd(this.#shared.turns.nowMs)
    this.#closeWhenBothEnded()
  }

  /** The system says that something went wrong, and reading has not told what. */
  #failAsTold(): void {
    const errno = this.#shared.sockets.errorOf(this.#descriptor)
    if (errno !== 0) this.#fail(errno, 'read')
  }

  /** Returns how many bytes it took. */
  #toKernel(box: Memory, bytes: number): number {
    const { libc } = this.#shared
    const sent = libc.write(this.#descriptor, box.pointer, bytes)
    if (sent >= 0) return sent
    const errno = libc.errno()
    if (errno === EINTR) return this.#toKernel(box, bytes)
    if (errno !== EAGAIN) this.#fail(errno, 'write')
    return 0
  }

  #keep(chunk: Uint8Array | string): void {
    const copy =
      typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : Buffer.allocUnsafeSlow(chunk.length)
    if (typeof chunk !== 'string') copy.set(chunk)
    ;(this.#queue ??= []).push(copy)
    this.#queuedBytes += copy.length
  }

  #sendQueue(): void {
    const { staging } = this.#shared
    while (this.#queuedBytes > 0) {
      const staged = this.#stage(staging.bytes)
      const sent = this.#toKernel(staging, staged)
      if (this.#closed) return
      this.#forget(sent)
      if (sent < staged) return
    }
    this.#queue = undefined
    this.#shutWhenSent()
    this.#tellOfRoom()
  }

  /** Joins what waits, as far as there is room. */
  #stage(room: Buffer): number {
    let at = 0
    for (const piece of this.#queue ?? []) {
      at += piece.copy(room, at)
      if (at === room.length) break
    }
    return at
  }

  #forget(sent: number): void {
    const queue = this.#queue ?? []
    this.#queuedBytes -= sent
    let left = sent
    let gone = 0
    while (left > 0) {
      const piece = queue[gone] as Buffer
      if (piece.length > left) {
        queue[gone] = piece.subarray(left)
        break
      }
      left -= piece.length
      gone++
    }
    queue.splice(0, gone)
  }

  #tellOfRoom(): void {
    if (!this.#needDrain) return
    setImmediate(() => {
      if (!this.#needDrain || this.#closed || this.#queuedBytes > 0) return
      this.#needDrain = false
      this.#shared.turns.run((nowMs) => this.#handler?.onDrain(nowMs))
    })
  }

  #shutWhenSent(): void {
    if (!this.#ending || this.#isShut || this.#closed || this.#queuedBytes > 0) return
    this.#isShut = true
    this.#shared.libc.shutdown(this.#descriptor, SHUT_WR)
    this.#closeWhenBothEnded()
  }

  #closeWhenBothEnded(): void {
    if (this.#hasEnded && this.#isShut) this.#close()
  }

  #fail(errno: number, syscall: string): void {
    this.#close(systemError(errno, syscall))
  }

  #close(error?: Error): void {
    if (this.#closed) return
    this.#closed = true
    const { libc, poller, turns, open } = this.#shared
    if (this.box !== undefined) this.box.sender = undefined
    this.box = undefined
    this.#queue = undefined
    this.#queuedBytes = 0
    this.#kept = undefined
    if (this.#slot >= 0) poller.remove(this.#slot, this.#descriptor)
    libc.close(this.#descriptor)
    open.delete(this)
    if (this.#count !== undefined) this.#count.connections--
    setImmediate(() => turns.run((nowMs) => this.#handler?.onClose(nowMs, error)))
  }
}
