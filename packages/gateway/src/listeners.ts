import type { ListenerConfig } from '@breakwater/contract'
import { errors } from './errors.ts'
import { GatewayListener } from './listener.ts'
import type { ListenerShared } from './listener.ts'
import { isSame } from './same.ts'

/** Other listeners, ready. Exactly one of the two is called. */
export interface ListenerChange {
  /** Puts them into effect. Cannot fail. */
  commit(): Promise<void>
  /** Closes what was opened for it. */
  abandon(): Promise<void>
}

/**
 * The listeners of a gateway. A change closes no port that is wanted afterwards: who listens on the same address hands it
 * over, under another name and with other settings if need be.
 */
export class Listeners {
  readonly #shared: ListenerShared
  /** Replaced or removed; gone when the last of their connections is. */
  readonly #retiring = new Set<GatewayListener>()
  #open: ReadonlyMap<string, GatewayListener> = new Map()

  constructor(shared: ListenerShared) {
    this.#shared = shared
  }

  /** By name. */
  get open(): ReadonlyMap<string, GatewayListener> {
    return this.#open
  }

  /** Those of replaced listeners included. */
  get connections(): number {
    return this.#all().reduce((sum, { connections }) => sum + connections, 0)
  }

  /**
   * Opens what is missing and prepares what changes. What is open goes on until the change is committed.
   *
   * @throws `BW_GATEWAY_START_FAILED` when one cannot open or its certificate cannot be used: then nothing has changed.
   */
  async prepare(configs: readonly ListenerConfig[]): Promise<ListenerChange> {
    const opened: GatewayListener[] = []
    const closeOpened = async (): Promise<void> => {
      for (const listener of opened) await listener.close()
    }
    const steps: (() => void)[] = []
    const next = new Map<string, GatewayListener>()
    try {
      for (const config of configs) {
        const holder = this.#holderOf(config)
        if (holder === undefined) {
          const listener = await GatewayListener.open(config, this.#shared).catch((error: unknown) => {
            throw this.#ownRival(config, error) ?? error
          })
          opened.push(listener)
          next.set(config.name, listener)
        } else if (isSame(holder.config, config)) {
          steps.push(holder.prepareRenewal())
          next.set(config.name, holder)
        } else {
          const { listener, takeOver } = holder.prepareSuccessor(config)
          steps.push(takeOver)
          next.set(config.name, listener)
        }
      }
    } catch (error) {
      await closeOpened()
      throw error
    }
    return {
      commit: async () => {
        for (const step of steps) step()
        const staying = new Set(next.values())
        const leaving = [...this.#open.values()].filter((listener) => !staying.has(listener))
        this.#open = next
        for (const listener of leaving) await this.#retire(listener)
      },
      abandon: closeOpened,
    }
  }

  async drain(): Promise<void> {
    await Promise.all(this.#all().map((listener) => listener.drain()))
  }

  async close(): Promise<void> {
    await Promise.all(this.#all().map((listener) => listener.close()))
  }

  /** Who has the address already. A port that the system chose belongs to its name. */
  #holderOf({ name, host, port }: ListenerConfig): GatewayListener | undefined {
    for (const listener of this.#open.values()) {
      const { config } = listener
      if (config.host === host && config.port === port && (port !== 0 || config.name === name))
        return listener
    }
    return undefined
  }

  /** Two addresses that overlap share no port, and the one that is open is not closed before the other is. */
  #ownRival({ name, host, port }: ListenerConfig, cause: unknown): Error | undefined {
    const held = [...this.#open.values()].map(({ config }) => config).find((one) => one.port === port)
    if (held === undefined || port === 0 || !isAnyHost(held.host, host)) return undefined
    return errors.BW_GATEWAY_START_FAILED(
      `listener ${name} cannot open on ${host}:${port} while this gateway listens on ${held.host}:${port} itself (listener ${held.name}): restart it, or choose another port`,
      { cause },
    )
  }

  #all(): GatewayListener[] {
    return [...this.#open.values(), ...this.#retiring]
  }

  /** Accepts no more; what is open lives on, and is known until it is gone. */
  async #retire(listener: GatewayListener): Promise<void> {
    for (const earlier of this.#retiring) if (earlier.connections === 0) this.#retiring.delete(earlier)
    this.#retiring.add(listener)
    await listener.drain()
  }
}

/** Whether one of them stands for every address of the machine. */
function isAnyHost(...hosts: readonly string[]): boolean {
  return hosts.some((host) => host === '0.0.0.0' || host === '::')
}
