// Text at the edge, numbers inside: this is the only file that converts between the two.

const MS_PER_UNIT: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
]
const BYTES_PER_UNIT: readonly (readonly [string, number])[] = [
  ['GiB', 1_073_741_824],
  ['MiB', 1_048_576],
  ['KiB', 1024],
  ['B', 1],
]
const SECONDS_PER_UNIT: readonly (readonly [string, number])[] = [
  ['s', 1],
  ['m', 60],
  ['h', 3600],
]

export const DURATION: RegExp = /^\d{1,9}(ms|s|m|h|d)$/
export const SIZE: RegExp = /^\d{1,12}(B|KiB|MiB|GiB)$/
export const RATE: RegExp = /^\d{1,9}\/(s|m|h)$/
export const BYTE_RATE: RegExp = /^\d{1,12}(B|KiB|MiB|GiB)\/s$/

/** `250ms`, `2s`, `5m`, `1h`, `1d` → milliseconds. The text must match {@link DURATION}. */
export function parseDurationMs(text: string): number {
  return scale(text, MS_PER_UNIT)
}

/** Milliseconds → the shortest exact text: 90000 → `90s`, 120000 → `2m`. Whole milliseconds only. */
export function formatDuration(ms: number): string {
  return unscale(ms, MS_PER_UNIT)
}

/** `512B`, `16KiB`, `10MiB`, `1GiB` → bytes. The text must match {@link SIZE}. */
export function parseBytes(text: string): number {
  return scale(text, BYTES_PER_UNIT)
}

/** Bytes → the shortest exact text: 16384 → `16KiB`. */
export function formatBytes(bytes: number): string {
  return unscale(bytes, BYTES_PER_UNIT)
}

/** `10/s`, `90/m`, `5/h` → events per second. The text must match {@link RATE}. */
export function parseRatePerSecond(text: string): number {
  const [amount = '', unit = ''] = text.split('/')
  return Number(amount) / factor(unit, SECONDS_PER_UNIT)
}

/** Events per second → the first of per second, minute and hour in which it is a whole number. */
export function formatRate(perSecond: number): string {
  for (const [unit, seconds] of SECONDS_PER_UNIT) {
    const amount = perSecond * seconds
    if (Math.abs(amount - Math.round(amount)) < 1e-9 * Math.max(1, amount))
      return `${Math.round(amount)}/${unit}`
  }
  return `${Math.round(perSecond * 3600)}/h`
}

/** `240B/s`, `16KiB/s` → bytes per second. The text must match {@link BYTE_RATE}. */
export function parseBytesPerSecond(text: string): number {
  return parseBytes(text.slice(0, -2))
}

/** Bytes per second → text, the inverse of {@link parseBytesPerSecond}. */
export function formatByteRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`
}

function scale(text: string, units: readonly (readonly [string, number])[]): number {
  const unit = text.replace(/^\d+/, '')
  return Number(text.slice(0, text.length - unit.length)) * factor(unit, units)
}

function factor(unit: string, units: readonly (readonly [string, number])[]): number {
  return units.find(([name]) => name === unit)?.[1] ?? Number.NaN
}

function unscale(amount: number, units: readonly (readonly [string, number])[]): string {
  const [name, size] = units.find(([, size]) => amount >= size && amount % size === 0) ??
    units.at(-1) ?? ['', 1]
  return `${amount / size}${name}`
}
