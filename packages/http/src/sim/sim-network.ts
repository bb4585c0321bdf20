import type { VirtualClock } from '@breakwater/core'
import { createRandom } from '@breakwater/core'
import type { Connecting, ConnectOptions, Driver, Transport, TransportHandler } from '../transport.ts'
import { Attempt } from './attempt.ts'
import { Link } from './faults.ts'
import type { LinkFaults } from './faults.ts'
import { SimHost } from './sim-host.ts'
import type { Wires } from './sim-host.ts'
import { Turns } from './turns.ts'

export interface SimNetworkOptions {
  /** The same seed, program and clock give the same run, byte for byte. Any integer. */
  readonly seed: number
  /** Time. The network has no other: move it with `runUntil` or `advance`. */
  readonly clock: VirtualClock
  /** For every link that `setFaults` does not name. Default: none. */
  readonly faults?: LinkFaults
  /** Above this many bytes waiting to leave, `write` answers false. 1 or more. Default 65536. */
  readonly highWaterBytes?: number
}

/**
 * A network in memory, under virtual time. Hosts are named; each is a `Driver`, so the engine runs on it unchanged.
 * Faults are drawn from the seed, per connection: one more connection does not change the luck of the others.
 *
 * Delivered buffers are overwritten after each call, as a real driver may: code that keeps a view fails here first.
 * An exception thrown by a handler comes out of the clock's `runUntil` or `advance`.
 */
export class SimNetwork implements Wires {
  readonly clock: VirtualClock
  readonly #turns: Turns
  readonly #hosts = new Map<string, SimHost>()
  readonly #links = new Map<string, Link>()
  readonly #rules: { from: string; to: string; faults: LinkFaults }[] = []
  readonly #seed: number
  readonly #defaults: LinkFaults
  readonly #highWaterBytes: number
  #attempts = 0

  constructor(options: SimNetworkOptions) {
    this.clock = options.clock
    this.#turns = new Turns(options.clock)
    this.#seed = options.seed
    this.#defaults = options.faults ?? {}
    this.#highWaterBytes = options.highWaterBytes ?? 65_536
  }

  /** The driver of a host, which comes into being when first named. Others reach it by this name. */
  driver(hostName: string): Driver {
    return this.#host(hostName)
  }

  /**
   * Replaces the faults of every direction `from` → `to`, also of connections that are open. `*` means every host;
   * the latest call that names a direction decides.
   */
  setFaults(from: string, to: string, faults: LinkFaults): void {
    this.#rules.unshift({ from, to, faults })
    for (const [key, link] of this.#links) {
      const [linkFrom, linkTo] = key.split('\n') as [string, string]
      if (matches(from, linkFrom) && matches(to, linkTo)) link.set(faults)
    }
  }

  /** Stops a host as SIGSTOP would: its kernel accepts up to the backlog, nothing is read, no deadline expires. */
  freeze(hostName: string): void {
    this.#host(hostName).freeze()
  }

  thaw(hostName: string): void {
    this.#host(hostName).thaw()
  }

  /** Resets every connection of a host and closes its ports. Listen again to bring it back. */
  crash(hostName: string): void {
    this.#host(hostName).crash()
  }

  /** Connections that are open at this host. */
  openConnections(hostName: string): number {
    return this.#host(hostName).openConnections
  }

  /** @internal Called by hosts. */
  connect(
    from: SimHost,
    options: ConnectOptions,
    onOpen: (transport: Transport, nowMs: number) => TransportHandler,
    onError: (error: Error, nowMs: number) => void,
  ): Connecting {
    return new Attempt(from, options, onOpen, onError, {
      turns: this.#turns,
      random: createRandom(Math.imul(this.#seed, 0x9e3779b1) + this.#attempts++),
      highWaterBytes: this.#highWaterBytes,
      target: this.#hosts.get(options.host),
      there: this.#link(from.name, options.host),
      back: this.#link(options.host, from.name),
    })
  }

  #host(name: string): SimHost {
    let host = this.#hosts.get(name)
    if (host === undefined) {
      const id = this.#hosts.size + 1
      host = new SimHost(name, `10.${(id >> 16) & 255}.${(id >> 8) & 255}.${id & 255}`, this.#turns, this)
      this.#hosts.set(name, host)
    }
    return host
  }

  #link(from: string, to: string): Link {
    const key = `${from}\n${to}`
    let link = this.#links.get(key)
    if (link === undefined) {
      const rule = this.#rules.find((entry) => matches(entry.from, from) && matches(entry.to, to))
      link = new Link(rule?.faults ?? this.#defaults)
      this.#links.set(key, link)
    }
    return link
  }
}

function matches(pattern: string, name: string): boolean {
  return pattern === '*' || pattern === name
}
