import { VirtualClock, DeadlineWheel } from '@breakwater/core'
import type { Clock } from '@breakwater/core'
import type { Connecting, Driver, Listener, Transport, TransportHandler } from '../../src/transport.ts'

/** Virtual time with its wheel: `advance` moves both. */
export class MemoryTiming {
  readonly #clock = new VirtualClock()
  readonly clock: Clock = this.#clock
  readonly wheel: DeadlineWheel = new DeadlineWheel(0)

  get nowMs(): number {
    return this.#clock.now()
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.nowMs + ms
    while (this.nowMs < endMs) {
      await this.#clock.advance(Math.min(10, endMs - this.nowMs))
      this.wheel.advance(this.nowMs)
    }
  }
}

/** A transport whose other end is the test. */
export class MemoryTransport implements Transport {
  readonly #timing: MemoryTiming
  handler: TransportHandler | undefined
  written: string = ''
  /** Bytes that the other end will take; the rest stays buffered. */
  room: number = Infinity
  ended: boolean = false
  destroyed: boolean = false
  paused: boolean = false
  readonly remoteAddress: string = '192.0.2.7'
  readonly remotePort: number = 4711
  readonly secure: boolean = false
  writtenBytes: number = 0
  bufferedBytes: number = 0

  constructor(timing: MemoryTiming) {
    this.#timing = timing
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.destroyed || this.ended) return true
    this.written += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1')
    this.writtenBytes += chunk.length
    const taken = Math.min(this.room, chunk.length)
    this.room -= taken
    this.bufferedBytes += chunk.length - taken
    return this.bufferedBytes === 0
  }

  end(): void {
    this.ended = true
  }

  destroy(): void {
    this.destroyed = true
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  /** What was written since the last call. */
  take(): string {
    const text = this.written
    this.written = ''
    return text
  }

  receive(text: string | Uint8Array): void {
    this.handler?.onBytes(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, this.#timing.nowMs)
  }

  /** The other end takes `bytes` of what waits for it. */
  drain(bytes: number): void {
    this.bufferedBytes = Math.max(0, this.bufferedBytes - bytes)
    if (this.bufferedBytes > 0) return
    this.room = Infinity
    this.handler?.onDrain(this.#timing.nowMs)
  }

  peerEnds(): void {
    this.handler?.onEnd(this.#timing.nowMs)
  }

  closes(error?: Error): void {
    this.destroyed = true
    this.handler?.onClose(this.#timing.nowMs, error)
  }
}

/** A connection attempt that the test decides. */
export interface PendingConnect {
  readonly transport: MemoryTransport
  cancelled: boolean
  open(): MemoryTransport
  fail(message: string): void
}

/** A driver whose connections are opened by the test. */
export class MemoryDriver extends MemoryTiming implements Driver {
  readonly connects: PendingConnect[] = []

  listen(): Promise<Listener> {
    return Promise.reject(new Error('this driver does not listen'))
  }

  connect(
    _options: unknown,
    onOpen: (transport: Transport, nowMs: number) => TransportHandler,
    onError: (error: Error, nowMs: number) => void,
  ): Connecting {
    const transport = new MemoryTransport(this)
    const pending: PendingConnect = {
      transport,
      cancelled: false,
      open: () => {
        transport.handler = onOpen(transport, this.nowMs)
        return transport
      },
      fail: (message) => onError(new Error(message), this.nowMs),
    }
    this.connects.push(pending)
    return { cancel: () => (pending.cancelled = true) }
  }
}
