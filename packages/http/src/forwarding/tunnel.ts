import { LazyTimer } from '../internal/lazy-timer.ts'
import type { Timing } from '../internal/lazy-timer.ts'
import type { Upgraded } from '../internal/upgraded.ts'
import type { Transport, TransportHandler } from '../transport.ts'

export interface TunnelOptions {
  /** Both ways silent for this long: closed. Milliseconds, above 0. Default 300 000. */
  readonly idleTimeoutMs?: number
  /** Told once, when both sides are gone. */
  readonly onClose?: (bytesUp: number, bytesDown: number, nowMs: number) => void
}

/** Joins a client and an upstream that have both left HTTP: bytes pass both ways, with back-pressure and half-close. */
export function joinTunnel(
  client: Upgraded,
  upstream: Upgraded,
  timing: Timing,
  nowMs: number,
  options: TunnelOptions = {},
): void {
  const tunnel = new Tunnel(client.transport, upstream.transport, timing, nowMs, options)
  upstream.attach(tunnel.down, nowMs)
  client.attach(tunnel.up, nowMs)
}

class Tunnel {
  readonly up: Side
  readonly down: Side
  readonly #timer: LazyTimer
  readonly #idleMs: number
  readonly #onClose: TunnelOptions['onClose']
  #open = 2

  constructor(client: Transport, upstream: Transport, timing: Timing, nowMs: number, options: TunnelOptions) {
    this.#idleMs = options.idleTimeoutMs ?? 300_000
    this.#onClose = options.onClose
    this.up = new Side(this, client, upstream)
    this.down = new Side(this, upstream, client)
    this.#timer = new LazyTimer(timing.wheel, () => {
      client.destroy()
      upstream.destroy()
    })
    this.#timer.set(nowMs + this.#idleMs)
  }

  touched(nowMs: number): void {
    this.#timer.set(nowMs + this.#idleMs)
  }

  closed(nowMs: number): void {
    if (--this.#open > 0) return
    this.#timer.release()
    this.#onClose?.(this.up.bytes, this.down.bytes, nowMs)
  }
}

/** One direction: from a transport, whose events it gets, to the other. */
class Side implements TransportHandler {
  readonly #tunnel: Tunnel
  readonly #from: Transport
  readonly #to: Transport
  bytes: number = 0

  constructor(tunnel: Tunnel, from: Transport, to: Transport) {
    this.#tunnel = tunnel
    this.#from = from
    this.#to = to
  }

  onBytes(bytes: Uint8Array, nowMs: number): void {
    this.bytes += bytes.length
    this.#tunnel.touched(nowMs)
    if (!this.#to.write(bytes)) this.#from.pause()
  }

  /** Our own peer takes bytes again: the other side may send. */
  onDrain(): void {
    this.#to.resume()
  }

  onEnd(): void {
    this.#to.end()
  }

  onClose(nowMs: number): void {
    // What was sent before the close should still arrive.
    this.#to.end()
    if (this.#to.bufferedBytes === 0) this.#to.destroy()
    this.#tunnel.closed(nowMs)
  }
}
