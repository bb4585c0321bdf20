import { AdaptiveLimit, AdmissionGate, LoadShedder, Waiter } from '@breakwater/resilience/load'
import type { LoadShedderOptions } from '@breakwater/resilience/load'
import { createRandom, poisson, QueueingServer, VirtualClock } from './queueing.ts'

/** What became of the requests of one priority (or tenant) that arrived in the measured time. */
export interface Tally {
  offered: number
  /** Answered within the deadline. */
  good: number
  /** Answered too late: work for nothing. */
  late: number
  refused: number
  latenciesMs: number[]
}

export interface OverloadScenario {
  /** Load, as a multiple of what the server can do. */
  readonly load: number
  /** Share of each priority, adding up to 1. */
  readonly shares: readonly number[]
  /** False: no control at all, every request goes straight to the server. */
  readonly control: boolean
  readonly queue?: LoadShedderOptions
  readonly measureFromMs?: number
  readonly measureToMs?: number
  readonly tenantOf?: (random: () => number) => string
}

export const WORKERS = 16
export const SERVICE_MS = 10
export const CAPACITY_PER_SECOND = (WORKERS / SERVICE_MS) * 1000
export const DEADLINE_MS = 100

class Request extends Waiter {
  tally: Tally | undefined
  arrivedMs = 0
}

const empty = (): Tally => ({ offered: 0, good: 0, late: 0, refused: 0, latenciesMs: [] })

/** Runs one load against a queueing server, with or without the shedder in front, in virtual time. */
export function overload(scenario: OverloadScenario): { byPriority: Tally[]; byTenant: Map<string, Tally> } {
  const { load, shares, control, measureFromMs = 1000, measureToMs = 4000 } = scenario
  const clock = new VirtualClock()
  const random = createRandom(11)
  const server = new QueueingServer(clock, WORKERS, SERVICE_MS, random)
  const limit = new AdaptiveLimit({ initialLimit: WORKERS, minLimit: WORKERS, maxLimit: WORKERS }, 0)
  const byPriority = shares.map(empty)
  const byTenant = new Map<string, Tally>()
  const measured = (request: Request): boolean =>
    request.arrivedMs >= measureFromMs && request.arrivedMs < measureToMs

  const note = (request: Request, what: 'good' | 'late' | 'refused'): void => {
    if (!measured(request)) return
    for (const tally of [byPriority[request.priority], request.tally]) {
      if (tally === undefined) continue
      tally[what]++
      if (what !== 'refused') tally.latenciesMs.push(clock.now() - request.arrivedMs)
    }
  }
  const serve = (request: Request): void => {
    const startedMs = clock.now()
    server.submit(() => {
      note(request, clock.now() - request.arrivedMs <= DEADLINE_MS ? 'good' : 'late')
      if (!control) return
      limit.onSuccess(startedMs, clock.now())
      gate.pump(clock.now())
    })
  }
  const shedder = new LoadShedder(scenario.queue ?? {}, {
    seed: 3,
    onShed: (waiter) => note(waiter as Request, 'refused'),
  })
  const gate = new AdmissionGate(limit, shedder, (waiter) => serve(waiter as Request))

  poisson(
    clock,
    random,
    () => load * CAPACITY_PER_SECOND,
    () => {
      const request = new Request()
      request.arrivedMs = clock.now()
      request.deadlineMs = clock.now() + DEADLINE_MS
      let roll = random()
      request.priority = Math.max(
        0,
        shares.findIndex((share) => (roll -= share) < 0),
      )
      if (scenario.tenantOf !== undefined) {
        const name = scenario.tenantOf(random)
        request.tenant = shedder.tenantOf(name)
        request.tally = byTenant.get(name)
        if (request.tally === undefined) byTenant.set(name, (request.tally = empty()))
      }
      if (measured(request)) {
        const own = byPriority[request.priority]
        if (own !== undefined) own.offered++
        if (request.tally !== undefined) request.tally.offered++
      }
      if (!control) return serve(request)
      const verdict = gate.arrive(request, clock.now())
      if (verdict === 'run') serve(request)
      if (verdict === 'shed') note(request, 'refused')
    },
  )
  clock.runUntil(measureToMs + 500)
  return { byPriority, byTenant }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
