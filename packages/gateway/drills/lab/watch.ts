import type { SimService } from './service.ts'
import type { SimWorld } from './world.ts'

const EVERY_MS = 250

/**
 * Looks at services four times a second and remembers who stood still: every worker taken, or a connection pool with
 * nothing free and somebody waiting, for `forMs` without a break.
 */
export function watchForStandstill(
  world: SimWorld,
  services: readonly SimService[],
  options: { readonly untilMs: number; readonly forMs: number },
): ReadonlyMap<string, number> {
  const since = new Map<string, number>()
  const stoodAtMs = new Map<string, number>()
  const note = (what: string, isStuck: boolean, nowMs: number): void => {
    if (!isStuck) since.delete(what)
    else if (!since.has(what)) since.set(what, nowMs)
    else if (nowMs - (since.get(what) ?? nowMs) >= options.forMs && !stoodAtMs.has(what))
      stoodAtMs.set(what, nowMs)
  }
  const look = (): void => {
    const nowMs = world.clock.now()
    for (const service of services) {
      note(service.name, service.workers.isFull, nowMs)
      for (const [to, pool] of service.caller.pools)
        note(`${service.name} to ${to}`, pool.counters.pending > 0, nowMs)
    }
    if (nowMs < options.untilMs) world.clock.schedule(EVERY_MS, look)
  }
  look()
  return stoodAtMs
}
