import { readdirSync, readFileSync, statSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'
import type { OverloadReadings } from '@breakwater/resilience/load'
import { watchLoopDelay } from '@breakwater/telemetry'

/** Looks at this process: event-loop delay since the last look, heap, file descriptors (Linux; elsewhere left out). */
export function openProcessReadings(): Disposable & { readonly read: () => OverloadReadings } {
  const delays = watchLoopDelay()
  const maxDescriptors = descriptorLimit()
  const read = (): OverloadReadings => {
    const loopDelayMs = delays.percentileMs(95)
    delays.reset()
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
    const open = maxDescriptors === undefined ? undefined : openDescriptors()
    return {
      loopDelayMs,
      heapRatio: used / limit,
      ...(open !== undefined && maxDescriptors !== undefined && { descriptorRatio: open / maxDescriptors }),
    }
  }
  return { read, [Symbol.dispose]: () => delays[Symbol.dispose]() }
}

/** Since Linux 6.2 the size of the folder is their number (proc(5)); before that they are listed, which takes milliseconds for thousands. */
function openDescriptors(): number | undefined {
  try {
    const { size } = statSync('/proc/self/fd')
    return size > 0 ? size : readdirSync('/proc/self/fd').length
  } catch {
    return undefined
  }
}

function descriptorLimit(): number | undefined {
  try {
    const match = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
    return match?.[1] === undefined ? undefined : Number(match[1])
  } catch {
    return undefined
  }
}
