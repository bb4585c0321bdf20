import { createHistogram, performance } from 'node:perf_hooks'
import type { RecordableHistogram } from 'node:perf_hooks'

/**
 * Between two looks at the clock while the loop is busy. Who waits for less than this waits for nothing that anybody would act on.
 * Milliseconds.
 */
const BUSY_INTERVAL_MS = 50
/** While it is not: a wake-up of an idle process costs more than all that is done in it. Milliseconds. */
const IDLE_INTERVAL_MS = 250
/** Share of the time between two looks in which the loop ran something: from here on it is busy. */
const BUSY_RATIO = 0.25

/** How late the event loop ran a timer since the last `reset`. */
export interface LoopDelay extends Disposable {
  /** `percentile` above 0, up to 100. Milliseconds; 0 before there was a sample. */
  percentileMs(percentile: number): number
  reset(): void
}

/** One timer for everybody who looks: there is one event loop. */
const readers = new Set<RecordableHistogram>()
let timer: NodeJS.Timeout | undefined
let dueMs = 0
let lastUse = performance.eventLoopUtilization()

/**
 * Samples the event loop until disposed of: every 50 ms while it is busy, every 250 ms while it is not. Of a single block in a quiet time
 * that much may be missing. Never keeps the process alive; further readers cost no further timer.
 */
export function watchLoopDelay(): LoopDelay {
  const delays = createHistogram()
  if (readers.size === 0) sleep(BUSY_INTERVAL_MS)
  readers.add(delays)
  return {
    percentileMs: (percentile) => (delays.count === 0 ? 0 : delays.percentile(percentile) / 1e6),
    reset: () => delays.reset(),
    [Symbol.dispose]: () => {
      readers.delete(delays)
      if (readers.size === 0) clearTimeout(timer)
    },
  }
}

function sleep(forMs: number): void {
  dueMs = performance.now() + forMs
  timer = setTimeout(sample, forMs).unref()
}

function sample(): void {
  // A histogram takes whole numbers from 1.
  const lateNs = Math.max(1, Math.round((performance.now() - dueMs) * 1e6))
  for (const delays of readers) delays.record(lateNs)
  const use = performance.eventLoopUtilization()
  const { utilization } = performance.eventLoopUtilization(use, lastUse)
  lastUse = use
  sleep(intervalFor(utilization))
}

/** When to look again after the loop ran something for this share of the time. Milliseconds. @internal */
export function intervalFor(utilization: number): number {
  return utilization >= BUSY_RATIO ? BUSY_INTERVAL_MS : IDLE_INTERVAL_MS
}
