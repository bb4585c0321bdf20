import type { Clock } from '@breakwater/core'

import { RawClient } from '../lab/raw-client.ts'
import type { Wire } from '../lab/raw-client.ts'
import { statusOf } from '../lab/visitors.ts'
import type { Seen } from './naive-backend.ts'
import type { Payload } from './payloads.ts'

/** What became of one payload. */
export interface Played {
  readonly payload: Payload
  /** People who came before the attack and got their own answer, of two. */
  readonly servedBefore: number
  /** People who came right after it and got their own answer, of three. */
  readonly servedAfter: number
  /** The answer to the attacker: its status, 0 for none, and whether the connection was closed then. */
  readonly status: number
  readonly isClosed: boolean
  /** What the second server saw. */
  readonly backend: Seen
}

const PATHS_BEFORE = ['/shop/home', '/shop/cart'] as const
const PATHS_AFTER = ['/shop/account', '/shop/orders', '/shop/help'] as const

export interface Stage {
  readonly wire: Wire
  readonly to: { readonly host: string; readonly port: number }
  /** Waits while the others do something. */
  readonly pause: (ms: number) => Promise<void>
  /** How long everybody gets. Milliseconds. */
  readonly patienceMs: number
  readonly lookAtBackend: () => Seen | Promise<Seen>
}

/** Two people ask, somebody attacks, three more people ask. Everybody comes with a connection of his own. */
export async function play(payload: Payload, stage: Stage): Promise<Played> {
  const { wire, to, pause, patienceMs } = stage
  const ask = async (path: string): Promise<boolean> => {
    const client = RawClient.open(wire, 'visitor', to)
    client.write(`GET ${path} HTTP/1.1\r\nHost: ${payload.id}\r\nCookie: session=mine\r\n\r\n`)
    await until(() => client.received.includes('\r\n\r\nGET ') || client.closedMs !== undefined, stage)
    const isOwn = client.received.endsWith(`\r\n\r\nGET ${path}`) && statusOf(client.received) === 200
    client.close()
    return isOwn
  }
  let servedBefore = 0
  for (const path of PATHS_BEFORE) servedBefore += Number(await ask(path))
  const attacker = RawClient.open(wire, 'attacker', to)
  attacker.write(payload.bytes(payload.id))
  await until(() => attacker.received.includes('\r\n\r\n'), stage, patienceMs / 2)
  await pause(20)
  let servedAfter = 0
  for (const path of PATHS_AFTER) servedAfter += Number(await ask(path))
  const isClosed = attacker.closedMs !== undefined
  attacker.close()
  return {
    payload,
    servedBefore,
    servedAfter,
    status: statusOf(attacker.received),
    isClosed,
    backend: await stage.lookAtBackend(),
  }
}

async function until(
  isTrue: () => boolean,
  {
    pause,
    patienceMs,
    wire,
  }: Pick<Stage, 'pause' | 'patienceMs'> & { readonly wire: { readonly clock: Clock } },
  limitMs = patienceMs,
): Promise<void> {
  const endMs = wire.clock.now() + limitMs
  while (!isTrue() && wire.clock.now() < endMs) await pause(5)
}

/** How a payload ended: damage done, something ambiguous that arrived behind the front, or nothing at all. */
export function verdictOf({
  payload,
  servedAfter,
  backend,
  status,
  isClosed,
}: Played): 'damage' | 'arrived' | 'none' {
  if (backend.secrets > 0 || servedAfter < PATHS_AFTER.length) return 'damage'
  if (payload.isLegal) return 'none'
  const own = new Set([...PATHS_BEFORE, ...PATHS_AFTER].map((path) => `GET ${payload.id} ${path}`))
  const hasArrived = backend.seen.some((line) => !own.has(line))
  return hasArrived || !(status >= 400 && status < 500 && isClosed) ? 'arrived' : 'none'
}

export const SERVED_BEFORE: number = PATHS_BEFORE.length
