import type { Random } from '@breakwater/core'
import { createRandom } from '@breakwater/core'
import type { Connecting, ConnectOptions, Transport, TransportHandler } from '../transport.ts'
import type { Link } from './faults.ts'
import { Pipe } from './pipe.ts'
import type { SimHost } from './sim-host.ts'
import type { SimTransport } from './sim-transport.ts'
import { networkError } from './sim-transport.ts'
import type { Turns } from './turns.ts'

/** A connection attempt without an answer is repeated after 1, 2, 4 … seconds, and given up after this many tries (Linux). */
const MAX_SYNS = 7

/** Everything between the two hosts. */
export interface Path {
  readonly turns: Turns
  readonly random: Random
  readonly highWaterBytes: number
  readonly target: SimHost | undefined
  readonly there: Link
  readonly back: Link
}

/** A handshake: one round trip, unless it is refused, lost, or meets a full accept queue. */
export class Attempt implements Connecting {
  readonly #from: SimHost
  readonly #options: ConnectOptions
  readonly #onOpen: (transport: Transport, nowMs: number) => TransportHandler
  readonly #onError: (error: Error, nowMs: number) => void
  readonly #path: Path
  readonly #isBlackHole: boolean
  readonly #isRefused: boolean
  #isDone = false
  #tries = 0

  constructor(
    from: SimHost,
    options: ConnectOptions,
    onOpen: (transport: Transport, nowMs: number) => TransportHandler,
    onError: (error: Error, nowMs: number) => void,
    path: Path,
  ) {
    this.#from = from
    this.#options = options
    this.#onOpen = onOpen
    this.#onError = onError
    this.#path = path
    const { refuseRatio, blackHoleRatio } = path.there.faults
    this.#isRefused = refuseRatio > 0 && path.random() < refuseRatio
    this.#isBlackHole = blackHoleRatio > 0 && path.random() < blackHoleRatio
    this.#send()
  }

  cancel(): void {
    this.#isDone = true
  }

  #send(): void {
    const { target, there } = this.#path
    if (target === undefined) {
      this.#fail('ENOTFOUND', 0)
      return
    }
    this.#path.turns.clock.schedule(there.faults.latencyMs, () => this.#reach(target))
  }

  #reach(target: SimHost): void {
    if (this.#isDone) return
    const { there, back } = this.#path
    if (this.#isBlackHole || there.faults.isCut || back.faults.isCut) {
      this.#repeat()
      return
    }
    const listener = target.listenerAt(this.#options.port)
    if (listener === undefined || this.#isRefused) {
      this.#fail('ECONNREFUSED', back.faults.latencyMs)
      return
    }
    if (listener.isSecure !== (this.#options.tls !== undefined)) {
      this.#fail('EPROTO', back.faults.latencyMs)
      return
    }
    if (!target.hasRoom(listener)) {
      this.#repeat()
      return
    }
    const [client, server] = this.#pair(target, listener.isSecure)
    target.arrive(server, listener)
    this.#path.turns.clock.schedule(back.faults.latencyMs, () => this.#open(client))
  }

  #repeat(): void {
    const waitMs = 1000 * 2 ** this.#tries++
    if (this.#tries === MAX_SYNS) this.#fail('ETIMEDOUT', waitMs)
    else this.#path.turns.clock.schedule(waitMs, () => this.#send())
  }

  #open(client: SimTransport): void {
    if (this.#isDone) {
      client.destroy()
      return
    }
    if (this.#from.waitWhileStill({ goOn: () => this.#open(client) })) return
    this.#isDone = true
    const nowMs = this.#path.turns.enter()
    client.own(this.#onOpen(client, nowMs))
    this.#path.turns.leave()
  }

  #fail(code: string, afterMs: number): void {
    const { host, port } = this.#options
    const attempt = (): void => {
      if (this.#isDone || this.#from.waitWhileStill({ goOn: attempt })) return
      this.#isDone = true
      const nowMs = this.#path.turns.enter()
      this.#onError(networkError(code, `connect ${host}:${port}`), nowMs)
      this.#path.turns.leave()
    }
    this.#path.turns.clock.schedule(afterMs, attempt)
  }

  #pair(target: SimHost, secure: boolean): [SimTransport, SimTransport] {
    const { turns, random, highWaterBytes, there, back } = this.#path
    const client = this.#from.createTransport({
      remoteAddress: target.address,
      remotePort: this.#options.port,
      secure,
      highWaterBytes,
    })
    const server = target.createTransport({
      remoteAddress: this.#from.address,
      remotePort: this.#from.ephemeralPort(),
      secure,
      highWaterBytes,
    })
    const { breakRatio, breakWithinBytes, breakKind } = there.faults
    const isLost = breakRatio > 0 && random() < breakRatio
    const afterBytes = isLost ? Math.floor(random() * breakWithinBytes) : Infinity
    const isLostThere = isLost && random() < 0.5
    const never = { afterBytes: Infinity, kind: breakKind }
    const loss = { afterBytes, kind: breakKind }
    const luck = createRandom(Math.floor(random() * 0x1_0000_0000))
    const up = new Pipe(turns, there, random, { source: client, sink: server }, isLostThere ? loss : never)
    const down = new Pipe(turns, back, luck, { source: server, sink: client }, isLostThere ? never : loss)
    client.join(server, up, down)
    server.join(client, down, up)
    return [client, server]
  }
}
