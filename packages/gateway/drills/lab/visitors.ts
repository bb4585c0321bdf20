import type { Random } from '@breakwater/core'

import { RawClient } from './raw-client.ts'
import type { Wire } from './raw-client.ts'
import { exponential } from './world.ts'

export interface VisitorOptions {
  /** The host they come from. */
  readonly from: string
  readonly to: { readonly host: string; readonly port: number }
  /** What each of them sends, as bytes. */
  readonly request: string | (() => string)
  /** Arrivals a second, on average. */
  readonly perSecond: number
  readonly fromMs: number
  readonly untilMs: number
  readonly timeoutMs: number
  readonly random: Random
}

/** One visitor: when it came and what it got. */
export interface Visit {
  readonly wantedMs: number
  /** 0 when there was no answer in time. */
  readonly status: number
  readonly answer: string
}

/** Visitors who each open a connection of their own, ask once and leave: those whom a full listener turns away. */
export class Visitors {
  readonly visits: Visit[] = []

  /** Share of those who came from `fromMs` on and before `untilMs` and got a 2xx. NaN when nobody came. */
  goodRatio(fromMs: number = 0, untilMs: number = Infinity): number {
    const some = this.visits.filter(({ wantedMs }) => wantedMs >= fromMs && wantedMs < untilMs)
    return some.filter(({ status }) => status >= 200 && status < 300).length / some.length
  }
}

/** Sends visitors as the clock moves on; returns at once. */
export function sendVisitors(wire: Wire, options: VisitorOptions): Visitors {
  const { from, to, perSecond, fromMs, untilMs, timeoutMs, random } = options
  const visitors = new Visitors()
  const visit = (wantedMs: number): void => {
    const client = RawClient.open(wire, from, to)
    client.write(typeof options.request === 'function' ? options.request() : options.request)
    wire.clock.schedule(timeoutMs, () => {
      visitors.visits.push({ wantedMs, status: statusOf(client.received), answer: client.received })
      client.close()
    })
  }
  const arrive = (): void => {
    const nowMs = wire.clock.now()
    if (nowMs >= untilMs) return
    wire.clock.schedule(exponential(1000 / perSecond, random), arrive)
    visit(nowMs)
  }
  wire.clock.schedule(Math.max(0, fromMs - wire.clock.now()), arrive)
  return visitors
}

/** The status of the first final answer in `received`; 0 when there is none. */
export function statusOf(received: string): number {
  const match = /^(?:HTTP\/1\.1 1\d\d [^]*?\r\n\r\n)*HTTP\/1\.[01] (\d{3}) /.exec(received)
  return match === null ? 0 : Number(match[1])
}
