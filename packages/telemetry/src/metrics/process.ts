import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { MetricsRegistry } from './registry.ts'

const RESOLUTION_MS = 20

/**
 * Registers CPU, memory and event-loop metrics of this process. Starts a sampler that wakes every 20 ms and never keeps
 * the process alive; disposing of the result stops it. One registry takes it once.
 */
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

  const sampler = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  sampler.enable()
  let since = performance.eventLoopUtilization()
  const stop = registry.onCollect(() => {
    const used = process.cpuUsage()
    user.add(used.user / 1e6 - user.value)
    system.add(used.system / 1e6 - system.value)
    const bytes = process.memoryUsage()
    resident.set(bytes.rss)
    heap.set(bytes.heapUsed)
    external.set(bytes.external)
    // Node records the whole time between two ticks; what is above the interval is the delay.
    for (const [percentile, gauge] of delays) {
      gauge.set(Math.max(0, sampler.percentile(percentile) / 1e6 - RESOLUTION_MS) / 1e3)
    }
    sampler.reset()
    const now = performance.eventLoopUtilization()
    utilization.set(performance.eventLoopUtilization(now, since).utilization)
    since = now
  })
  return {
    [Symbol.dispose](): void {
      stop()
      sampler.disable()
    },
  }
}
