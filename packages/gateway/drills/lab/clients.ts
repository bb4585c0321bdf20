import type { Random } from '@breakwater/core'

import { Caller } from './caller.ts'
import type { Ask } from './caller.ts'
import { Ledger } from './ledger.ts'
import { exponential } from './world.ts'
import type { SimWorld } from './world.ts'

export interface ClientOptions {
  /** Their host on the network. Give each kind of client its own. */
  readonly name: string
  /** What they ask, through its gateway if it has one. */
  readonly service: string
  readonly ask?: Ask | ((random: Random) => Ask)
  /** Independent arrivals a second, on average. They do not wait for each other: an open loop. */
  readonly perSecond: number
  readonly fromMs: number
  readonly untilMs: number
  /** How long a client waits for one try. Milliseconds. */
  readonly timeoutMs: number
  /** Tries in all. Default 1. */
  readonly attempts?: number
  /** Wait before try `attempt` (2 and up). Default: none, as impatient clients do. */
  readonly backoffMs?: (attempt: number, random: Random) => number
}

/**
 * Many clients that come one by one, whatever the state of the system is: the load does not fall because answers are slow.
 * Attackers are clients too, only more of them. Returns at once; the ledger fills as the clock moves on.
 */
export function sendClients(world: SimWorld, options: ClientOptions): Ledger {
  const { name, service, perSecond, fromMs, untilMs, timeoutMs, attempts = 1, backoffMs = () => 0 } = options
  const ledger = new Ledger()
  const random = world.luck(`clients ${name}`)
  const caller = new Caller(world, name, {
    pool: { maxConnections: 100_000, pendingTimeoutMs: 600_000, connectTimeoutMs: 600_000 },
  })
  const askOf =
    typeof options.ask === 'function' ? options.ask : (): Ask => (options.ask as Ask | undefined) ?? {}
  const send = (ask: Ask, wantedMs: number, attempt: number): void => {
    ledger.tries++
    caller.call(service, ask, timeoutMs, (answer, nowMs) => {
      const isFinal =
        attempt >= attempts || (answer.status > 0 && answer.status < 500 && answer.status !== 429)
      if (isFinal) ledger.add(wantedMs, nowMs, answer)
      else world.clock.schedule(backoffMs(attempt + 1, random), () => send(ask, wantedMs, attempt + 1))
    })
  }
  const arrive = (): void => {
    const nowMs = world.clock.now()
    if (nowMs >= untilMs) return
    world.clock.schedule(exponential(1000 / perSecond, random), arrive)
    if (nowMs > fromMs) send(askOf(random), nowMs, 1)
  }
  world.clock.schedule(Math.max(0, fromMs - world.clock.now()), arrive)
  return ledger
}
