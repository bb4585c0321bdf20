import { errors } from '../errors.ts'
import { MetricFamily, histogramPrinter, latencyBucketsSeconds, printValue } from './family.ts'
import type { FamilyParts, HistogramOptions, MetricOptions } from './family.ts'
import { Counter, Gauge, Histogram } from './series.ts'
import type { Cell } from './series.ts'

export interface MetricsRegistryOptions {
  /** The label budget of a metric that names none of its own. A whole number from 1 to 100,000. Default 1,000. */
  readonly maxSeries?: number
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const RESERVED_ENDINGS = ['_bucket', '_sum', '_count', '_total']

/** The metrics of one process. Register at start, resolve handles when routes are compiled, expose when scraped. */
export class MetricsRegistry {
  readonly #maxSeries: number
  readonly #families = new Map<string, { expose(): string }>()
  readonly #collectors = new Set<() => void>()
  readonly #overflows: MetricFamily<Counter>
  readonly #collectFailures: Counter

  /** @throws `BW_TELEMETRY_METRIC_INVALID` when `maxSeries` is out of its range. */
  constructor(options: MetricsRegistryOptions = {}) {
    this.#maxSeries = options.maxSeries ?? 1000
    const problem = budgetProblem(this.#maxSeries)
    if (problem !== undefined) throw errors.BW_TELEMETRY_METRIC_INVALID(`registry: ${problem}`)
    this.#overflows = this.counter({
      name: 'breakwater_metrics_overflow_total',
      help: 'Label sets that a metric had no room for; they were counted under "other".',
      labels: ['metric'],
    })
    this.#collectFailures = this.counter({
      name: 'breakwater_metrics_collect_failures_total',
      help: 'Collectors that threw while the metrics were being read.',
    }).labels()
  }

  /**
   * Registers a counter. Its name ends in `_total`.
   *
   * @throws `BW_TELEMETRY_METRIC_INVALID` listing every problem with the definition, a name in use included.
   */
  counter<const Label extends string = never>(options: MetricOptions<Label>): MetricFamily<Counter> {
    const problems = options.name.endsWith('_total') ? [] : ['the name of a counter ends in _total']
    return this.#register(options, problems, {
      type: 'counter',
      width: 1,
      make: (cell: Cell) => new Counter(cell),
      print: printValue,
    })
  }

  /** Registers a gauge. Throws as `counter` does. */
  gauge<const Label extends string = never>(options: MetricOptions<Label>): MetricFamily<Gauge> {
    return this.#register(options, endingProblems(options.name, 'gauge'), {
      type: 'gauge',
      width: 1,
      make: (cell: Cell) => new Gauge(cell),
      print: printValue,
    })
  }

  /** Registers a histogram. Throws as `counter` does, also for bounds that do not rise. */
  histogram<const Label extends string = never>(options: HistogramOptions<Label>): MetricFamily<Histogram> {
    const buckets = options.buckets ?? latencyBucketsSeconds
    const problems = endingProblems(options.name, 'histogram')
    const rising = buckets.every(
      (bound, index) => Number.isFinite(bound) && (index === 0 || bound > (buckets[index - 1] ?? bound)),
    )
    if (buckets.length === 0 || !rising) problems.push('buckets must be finite and rising, and at least one')
    if (options.labels?.some((label) => label === 'le') === true)
      problems.push('the label le belongs to the buckets')
    const bounds = Float64Array.from(buckets)
    return this.#register(options, problems, {
      type: 'histogram',
      width: buckets.length + 2,
      make: (cell: Cell) => new Histogram(cell, bounds),
      print: histogramPrinter(buckets),
    })
  }

  /** Calls `collect` before each exposition, to set gauges from live state. Returns what takes it away again. */
  onCollect(collect: () => void): () => void {
    this.#collectors.add(collect)
    return () => void this.#collectors.delete(collect)
  }

  /** All metrics in Prometheus text format 0.0.4; serve it as `METRICS_CONTENT_TYPE`. Costs a string a series. */
  expose(): string {
    for (const collect of this.#collectors) {
      try {
        collect()
      } catch {
        // One broken collector must not blind the operator to everything else; the failure is itself a metric.
        this.#collectFailures.inc()
      }
    }
    let text = ''
    for (const family of this.#families.values()) text += family.expose()
    return text
  }

  #register<Handle extends { readonly cell: Cell }>(
    options: MetricOptions,
    problems: readonly string[],
    parts: Pick<FamilyParts<Handle>, 'type' | 'width' | 'make' | 'print'>,
  ): MetricFamily<Handle> {
    const { name, help, labels = [], maxSeries = this.#maxSeries } = options
    const all = [...problems, ...definitionProblems(name, labels, maxSeries)]
    if (this.#families.has(name)) all.push('a metric of this name is registered already')
    if (all.length > 0) throw errors.BW_TELEMETRY_METRIC_INVALID(`${name}: ${all.join('; ')}`)
    const family = new MetricFamily<Handle>({
      ...parts,
      name,
      help,
      labelNames: labels,
      maxSeries,
      onOverflow: () => this.#overflows.labels(name).inc(),
    })
    this.#families.set(name, family)
    return family
  }
}

function budgetProblem(maxSeries: number): string | undefined {
  if (Number.isInteger(maxSeries) && maxSeries >= 1 && maxSeries <= 100_000) return undefined
  return `maxSeries must be a whole number from 1 to 100,000, got ${maxSeries}`
}

function endingProblems(name: string, type: string): string[] {
  const ending = RESERVED_ENDINGS.find((reserved) => name.endsWith(reserved))
  return ending === undefined ? [] : [`the name of a ${type} must not end in ${ending}`]
}

function definitionProblems(name: string, labels: readonly string[], maxSeries: number): string[] {
  const problems: string[] = []
  if (!METRIC_NAME.test(name)) problems.push('not a metric name of Prometheus')
  for (const label of labels) {
    if (!LABEL_NAME.test(label) || label.startsWith('__')) problems.push(`"${label}" is not a label name`)
  }
  if (new Set(labels).size !== labels.length) problems.push('a label is named twice')
  const budget = budgetProblem(maxSeries)
  if (budget !== undefined) problems.push(budget)
  return problems
}
