import type { Random, VirtualClock } from '@breakwater/core'
import { createRandom } from '@breakwater/core'
import type { SimLab } from '@breakwater/drill'
import { SimNetwork } from '@breakwater/http'
import type { Driver } from '@breakwater/http'

/** What the network does to the bytes on the way. */
export type NetworkFaults = NonNullable<ConstructorParameters<typeof SimNetwork>[0]['faults']>

/** Where a simulated program sends its requests for a service. */
export interface Address {
  readonly host: string
  readonly port: number
  /** Put before the path of every request: a gateway routes by it. */
  readonly prefix: string
}

/** The port that every simulated service listens on. */
export const SERVICE_PORT = 80

/**
 * A network under virtual time with everything that plays on it. Whoever is added draws from luck of its own, seeded by
 * its name: adding one more leaves the luck of the others as it was, and both states of a control see the same arrivals.
 */
export class SimWorld {
  readonly clock: VirtualClock
  readonly network: SimNetwork
  readonly #seed: number
  readonly #addresses = new Map<string, Address>()

  constructor(lab: Pick<SimLab, 'seed' | 'clock'>, faults: NetworkFaults = { latencyMs: 0.5 }) {
    this.clock = lab.clock
    this.#seed = lab.seed
    this.network = new SimNetwork({ seed: lab.seed, clock: lab.clock, faults })
  }

  /** The machine of this name; others reach it by the name. */
  host(name: string): Driver {
    return this.network.driver(name)
  }

  /** Luck of its own for `name`: the same for one seed, whoever else is there. */
  luck(name: string): Random {
    return createRandom(hash(name) ^ this.#seed)
  }

  /**
   * Lets `forMs` of virtual time pass. For worlds that are open and wait for no promise: much cheaper than
   * `clock.advance`. Breathes at fixed virtual times, as the laboratory wants it.
   */
  async run(forMs: number): Promise<void> {
    const untilMs = this.clock.now() + forMs
    while (this.clock.now() < untilMs) {
      this.clock.runUntil(Math.min(untilMs, this.clock.now() + 250))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** From now on requests for `service` go to the gateway at `host`, which knows the service by the path prefix `/service`. */
  routeThrough(service: string, gateway: { readonly host: string; readonly port: number }): void {
    this.#addresses.set(service, { ...gateway, prefix: `/${service}` })
  }

  /** Where requests for `service` go: its gateway, or the service itself. */
  addressOf(service: string): Address {
    return this.#addresses.get(service) ?? { host: service, port: SERVICE_PORT, prefix: '' }
  }
}

/** Exponentially distributed, as the gaps between independent arrivals are. */
export function exponential(mean: number, random: Random): number {
  return -Math.log(1 - random()) * mean
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x0100_0193)
  return value
}
