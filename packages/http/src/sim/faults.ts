import { errors } from '../errors.ts'

/** How a connection is lost: a reset on both sides, a clean end at the wrong place, or nothing ever again. */
export type BreakKind = 'reset' | 'end' | 'silence'

/**
 * What a simulated network does to the bytes from one host to another. Each direction has its own; what concerns a
 * whole connection (`break…`, `refuseRatio`, `blackHoleRatio`) is read from the direction client to server when it opens.
 */
export interface LinkFaults {
  /** One way. Milliseconds, 0 or more. Default 0. */
  readonly latencyMs?: number
  /** Added to each segment's latency, uniformly from 0 to this. Order is kept. Milliseconds. Default 0. */
  readonly jitterMs?: number
  /** How fast the receiver takes bytes: a slow reader. Above 0. Default `Infinity`. */
  readonly bytesPerSecond?: number
  /** No delivery is longer than this. 1 or more. Default 65536. */
  readonly maxSegmentBytes?: number
  /** The chance that a segment is cut in two at a random byte, asked again for the rest. 0–1. Default 0. */
  readonly splitRatio?: number
  /** The share of connections that are lost on the way. 0–1. Default 0. */
  readonly breakRatio?: number
  /** A connection that is to be lost is lost after a byte drawn uniformly from 0 to this, exclusive. Default 4096. */
  readonly breakWithinBytes?: number
  /** Default `reset`. */
  readonly breakKind?: BreakKind
  /** The share of connection attempts that are refused. 0–1. Default 0. */
  readonly refuseRatio?: number
  /** The share of connection attempts that get no answer. 0–1. Default 0. */
  readonly blackHoleRatio?: number
  /** While true nothing passes: bytes wait, connection attempts get no answer. Default false. */
  readonly isCut?: boolean
}

const NO_FAULTS: Required<LinkFaults> = {
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: Infinity,
  maxSegmentBytes: 65_536,
  splitRatio: 0,
  breakRatio: 0,
  breakWithinBytes: 4096,
  breakKind: 'reset',
  refuseRatio: 0,
  blackHoleRatio: 0,
  isCut: false,
}

/** Fills in the defaults. @throws `BW_HTTP_OPTIONS_INVALID` that lists every value out of range. */
export function resolveFaults(faults: LinkFaults): Required<LinkFaults> {
  const resolved = { ...NO_FAULTS, ...faults }
  const problems: string[] = []
  for (const key of ['latencyMs', 'jitterMs'] as const)
    if (!(resolved[key] >= 0 && resolved[key] < Infinity))
      problems.push(`${key} must be 0 or more, got ${resolved[key]}`)
  for (const key of ['splitRatio', 'breakRatio', 'refuseRatio', 'blackHoleRatio'] as const)
    if (!(resolved[key] >= 0 && resolved[key] <= 1))
      problems.push(`${key} must be from 0 to 1, got ${resolved[key]}`)
  for (const key of ['maxSegmentBytes', 'breakWithinBytes'] as const)
    if (!(resolved[key] >= 1)) problems.push(`${key} must be 1 or more, got ${resolved[key]}`)
  if (!(resolved.bytesPerSecond > 0))
    problems.push(`bytesPerSecond must be above 0, got ${resolved.bytesPerSecond}`)
  if (problems.length > 0) throw errors.BW_HTTP_OPTIONS_INVALID(`link faults: ${problems.join('; ')}`)
  return resolved
}

/** Something that waits while a link is cut or a host stands still, and is told when it may go on. */
export interface Waiter {
  goOn(): void
}

/** One direction between two hosts. Pipes read its faults at every step, so changing them acts on open connections. */
export class Link {
  faults: Required<LinkFaults>
  readonly #waiting = new Set<Waiter>()

  constructor(faults: LinkFaults) {
    this.faults = resolveFaults(faults)
  }

  set(faults: LinkFaults): void {
    this.faults = resolveFaults(faults)
    if (this.faults.isCut) return
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const waiter of waiting) waiter.goOn()
  }

  /** Calls `waiter.goOn` once, when the link is whole again. */
  wait(waiter: Waiter): void {
    this.#waiting.add(waiter)
  }
}
