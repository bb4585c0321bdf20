import type { Transport, TransportHandler } from '../transport.ts'
import type { BreakKind, Waiter } from './faults.ts'
import type { Pipe, PipeSink, PipeSource } from './pipe.ts'
import type { Flushable, Turns } from './turns.ts'

/** What a transport needs to know of the host it stands on. */
export interface Standing {
  /** Puts `waiter` aside while the host stands still, and says so. */
  waitWhileStill(waiter: Waiter): boolean
  onClosed(transport: SimTransport): void
}

export interface TransportOptions {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly secure: boolean
  /** Above this many waiting bytes `write` answers false. */
  readonly highWaterBytes: number
}

/** An error as `node:net` gives it: `code` tells what happened. */
export function networkError(code: string, what: string): Error & { readonly code: string } {
  return Object.assign(new Error(`${what} ${code}`), { code })
}

/** One end of a simulated connection. */
export class SimTransport implements Transport, PipeSink, PipeSource, Flushable {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly secure: boolean
  readonly #turns: Turns
  readonly #standing: Standing
  readonly #highWaterBytes: number
  #peer: SimTransport | undefined
  #out: Pipe | undefined
  #in: Pipe | undefined
  #handler: TransportHandler | undefined
  #written: (Uint8Array | string)[] = []
  #pendingBytes = 0
  writtenBytes: number = 0
  #isFlushDue = false
  #isPaused = false
  #isDrainWanted = false
  #isEndWanted = false
  #isEndSent = false
  #isEndReceived = false
  #isClosed = false

  constructor(turns: Turns, standing: Standing, options: TransportOptions) {
    this.#turns = turns
    this.#standing = standing
    this.remoteAddress = options.remoteAddress
    this.remotePort = options.remotePort
    this.secure = options.secure
    this.#highWaterBytes = options.highWaterBytes
  }

  /** Joins this end to the other one. */
  join(peer: SimTransport, out: Pipe, into: Pipe): void {
    this.#peer = peer
    this.#out = out
    this.#in = into
  }

  /** Gives the connection to its owner; bytes that came earlier follow. */
  own(handler: TransportHandler): void {
    this.#handler = handler
    this.#in?.goOn()
  }

  get bufferedBytes(): number {
    return this.#pendingBytes + (this.#out?.unsentBytes ?? 0)
  }

  get isReading(): boolean {
    return this.#handler !== undefined && !this.#isPaused && !this.#isClosed
  }

  get isGone(): boolean {
    return this.#isClosed
  }

  waitWhileStill(waiter: Waiter): boolean {
    return this.#standing.waitWhileStill(waiter)
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#isClosed || this.#isEndWanted) return false
    // Outside a turn the caller may change the bytes as soon as this returns.
    this.#written.push(typeof chunk === 'string' || this.#turns.isInside ? chunk : new Uint8Array(chunk))
    this.#pendingBytes += chunk.length
    this.writtenBytes += chunk.length
    this.#flushSoon()
    if (this.bufferedBytes <= this.#highWaterBytes) return true
    this.#isDrainWanted = true
    return false
  }

  end(): void {
    if (this.#isClosed || this.#isEndWanted) return
    this.#isEndWanted = true
    this.#flushSoon()
  }

  destroy(reset: boolean = false): void {
    if (this.#isClosed) return
    const isImpolite = reset || this.#in?.hasUnread === true
    this.#gather()
    this.#written = []
    this.#pendingBytes = 0
    this.#out?.dropUnsent()
    if (isImpolite) this.#resetPeer()
    else this.#out?.end()
    this.#close(undefined)
    this.#in?.goOn()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#in?.goOn()
  }

  /** Sends what was written in the turn that is over. */
  flush(): void {
    this.#isFlushDue = false
    if (this.#isClosed) return
    if (this.#pendingBytes > 0) this.#out?.send(this.#gather())
    if (this.#isEndWanted) this.#out?.end()
    this.onRoom()
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#handler?.onBytes(bytes, nowMs)
  }

  receiveEnd(nowMs: number): void {
    this.#isEndReceived = true
    this.#handler?.onEnd(nowMs)
    if (this.#isEndSent) this.#close(undefined)
  }

  onRoom(): void {
    if (!this.#isDrainWanted || this.#isClosed || this.bufferedBytes > 0) return
    this.#isDrainWanted = false
    this.#later(0, (nowMs) => {
      if (!this.#isClosed) this.#handler?.onDrain(nowMs)
    })
  }

  onEndSent(): void {
    this.#isEndSent = true
    if (this.#isEndReceived) this.#close(undefined)
  }

  /** The other side is closed and answered what we sent with a reset. */
  onRefusedByPeer(): void {
    this.fail('ECONNRESET')
  }

  onBreak(kind: BreakKind): void {
    if (kind === 'end') {
      this.#out?.dropUnsent()
      this.#peer?.breakOff()
      this.breakOff()
      return
    }
    this.#out?.kill()
    this.#in?.kill()
    if (kind === 'silence') return
    this.fail('ECONNRESET')
    this.#peer?.fail('ECONNRESET')
  }

  /** Sees the peer end here, whatever was still to come, and can send no more. */
  breakOff(): void {
    this.#in?.kill()
    this.#written = []
    this.#pendingBytes = 0
    if (this.#isEndReceived || this.#isClosed) return
    this.#isEndReceived = true
    this.#isEndSent = true
    this.#later(0, (nowMs) => {
      if (this.#isClosed) return
      this.#handler?.onEnd(nowMs)
      this.#close(undefined)
    })
  }

  /** The connection is lost: nothing that is on its way arrives. */
  fail(code: string): void {
    if (this.#isClosed) return
    this.#in?.kill()
    this.#out?.kill()
    this.#close(networkError(code, 'read'))
  }

  #resetPeer(): void {
    const peer = this.#peer
    const afterMs = Math.max(0, (this.#out?.lastAtMs ?? 0) - this.#turns.clock.now())
    this.#in?.kill()
    this.#turns.clock.schedule(afterMs, () => peer?.fail('ECONNRESET'))
  }

  #close(error: Error | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#standing.onClosed(this)
    this.#later(0, (nowMs) => this.#handler?.onClose(nowMs, error))
  }

  #gather(): Uint8Array {
    const all = Buffer.allocUnsafeSlow(this.#pendingBytes)
    let offset = 0
    for (const chunk of this.#written) {
      if (typeof chunk === 'string') all.write(chunk, offset, 'latin1')
      else all.set(chunk, offset)
      offset += chunk.length
    }
    this.#written = []
    this.#pendingBytes = 0
    return all
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    this.#turns.flushLater(this)
  }

  /** Calls the owner in a turn of its own. */
  #later(delayMs: number, call: (nowMs: number) => void): void {
    const task = {
      goOn: (): void => {
        this.#turns.clock.schedule(0, attempt)
      },
    }
    const attempt = (): void => {
      if (this.#standing.waitWhileStill(task)) return
      const nowMs = this.#turns.enter()
      call(nowMs)
      this.#turns.leave()
    }
    this.#turns.clock.schedule(delayMs, attempt)
  }
}
