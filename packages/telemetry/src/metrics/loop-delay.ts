import { createHistogram, performance } from 'node:perf_hooks'
import type { RecordableHistogram } from 'node:perf_hooks'

/**
 * Between two looks at the clock. A wake-up of an idle process costs more than all that is done in it; and who waits for less
 * than this waits for nothing that anybody would act on. Milliseconds.
 */
const INTERVAL_MS = 50

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

/** Samples the event loop every 50 ms until disposed of. Never keeps the process alive; further readers cost no further timer. */
export function watchLoopDelay(): LoopDelay {
  const delays = createHistogram()
  if (readers.size === 0) start()
  readers.add(delays)
  return {
    percentileMs: (percentile) => (delays.count === 0 ? 0 : delays.percentile(percentile) / 1e6),
    reset: () => delays.reset(),
    [Symbol.dispose]: () => {
      readers.delete(delays)
      if (readers.size === 0) clearInterval(timer)
    },
  }
}

function start(): void {
  dueMs = performance.now() + INTERVAL_MS
  timer = setInterval(sample, INTERVAL_MS).unref()
}

function sample(): void {
  const nowMs = performance.now()
  // A histogram takes whole numbers from 1.
  const lateNs = Math.max(1, Math.round((nowMs - dueMs) * 1e6))
  dueMs = nowMs + INTERVAL_MS
  for (const delays of readers) delays.record(lateNs)
}
