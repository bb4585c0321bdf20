/** A number that helps to say why, with its unit and, where it must stay within one, its limit. */
export interface Figure {
  /** What was measured, in words: `pools out of connections`. */
  readonly name: string
  readonly value: number
  /** `ms`, `requests`, `bytes` … `ratio` (0–1) is printed as a percentage. Empty for a bare count. */
  readonly unit: string
  /** The value may not be above this. Same unit. */
  readonly atMost?: number
  /** The value may not be below this. Same unit. */
  readonly atLeast?: number
}

/** A figure with at least one limit: the only kind that honest traffic is judged by. */
export type LimitedFigure = Figure & ({ readonly atMost: number } | { readonly atLeast: number })

/** Whether the value keeps its limits. A value that is not a number keeps none; no limit is always kept. */
export function isWithinLimits(figure: Figure): boolean {
  const { value, atMost = Infinity, atLeast = -Infinity } = figure
  return value <= atMost && value >= atLeast
}

/** `p99 of honest requests 41 ms (at most 100 ms)`: for reports and messages. */
export function formatFigure(figure: Figure): string {
  const limits = [
    figure.atLeast === undefined ? undefined : `at least ${formatQuantity(figure.atLeast, figure.unit)}`,
    figure.atMost === undefined ? undefined : `at most ${formatQuantity(figure.atMost, figure.unit)}`,
  ].filter((limit) => limit !== undefined)
  const suffix = limits.length === 0 ? '' : ` (${limits.join(', ')})`
  return `${figure.name} ${formatQuantity(figure.value, figure.unit)}${suffix}`
}

/** `1234.5678` and `ms` give `1234.57 ms`, `0.995` and `ratio` give `99.5 %`; counts stay whole. At most two decimals. */
export function formatQuantity(value: number, unit: string): string {
  if (unit === 'ratio') return `${rounded(value * 100)} %`
  return unit === '' ? rounded(value) : `${rounded(value)} ${unit}`
}

function rounded(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 100) / 100) : String(value)
}
