import type { Socket } from 'node:net'
import { asBuffer } from '../codec/request-parser.ts'
import type { Transport, TransportHandler } from '../transport.ts'
import { OWNER } from './owned.ts'
import type { OwnedSocket, SocketOwner } from './owned.ts'

/** Above this many queued bytes within a turn, they are written before the turn ends. */
const FLUSH_BYTES = 65_536

/** Up to here one text is cheaper than one buffer: the socket copies a text to the kernel without making an object. */
const TEXT_BYTES = 4_096

/** What a turn may have written to. @internal */
export interface Outlet {
  /** Makes what is queued outlive the turn. False: it is too much for that, flush it. */
  seal(): boolean
  /** Hands what is queued to the socket. */
  flush(): void
}

/** What a transport shares with the others of its driver. @internal */
export interface Turns {
  /** The clock as it was when this turn began. */
  nowMs: number
  begin(): void
  /** Flushes everything that was marked. */
  finish(): void
  /** Has something to flush when the turn ends, or soon when there is none. */
  mark(outlet: Outlet): void
  run(task: (nowMs: number) => void): void
  /** Room for joining pieces of a write; at least `bytes` long. */
  scratch(bytes: number): Buffer
  /** The kernel did not take it all: the memory belongs to the write now. */
  giveAwayScratch(bytes: number): void
}

/**
 * A `net.Socket` or `TLSSocket` as a transport. The pieces written in a turn are joined, short ones as text and long
 * ones in a buffer shared by the whole driver, and handed to the socket once: one system call.
 */
export class NetTransport implements Transport, Outlet, SocketOwner {
  readonly #socket: Socket
  readonly #turns: Turns
  readonly remoteAddress: string
  readonly remotePort: number
  readonly secure: boolean
  // What is queued, in order. A head and its body, or a chunk in its frame, are what most turns write: they need no list.
  #first: Uint8Array | string | undefined
  #second: Uint8Array | string | undefined
  #third: Uint8Array | string | undefined
  #others: (Uint8Array | string)[] | undefined
  #queuedBytes = 0
  writtenBytes: number = 0
  /** Some of it is of an earlier turn, which has ended without sending it. */
  #isHeld = false
  #marked = false
  #ending = false
  #needDrain = false
  #handler: TransportHandler | undefined
  #closed = false
  #paused = false
  #error: Error | undefined

  constructor(socket: Socket, turns: Turns, secure: boolean) {
    this.#socket = socket
    this.#turns = turns
    this.secure = secure
    this.remoteAddress = socket.remoteAddress ?? ''
    this.remotePort = socket.remotePort ?? 0
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + this.#socket.writableLength
  }

  /** Connects the socket's events to their owner. `reads` is false when reading goes around the stream. */
  bind(handler: TransportHandler, reads: boolean): void {
    this.#handler = handler
    const socket: OwnedSocket = this.#socket
    socket[OWNER] = this
    if (reads) socket.on('data', onData)
    socket.on('end', onEnd)
    socket.on('drain', onDrain)
    socket.on('error', onError)
    socket.on('close', onClose)
  }

  ended(): void {
    this.#turns.run((nowMs) => this.#handler?.onEnd(nowMs))
  }

