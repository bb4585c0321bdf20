// Nanoseconds of processor time and bytes allocated per call, of each policy and of all together, beside named peers.
import { getHeapStatistics } from 'node:v8'
import { cases as layers } from '../../packages/resilience/bench/layers.ts'
import { cases as load } from '../../packages/resilience/bench/load.ts'
import { cases as machines } from '../../packages/resilience/bench/machines.ts'
import { conditions, median, writeResult } from '../lib/report.ts'
import { cases as peers, close } from './peers.ts'

interface Case {
  readonly name: string
  readonly peer?: string
  run(n: number): void | Promise<void>
}

interface Sample {
  readonly ns: number
  readonly bytes: number
}

/** Long enough that the kernel's accounting of processor time, in microseconds, does not matter. */
const TARGET_MS = 120

async function measure({ run }: Case, n: number): Promise<Sample> {
  const allocated = getHeapStatistics().total_allocated_bytes
  const before = process.cpuUsage()
  await run(n)
  const { user, system } = process.cpuUsage(before)
  return {
    ns: ((user + system) * 1000) / n,
    bytes: (getHeapStatistics().total_allocated_bytes - allocated) / n,
  }
}

/** Warms up, and finds how many calls fill the target time. */
async function calibrate(one: Case): Promise<number> {
  let n = 2_000
  for (let round = 0; round < 12; round++) {
    const started = performance.now()
    await one.run(n)
    const tookMs = performance.now() - started
    if (tookMs > TARGET_MS / 2) return Math.max(1_000, Math.round((n * TARGET_MS) / tookMs))
    n *= tookMs < TARGET_MS / 20 ? 8 : 2
  }
  return n
}

export async function benchResilience(rounds: number): Promise<void> {
  const all: readonly Case[] = [...machines, ...load, ...layers, ...peers]
  const plan: { readonly one: Case; readonly n: number; readonly samples: Sample[] }[] = []
  for (const one of all) plan.push({ one, n: await calibrate(one), samples: [] })
  for (let round = 0; round < rounds; round++) {
    for (const { one, n, samples } of plan) samples.push(await measure(one, n))
  }
  close()
  const rows = plan.map(({ one, n, samples }) => ({
    name: one.name,
    library: one.peer ?? 'breakwater',
    calls: n,
    nsPerCall: median(samples.map(({ ns }) => ns)),
    leastNs: Math.min(...samples.map(({ ns }) => ns)),
    bytesPerCall: median(samples.map(({ bytes }) => bytes)),
  }))
  console.table(
    rows.map(({ name, library, nsPerCall, leastNs, bytesPerCall }) => ({
      policy: name,
      library,
      'ns a call': nsPerCall.toFixed(1),
      least: leastNs.toFixed(1),
      'bytes a call': Math.round(bytesPerCall),
    })),
  )
  writeResult('resilience', { conditions: conditions(), rounds, rows })
}
