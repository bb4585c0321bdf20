import { expect, test } from 'vitest'
import { parseExposition } from '../../test/parse-exposition.ts'
import { collectProcessMetrics } from './process.ts'
import { MetricsRegistry } from './registry.ts'

test('tells CPU, memory and event-loop delay of the process in base units', () => {
  const registry = new MetricsRegistry()
  using _metrics = collectProcessMetrics(registry)
  registry.expose()
  const samples = parseExposition(registry.expose()).flatMap((family) => family.samples)
  const value = (name: string, label?: string): number =>
    samples.find(
      (sample) =>
        sample.name === name && (label === undefined || [...sample.labels.values()].includes(label)),
    )?.value ?? Number.NaN
  const { user } = process.cpuUsage()
  expect(value('breakwater_process_cpu_seconds_total', 'user')).toBeGreaterThan(0)
  expect(value('breakwater_process_cpu_seconds_total', 'user')).toBeLessThanOrEqual(user / 1e6)
  expect(value('breakwater_process_memory_bytes', 'resident')).toBeGreaterThan(10_000_000)
  expect(value('breakwater_process_event_loop_delay_seconds', '0.99')).toBeGreaterThanOrEqual(0)
  expect(value('breakwater_process_event_loop_utilization_ratio')).toBeLessThanOrEqual(1)
  expect(value('breakwater_process_start_time_seconds')).toBeCloseTo(performance.timeOrigin / 1000, 0)
})