  drained(): void {
    if (!this.#needDrain) return
    this.#needDrain = false
    this.#turns.run((nowMs) => this.#handler?.onDrain(nowMs))
  }

  closed(): void {
    this.#closed = true
    this.#turns.run((nowMs) => this.#handler?.onClose(nowMs, this.#error))
  }

  failed(error: Error): void {
    this.#error = error
  }

  deliver(bytes: Uint8Array): void {
    const turns = this.#turns
    turns.begin()
    try {
      this.#handler?.onBytes(bytes, turns.nowMs)
    } finally {
      turns.finish()
    }
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#closed || this.#ending) return true
    if (this.#first === undefined) this.#first = chunk
    else if (this.#second === undefined) this.#second = chunk
    else if (this.#third === undefined) this.#third = chunk
    else (this.#others ??= []).push(chunk)
    this.#queuedBytes += chunk.length
    this.writtenBytes += chunk.length
    if (this.#queuedBytes >= FLUSH_BYTES) this.flush()
    else this.#mark()
    // A stream below its mark emits no `drain`, so it must not count as blocked either.
    const open = this.#socket.writableLength === 0 || !this.#socket.writableNeedDrain
    if (!open) this.#needDrain = true
    return open
  }

  end(): void {
    if (this.#ending || this.#closed) return
    this.flush()
    this.#ending = true
    this.#socket.end()
  }

  destroy(reset: boolean = false): void {
    // Whoever wrote in an earlier turn counts on it that this has left.
    if (this.#isHeld) this.flush()
    this.#forget()
    const socket = this.#socket
    // libuv refuses to reset while it half-closes, and the socket would never close.
    const isHalfClosing = this.#ending && socket.writableLength === 0 && !socket.writableFinished
    // Over TLS the missing close_notify says the same.
    if (reset && !this.secure && !isHalfClosing) socket.resetAndDestroy()
    else socket.destroy()
  }

  pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#socket.resume()
  }

  seal(): boolean {
    if (this.#queuedBytes > TEXT_BYTES || this.secure) return false
    const text = this.#text()
    const bytes = this.#queuedBytes
    this.#forget()
    this.#first = text
    this.#queuedBytes = bytes
    this.#isHeld = true
    this.#marked = false
    return true
  }

  flush(): void {
    this.#marked = false
    const bytes = this.#queuedBytes
    if (bytes === 0) return
    const socket = this.#socket
    if (bytes <= TEXT_BYTES && !this.secure) {
      const text = this.#text()
      this.#forget()
      socket.write(text, 'latin1')
    } else {
      // Behind a queue the bytes will wait: memory of their own, no larger than they are.
      const waits = this.secure || socket.writableLength > 0
      const room = waits ? Buffer.allocUnsafeSlow(bytes) : this.#turns.scratch(bytes)
      this.#join(room)
      this.#forget()
      socket.write(room.subarray(0, bytes))
      // Nothing left in the stream means that the kernel has copied the bytes, and the memory is ours again.
      if (!waits && socket.writableLength > 0) this.#turns.giveAwayScratch(bytes)
    }
  }

  #forget(): void {
    this.#first = undefined
    this.#second = undefined
    this.#third = undefined
    this.#others = undefined
    this.#queuedBytes = 0
    this.#isHeld = false
  }

  #text(): string {
    let text = latin1(this.#first) + latin1(this.#second) + latin1(this.#third)
    if (this.#others !== undefined) for (const piece of this.#others) text += latin1(piece)
    return text
  }

  #join(room: Buffer): void {
    let at = put(this.#first, room, 0)
    at = put(this.#second, room, at)
    at = put(this.#third, room, at)
    if (this.#others !== undefined) for (const piece of this.#others) at = put(piece, room, at)
  }

  #mark(): void {
    if (this.#marked) return
    this.#marked = true
    this.#turns.mark(this)
  }
}

function onData(this: OwnedSocket, bytes: Buffer): void {
  // What the stream holds comes all the same after a destroy.
  if (!this.destroyed) this[OWNER]?.deliver(bytes)
}

function onEnd(this: OwnedSocket): void {
  if (!this.destroyed) this[OWNER]?.ended()
}

function onDrain(this: OwnedSocket): void {
  this[OWNER]?.drained()
}

function onError(this: OwnedSocket, error: Error): void {
  this[OWNER]?.failed(error)
}

function onClose(this: OwnedSocket): void {
  this[OWNER]?.closed()
}

function latin1(piece: Uint8Array | string | undefined): string {
  if (piece === undefined) return ''
  return typeof piece === 'string' ? piece : asBuffer(piece).toString('latin1')
}

/** Returns the offset after it. */
function put(piece: Uint8Array | string | undefined, room: Buffer, at: number): number {
  if (piece === undefined) return at
  if (typeof piece === 'string') return at + room.write(piece, at, 'latin1')
  room.set(piece, at)
  return at + piece.length
}
