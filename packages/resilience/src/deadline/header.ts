import { errors } from '../errors.ts'

/**
 * The field that carries a deadline to the next hop: **whole milliseconds that remain**, 0 to 9 999 999 999, decimal
 * digits and nothing else. Remaining time, not a date: the clocks of two machines never have to agree. What the
 * network takes is not subtracted on the way; leave a margin where that matters.
 */
export const DEADLINE_HEADER = 'x-request-deadline-ms'

const WHOLE_MS = /^\d{1,10}$/
const MAX_MS = 9_999_999_999

/**
 * The value to send with a call that ends at `deadlineMs`, keeping `marginMs` for the way back. `undefined` when there
 * is no deadline. `'0'` when no time is left: do not send such a call at all.
 */
export function encodeDeadline(deadlineMs: number, nowMs: number, marginMs = 0): string | undefined {
  if (deadlineMs === Infinity) return undefined
  const leftMs = Math.floor(deadlineMs - nowMs - marginMs)
  return String(Math.min(MAX_MS, Math.max(0, leftMs)))
}

/** When a received value ends, by this machine's clock. `Infinity` when there is none, `NaN` when it is malformed. */
export function decodeDeadline(value: string | undefined, nowMs: number): number {
  if (value === undefined) return Infinity
  return WHOLE_MS.test(value) ? nowMs + Number(value) : NaN
}

export interface ArrivalOptions {
  /** What this hop allows at the most. Milliseconds, above 0. */
  readonly ownTimeoutMs: number
  /** Work with less time left than this is refused too. Milliseconds, 0 or more. Default 0. */
  readonly minRemainingMs?: number
  /** Decide and count, but refuse nobody: expired or malformed deadlines then count as absent. Default false. */
  readonly dark?: boolean
}

/**
 * Judges deadlines on arrival, before anything is parsed or queued. The result is the earlier of the caller's deadline
 * and this hop's own limit, so time can only shrink on the way down.
 */
export class DeadlineGate {
  dark: boolean
  readonly counters: { malformed: number; expired: number; wouldRefuse: number } = {
    malformed: 0,
    expired: 0,
    wouldRefuse: 0,
  }
  readonly #ownTimeoutMs: number
  readonly #minRemainingMs: number

  constructor(options: ArrivalOptions) {
    const { ownTimeoutMs, minRemainingMs = 0, dark = false } = options
    if (!(ownTimeoutMs > 0) || !(minRemainingMs >= 0))
      throw errors.BW_RESILIENCE_OPTIONS_INVALID(
        `deadline: ownTimeoutMs must be above 0, got ${ownTimeoutMs}; minRemainingMs 0 or more, got ${minRemainingMs}`,
      )
    this.#ownTimeoutMs = ownTimeoutMs
    this.#minRemainingMs = minRemainingMs
    this.dark = dark
  }

  /**
   * The deadline of a call that arrived at `nowMs` with this header value.
   *
   * @throws `BW_RESILIENCE_DEADLINE_MALFORMED` when the value is not whole milliseconds.
   * @throws `BW_RESILIENCE_DEADLINE_EXPIRED` when the caller has already given up.
   */
  arrive(value: string | undefined, nowMs: number): number {
    const ownMs = nowMs + this.#ownTimeoutMs
    const theirsMs = decodeDeadline(value, nowMs)
    if (theirsMs > nowMs && theirsMs - nowMs >= this.#minRemainingMs) return Math.min(ownMs, theirsMs)
    const isMalformed = Number.isNaN(theirsMs)
    if (isMalformed) this.counters.malformed++
    else this.counters.expired++
    if (this.dark) {
      this.counters.wouldRefuse++
      return ownMs
    }
    if (isMalformed)
      throw errors.BW_RESILIENCE_DEADLINE_MALFORMED(
        `${DEADLINE_HEADER} must be 1 to 10 digits, got ${JSON.stringify((value ?? '').slice(0, 32))}`,
      )
    throw errors.BW_RESILIENCE_DEADLINE_EXPIRED(
      `the caller left ${value} ms for this work, at least ${Math.max(1, this.#minRemainingMs)} are needed`,
      { details: { remainingMs: Number(value) } },
    )
  }
}
