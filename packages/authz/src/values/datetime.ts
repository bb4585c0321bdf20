import { addLongs, longOf, subtractLongs, type Long } from './long.ts'

const DAY_MS = 86_400_000n

/** An instant: 64-bit milliseconds since 1970-01-01T00:00:00Z. */
export class Datetime {
  readonly kind = 'datetime' as const
  readonly epochMs: Long

  constructor(epochMs: Long) {
    this.epochMs = epochMs
  }

  get key(): string {
    return `datetime(${this.epochMs})`
  }

  /** Undefined on overflow. */
  offset(duration: Duration): Datetime | undefined {
    const epochMs = addLongs(this.epochMs, duration.ms)
    return epochMs === undefined ? undefined : new Datetime(epochMs)
  }

  /** Undefined on overflow. */
  durationSince(earlier: Datetime): Duration | undefined {
    const ms = subtractLongs(this.epochMs, earlier.epochMs)
    return ms === undefined ? undefined : new Duration(ms)
  }

  /** Midnight of the day, floored for instants before 1970. Undefined where that midnight is out of range. */
  toDate(): Datetime | undefined {
    const epochMs = longOf(BigInt(this.epochMs) - this.#timeOfDayMs())
    return epochMs === undefined ? undefined : new Datetime(epochMs)
  }

  toTime(): Duration {
    return new Duration(Number(this.#timeOfDayMs()))
  }

  #timeOfDayMs(): bigint {
    return ((BigInt(this.epochMs) % DAY_MS) + DAY_MS) % DAY_MS
  }
}

/** A span of 64-bit milliseconds. */
export class Duration {
  readonly kind = 'duration' as const
  readonly ms: Long

  constructor(ms: Long) {
    this.ms = ms
  }

  get key(): string {
    return `duration(${this.ms})`
  }

  /** Whole units of `unitMs`, rounded towards zero. */
  in(unitMs: number): Long {
    return longOf(BigInt(this.ms) / BigInt(unitMs)) ?? 0
  }
}

const DATETIME =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{3}))?(?:Z|([+-])([0-9]{2})([0-9]{2})))?$/

/** Cedar's `datetime("…")`: a date, or date and time to seconds or milliseconds with `Z` or `±hhmm`. */
export function parseDatetime(text: string): Datetime | undefined {
  const match = DATETIME.exec(text)
  if (match === null) return undefined
  const number = (group: number): number => Number(match[group] ?? 0)
  const [year, month, day] = [number(1), number(2), number(3)]
  const [hour, minute, second, offsetHour, offsetMinute] = [4, 5, 6, 9, 10].map(number) as Five
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined
  const date = new Date(0)
  // setUTCFullYear, unlike Date.UTC, takes the years 0 to 99 literally.
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  const local = date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + number(7)
  const offsetMs = (offsetHour * 60 + offsetMinute) * 60_000
  return new Datetime(match[8] === '-' ? local + offsetMs : local - offsetMs)
}
type Five = [number, number, number, number, number]

const DURATION = /^(-)?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?$/
const UNITS_MS = [86_400_000n, 3_600_000n, 60_000n, 1000n, 1n]

/** Cedar's `duration("…")`: optional minus, then d, h, m, s, ms in that order, each once, at least one. */
export function parseDuration(text: string): Duration | undefined {
  const match = DURATION.exec(text)
  if (match === null || text === '' || text === '-') return undefined
  let total = 0n
  for (const [index, unitMs] of UNITS_MS.entries()) total += BigInt(match[index + 2] ?? 0) * unitMs
  const ms = longOf(match[1] === '-' ? -total : total)
  return ms === undefined ? undefined : new Duration(ms)
}
