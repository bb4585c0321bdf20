import { performance } from 'node:perf_hooks'
import { watchLoopDelay } from './loop-delay.ts'
import type { MetricsRegistry } from './registry.ts'

/** Registers CPU, memory and event-loop metrics of this process until the result is disposed of. One registry takes it once. */
export function collectProcessMetrics(registry: MetricsRegistry): Disposable {
  const cpu = registry.counter({
    name: 'breakwater_process_cpu_seconds_total',
    help: 'CPU time that the process has used since its start.',
    labels: ['mode'],
  })
  const user = cpu.labels('user')
  const system = cpu.labels('system')
  const memory = registry.gauge({
    name: 'breakwater_process_memory_bytes',
    help: 'Memory of the process: resident, JavaScript heap in use, and buffers outside the heap.',
    labels: ['kind'],
  })
  const resident = memory.labels('resident')
  const heap = memory.labels('heap')
  const external = memory.labels('external')
  const delay = registry.gauge({
    name: 'breakwater_process_event_loop_delay_seconds',
    help: 'How late the event loop ran a timer since the last reading.',
    labels: ['quantile'],
  })
  const delays = [
    [50, delay.labels('0.5')],
    [99, delay.labels('0.99')],
    [100, delay.labels('1')],
  ] as const
  const utilization = registry
    .gauge({
      name: 'breakwater_process_event_loop_utilization_ratio',
      help: 'Share of time in which the event loop was busy since the last reading, 0 to 1.',
    })
    .labels()
  registry
    .gauge({ name: 'breakwater_process_start_time_seconds', help: 'When the process started, Unix time.' })
    .labels()
    .set(performance.timeOrigin / 1000)

  const lateness = watchLoopDelay()
  let since = performance.eventLoopUtilization()
  const stop = registry.onCollect(() => {
    const used = process.cpuUsage()
    user.add(used.user / 1e6 - user.value)
    system.add(used.system / 1e6 - system.value)
    const bytes = process.memoryUsage()
    resident.set(bytes.rss)
    heap.set(bytes.heapUsed)
    external.set(bytes.external)
    for (const [percentile, gauge] of delays) gauge.set(lateness.percentileMs(percentile) / 1e3)
    lateness.reset()
    const now = performance.eventLoopUtilization()
    utilization.set(performance.eventLoopUtilization(now, since).utilization)
    since = now
  })
  return {
    [Symbol.dispose](): void {
      stop()
      lateness[Symbol.dispose]()
    },
  }
}
