import type { Answer } from './caller.ts'
import { missingOf } from './service.ts'

/** One request of a client, from the moment it was wanted (not from when a connection was free) to its answer. */
export interface Entry {
  readonly wantedMs: number
  readonly endedMs: number
  readonly status: number
  readonly failure: Answer['failure'] | undefined
  /** Parts that the answer lacks. */
  readonly missing: readonly string[]
}

/** What clients have seen. Entries count by when they were wanted, so that a slow system cannot hide its victims. */
export class Ledger {
  readonly entries: Entry[] = []
  /** Requests sent, repetitions included. */
  tries: number = 0

  add(wantedMs: number, endedMs: number, answer: Answer): void {
    const { status, failure } = answer
    this.entries.push({ wantedMs, endedMs, status, failure, missing: missingOf(answer) })
  }

  /** The part that was wanted from `fromMs` on and before `toMs`. */
  between(fromMs: number, toMs: number): Ledger {
    const part = new Ledger()
    part.entries.push(...this.entries.filter(({ wantedMs }) => wantedMs >= fromMs && wantedMs < toMs))
    part.tries = part.entries.length
    return part
  }

  get count(): number {
    return this.entries.length
  }

  /** Answers with a status below 400. */
  get good(): readonly Entry[] {
    return this.entries.filter(isGood)
  }

  /** Share of requests with a good answer, complete or not. NaN when there was none. */
  get goodRatio(): number {
    return this.good.length / this.entries.length
  }

  /** Share of requests with a good answer that lacks nothing. */
  get completeRatio(): number {
    return this.good.filter(({ missing }) => missing.length === 0).length / this.entries.length
  }

  /** Share of requests with a good answer that came within `limitMs`: what a user calls working. */
  withinRatio(limitMs: number): number {
    return this.good.filter((entry) => entry.endedMs - entry.wantedMs <= limitMs).length / this.entries.length
  }

  /** Good answers a second over `windowMs`. */
  goodput(windowMs: number): number {
    return (this.good.length * 1000) / windowMs
  }

  /** Time that this share of the requests took at the most, failures included. Milliseconds; NaN without requests. */
  quantileMs(share: number): number {
    const times = this.entries.map(({ wantedMs, endedMs }) => endedMs - wantedMs).sort((a, b) => a - b)
    return times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)] ?? Number.NaN
  }

  statuses(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const { status, failure } of this.entries) {
      const key = failure ?? String(status)
      counts[key] = (counts[key] ?? 0) + 1
    }
    return counts
  }
}

function isGood({ status }: Entry): boolean {
  return status >= 200 && status < 400
}

/** The largest number of `timesMs` (in order) within any window: how high a wave was. */
export function peakWithin(timesMs: readonly number[], windowMs: number): number {
  let first = 0
  let peak = 0
  for (const [index, timeMs] of timesMs.entries()) {
    while ((timesMs[first] ?? timeMs) <= timeMs - windowMs) first++
    peak = Math.max(peak, index - first + 1)
  }
  return peak
}
