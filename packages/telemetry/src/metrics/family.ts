import { errors } from '../errors.ts'
import { escapeHelp, formatValue, labelText, seriesName } from './exposition.ts'
import { CellPool, Counter, Gauge, Histogram } from './series.ts'
import type { Cell } from './series.ts'

/** The label value of the series that takes what is over a metric's budget. */
export const OVERFLOW_LABEL = 'other'

export interface MetricOptions<Label extends string = string> {
  /** `breakwater_<thing>_<unit>`, counters with `_total` at the end. Base units: seconds, bytes, ratio. */
  readonly name: string
  /** One sentence for whoever reads the dashboard. */
  readonly help: string
  /** Label names, in the order in which `labels(…)` takes the values. Default none. */
  readonly labels?: readonly Label[]
  /** The label budget: most label sets that this metric may have. A whole number from 1 to 100,000. Default: the registry's. */
  readonly maxSeries?: number
}

export interface HistogramOptions<Label extends string = string> extends MetricOptions<Label> {
  /** Upper bounds, rising and finite; `+Inf` is added. Default `latencyBucketsSeconds`. */
  readonly buckets?: readonly number[]
}

/** From half a millisecond to a minute, in seconds. */
export const latencyBucketsSeconds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
]

interface Series<Handle> {
  readonly handle: Handle
  readonly labels: string
}

/**
 * All series of one metric, at most `maxSeries` of them. A label set over the budget is counted in the series whose
 * labels are all `other`, so a flood of label values costs one series and a visible number, never memory.
 */
export class MetricFamily<Handle extends { readonly cell: Cell }> {
  readonly name: string
  readonly labelNames: readonly string[]
  readonly #head: string
  readonly #maxSeries: number
  readonly #pool: CellPool
  readonly #width: number
  readonly #make: (cell: Cell) => Handle
  readonly #print: (name: string, labels: string, handle: Handle) => string
  readonly #onOverflow: () => void
  readonly #series = new Map<string, Series<Handle>>()
  #overflow: Series<Handle> | undefined

  /** @internal Made by the registry, which has checked the options. */
  constructor(parts: FamilyParts<Handle>) {
    this.name = parts.name
    this.labelNames = parts.labelNames
    this.#head = `# HELP ${parts.name} ${escapeHelp(parts.help)}\n# TYPE ${parts.name} ${parts.type}\n`
    this.#maxSeries = parts.maxSeries
    this.#width = parts.width
    this.#pool = new CellPool(parts.width)
    this.#make = parts.make
    this.#print = parts.print
    this.#onOverflow = parts.onOverflow
    if (parts.labelNames.length === 0) this.labels()
  }

  /**
   * The handle for these label values, made on first use. Hashes strings: resolve it when a route or an endpoint is
   * compiled and keep it, never per request. Over the budget it is the shared overflow handle.
   *
   * @throws `BW_TELEMETRY_METRIC_INVALID` when the number of values is not the number of labels.
   */
  labels(...values: readonly string[]): Handle {
    if (values.length !== this.labelNames.length) {
      throw errors.BW_TELEMETRY_METRIC_INVALID(
        `${this.name} has ${this.labelNames.length} labels (${this.labelNames.join(', ')}), got ${values.length} values`,
      )
    }
    const labels = labelText(this.labelNames, values)
    const known = this.#series.get(labels)
    if (known !== undefined) return known.handle
    if (this.#series.size >= this.#maxSeries) {
      this.#onOverflow()
      this.#overflow ??= this.#open(
        labelText(
          this.labelNames,
          this.labelNames.map(() => OVERFLOW_LABEL),
        ),
      )
      return this.#overflow.handle
    }
    const series = this.#open(labels)
    this.#series.set(labels, series)
    return series.handle
  }

  /**
   * Forgets a series, as when its endpoint has left the configuration, and frees its place in the budget. A handle
   * somebody still holds keeps counting, unseen, into memory of its own.
   */
  remove(...values: readonly string[]): boolean {
    const labels = labelText(this.labelNames, values)
    const series = this.#series.get(labels)
    if (series === undefined) return false
    this.#series.delete(labels)
    const { cell } = series.handle
    const { slots, offset } = cell
    cell.slots = slots.slice(offset, offset + this.#width)
    cell.offset = 0
    this.#pool.giveBack(slots, offset)
    return true
  }

  /** How many label sets are in use, the overflow series left out. */
  get seriesCount(): number {
    return this.#series.size
  }

  /** @internal */
  expose(): string {
    if (this.#series.size === 0) return ''
    let text = this.#head
    // A label set that really reads `other` shares the overflow's name: two samples of one name would be invalid.
    const overflow = this.#overflow
    for (const { labels, handle } of this.#series.values()) {
      if (overflow?.labels !== labels) text += this.#print(this.name, labels, handle)
    }
    if (overflow === undefined) return text
    const twin = this.#series.get(overflow.labels)
    return (
      text +
      this.#print(
        this.name,
        overflow.labels,
        twin === undefined ? overflow.handle : this.#joined(twin, overflow),
      )
    )
  }

  #open(labels: string): Series<Handle> {
    return { labels, handle: this.#make(this.#pool.take()) }
  }

  #joined(one: Series<Handle>, two: Series<Handle>): Handle {
    const slots = new Float64Array(this.#width)
    for (const { cell } of [one.handle, two.handle]) {
      for (let slot = 0; slot < this.#width; slot++) {
        slots[slot] = (slots[slot] ?? 0) + (cell.slots[cell.offset + slot] ?? 0)
      }
    }
    return this.#make({ slots, offset: 0 })
  }
}

export interface FamilyParts<Handle> {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labelNames: readonly string[]
  readonly maxSeries: number
  readonly width: number
  readonly make: (cell: Cell) => Handle
  readonly print: (name: string, labels: string, handle: Handle) => string
  readonly onOverflow: () => void
}

/** One sample line of a counter or a gauge. */
export function printValue(name: string, labels: string, handle: Counter | Gauge): string {
  return `${seriesName(name, labels)} ${formatValue(handle.value)}\n`
}

/** The sample lines of a histogram: cumulative buckets up to `+Inf`, then the sum and the count. */
export function histogramPrinter(
  bounds: readonly number[],
): (name: string, labels: string, handle: Histogram) => string {
  const les = [...bounds.map(formatValue), '+Inf']
  return (name, labels, { cell, sum }) => {
    let text = ''
    let cumulative = 0
    for (const [bucket, le] of les.entries()) {
      cumulative += cell.slots[cell.offset + bucket] ?? 0
      text += `${name}_bucket{${labels === '' ? '' : `${labels},`}le="${le}"} ${cumulative}\n`
    }
    return `${text}${seriesName(`${name}_sum`, labels)} ${formatValue(sum)}\n${seriesName(`${name}_count`, labels)} ${cumulative}\n`
  }
}
