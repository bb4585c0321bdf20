import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { errors } from './errors.ts'
import type { MetricsRegistry } from './metrics/registry.ts'

/** How the messages of one diagnostics channel become one metric. */
export interface MechanismMetric {
  /** Channel that the mechanism publishes on, such as `breakwater.resilience`. */
  readonly channel: string
  /** Only messages whose `name` is this one. Default: every message. */
  readonly event?: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** Name of the metric, by the rules of its kind. */
  readonly name: string
  readonly help: string
  /** Fields of the message that become labels of the same name. A missing field is the label value `none`. */
  readonly labels: readonly string[]
  /** Field that holds the amount. A counter without one adds 1; a gauge or histogram needs one. */
  readonly value?: string
  /** Label budget. Default: the registry's. */
  readonly maxSeries?: number
}

type Message = Readonly<{ [field: string]: unknown }>

/**
 * Turns what mechanisms publish on `node:diagnostics_channel` into metrics, so that nothing below needs to know of
 * telemetry. Messages are objects; others are left alone. Costs one string look-up a message: for decisions and changes of
 * state, not for every request. Disposing of the result ends the subscriptions.
 *
 * @throws `BW_TELEMETRY_METRIC_INVALID` when a metric is ill-defined or lacks its `value`.
 */
export function subscribeToMechanisms(
  registry: MetricsRegistry,
  metrics: readonly MechanismMetric[],
): Disposable {
  const handlers = metrics.map((metric) => {
    const record = recorder(registry, metric)
    const onMessage = (message: unknown): void => {
      // A publisher must not fail because somebody listens: only plain reads and array writes below.
      if (typeof message !== 'object' || message === null) return
      const fields = message as Message
      if (metric.event === undefined || fields['name'] === metric.event) record(fields)
    }
    return [metric.channel, onMessage] as const
  })
  for (const [channel, onMessage] of handlers) subscribe(channel, onMessage)
  return {
    [Symbol.dispose](): void {
      for (const [channel, onMessage] of handlers) unsubscribe(channel, onMessage)
    },
  }
}

function recorder(registry: MetricsRegistry, metric: MechanismMetric): (message: Message) => void {
  const { kind, name, help, labels, value, maxSeries } = metric
  const definition = { name, help, labels, ...(maxSeries === undefined ? undefined : { maxSeries }) }
  const valuesOf = (message: Message): string[] => labels.map((label) => labelValue(message[label]))
  if (kind === 'counter') {
    const family = registry.counter(definition)
    return (message) =>
      family.labels(...valuesOf(message)).add(value === undefined ? 1 : amount(message[value]))
  }
  if (value === undefined)
    throw errors.BW_TELEMETRY_METRIC_INVALID(`${name}: a ${kind} needs the field of its value`)
  if (kind === 'gauge') {
    const family = registry.gauge(definition)
    return (message) => family.labels(...valuesOf(message)).set(amount(message[value]))
  }
  const family = registry.histogram(definition)
  return (message) => family.labels(...valuesOf(message)).observe(amount(message[value]))
}

function labelValue(field: unknown): string {
  return typeof field === 'string' || typeof field === 'number' || typeof field === 'boolean'
    ? String(field)
    : 'none'
}

function amount(field: unknown): number {
  if (typeof field === 'boolean') return field ? 1 : 0
  return typeof field === 'number' ? field : Number.NaN
}
