import { lookup } from 'node:dns'
import { isIP } from 'node:net'
import type { Timer } from '@breakwater/core'
import { connectError } from '../net/connect-error.ts'
import type { ConnectHandler } from '../net/connecting.ts'
import type { ConnectOptions, Connecting } from '../transport.ts'
import { systemError } from './libc.ts'
import { EPOLLOUT } from './poller.ts'
import type { Pollable } from './poller.ts'
import { FfiTransport, TRANSPORT_EVENTS } from './transport.ts'
import type { Shared } from './transport.ts'

/** So long an address may take before the next one of the same name is tried; the last has no limit here. Milliseconds. */
const NEXT_ADDRESS_MS = 250

/** One attempt to connect, over all addresses of a name, one after the other. */
export class FfiConnecting implements Connecting, Pollable {
  readonly #shared: Shared
  readonly #port: number
  readonly #handler: ConnectHandler
  #addresses: readonly string[] = []
  #next = 0
  #descriptor = -1
  #slot = -1
  #patience: Timer | undefined
  #firstError: Error | undefined
  #isOver = false

  constructor(shared: Shared, { host, port }: ConnectOptions, handler: ConnectHandler) {
    this.#shared = shared
    this.#port = port
    this.#handler = handler
    shared.open.add(this)
    if (isIP(host) !== 0) {
      this.#addresses = [host]
      this.#tryNext()
    } else {
      lookup(host, { all: true }, (error, found) => {
        if (this.#isOver) return
        if (error !== null) this.#fail(error)
        else {
          this.#addresses = found.map(({ address }) => address)
          this.#tryNext()
        }
      })
    }
  }

  cancel(): void {
    if (this.#isOver) return
    this.#finish()
    this.#giveUpAddress()
  }

  /** Its driver closes. */
  destroy(): void {
    this.#giveUpAddress()
    this.#fail(new Error('the connection closed before it was ready'))
  }

  onReady(events: number, place: number): void {
    const { sockets, turns } = this.#shared
    const errno = sockets.errorOf(this.#descriptor)
    if (errno !== 0) {
      this.#giveUpAddress()
      this.#failAddress(systemError(errno, 'connect'))
    } else if ((events & EPOLLOUT) !== 0) {
      this.#finish()
      this.#patience?.cancel()
      const descriptor = this.#descriptor
      const remoteAddress = this.#addresses[this.#next - 1] ?? ''
      const transport = new FfiTransport(this.#shared, { descriptor, remoteAddress, remotePort: this.#port })
      transport.adopt(this.#slot)
      transport.bind(this.#handler.onOpen(transport, turns.nowMs))
      // What came together with the connection is not told again.
      transport.onReady(events, place)
    }
  }

  #tryNext(): void {
    const address = this.#addresses[this.#next++]
    if (address === undefined) {
      this.#fail(this.#firstError ?? new Error('that name has no address'))
      return
    }
    const { sockets, poller, libc, turns } = this.#shared
    try {
      this.#descriptor = sockets.connect(address, this.#port)
      try {
        this.#slot = poller.add(this.#descriptor, TRANSPORT_EVENTS, this)
      } catch (error) {
        libc.close(this.#descriptor)
        throw error
      }
    } catch (error) {
      this.#failAddress(error as Error)
      return
    }
    if (this.#next === this.#addresses.length) return
    this.#patience = turns.clock.schedule(NEXT_ADDRESS_MS, () => {
      this.#giveUpAddress()
      this.#tryNext()
    })
  }

  #giveUpAddress(): void {
    this.#patience?.cancel()
    this.#patience = undefined
    if (this.#slot < 0) return
    this.#shared.poller.remove(this.#slot, this.#descriptor)
    this.#shared.libc.close(this.#descriptor)
    this.#slot = -1
  }

  #failAddress(error: Error): void {
    this.#firstError ??= error
    if (this.#next < this.#addresses.length) this.#tryNext()
    else this.#fail(this.#firstError)
  }

  #finish(): void {
    this.#isOver = true
    this.#shared.open.delete(this)
  }

  /** In a later turn: whoever connects is still at it. */
  #fail(cause: Error): void {
    setImmediate(() => {
      if (this.#isOver) return
      this.#finish()
      this.#shared.turns.run((nowMs) => this.#handler.onError(connectError(cause), nowMs))
    })
  }
}
