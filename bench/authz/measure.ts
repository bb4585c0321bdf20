import { getHeapStatistics } from 'node:v8'
import { median } from '../lib/report.ts'

/** An engine with questions to answer, ready to be timed. */
export interface Subject {
  /** Answers questions `from`, `from + 1`, … (round and round) and counts the allows. */
  run(from: number, count: number): number
  /** Calls per reading of the clock: enough that reading it does not count. */
  readonly group: number
}

export interface Timing {
  /** Median nanoseconds of a decision: the least of all slots, because a shared machine only ever adds. */
  readonly p50: number
  /** 99th percentile of decisions timed one by one, clock reading included: the least of all slots. */
  readonly p99: number
  /** Bytes allocated on the JavaScript heap, a decision. */
  readonly bytes: number
}

/** A slot long enough for a few hundred samples, and short enough to fit between two neighbours' turns. */
const FAST_SLOT_MS = 4
const FAST_SLOTS_A_ROUND = 12
const SLOW_SLOT_MS = 25
const LEAST_SAMPLES = 3
const MOST_SAMPLES = 4_000
/** A slot with fewer samples says too little of the questions: then the samples of all slots count as one. */
const ENOUGH_SAMPLES = 40

/** Times the subjects in turn, round after round, so that whatever else the machine does falls on all of them. */
export function timeInterleaved(subjects: readonly Subject[], rounds: number): Timing[] {
  const plans = subjects.map((subject) => ({
    subject,
    next: 0,
    grouped: [] as number[][],
    single: [] as number[][],
  }))
  for (const { subject } of plans) warmUp(subject)
  for (let round = 0; round < rounds; round += 1) {
    for (const plan of plans) {
      if (plan.subject.group === 1) plan.grouped.push(samplesOf(plan, 1, SLOW_SLOT_MS))
    }
    for (let slot = 0; slot < FAST_SLOTS_A_ROUND; slot += 1) {
      for (const plan of plans) {
        if (plan.subject.group === 1) continue
        plan.grouped.push(samplesOf(plan, plan.subject.group, FAST_SLOT_MS))
        plan.single.push(samplesOf(plan, 1, FAST_SLOT_MS))
      }
    }
  }
  return plans.map(({ subject, grouped, single }) => ({
    p50: leastOf(grouped, 0.5),
    p99: leastOf(single, 0.99),
    bytes: bytesOf(subject),
  }))
}

function leastOf(slots: readonly number[][], ratio: number): number {
  const full = slots.filter((samples) => samples.length >= ENOUGH_SAMPLES)
  const counted = full.length > 0 ? full : [slots.flat()]
  return Math.min(
    ...counted.map((samples) => {
      const sorted = samples.toSorted((a, b) => a - b)
      return sorted[Math.floor(sorted.length * ratio)] ?? Number.NaN
    }),
  )
}

/** Nanoseconds a call of one call of a synchronous function: the median of several. */
export function timeOnce(repeats: number, action: (round: number) => void): number {
  return median(
    Array.from({ length: repeats }, (_, round) => {
      const startedAt = process.hrtime.bigint()
      action(round)
      return Number(process.hrtime.bigint() - startedAt)
    }),
  )
}

function warmUp(subject: Subject): void {
  const endsAt = performance.now() + SLOW_SLOT_MS * 4
  for (let from = 0; performance.now() < endsAt; from += subject.group) subject.run(from, subject.group)
}

/** Goes on with the questions where the last slot stopped. */
function samplesOf(
  plan: { readonly subject: Subject; next: number },
  group: number,
  slotMs: number,
): number[] {
  const samples: number[] = []
  const endsAt = performance.now() + slotMs
  while (samples.length < LEAST_SAMPLES || (samples.length < MOST_SAMPLES && performance.now() < endsAt)) {
    const startedAt = process.hrtime.bigint()
    plan.subject.run(plan.next, group)
    samples.push(Number(process.hrtime.bigint() - startedAt) / group)
    plan.next += group
  }
  return samples
}

/** Only of engines that live on the JavaScript heap and are fast enough to call thousands of times. */
function bytesOf(subject: Subject): number {
  if (subject.group === 1) return Number.NaN
  const count = 4_000
  const before = getHeapStatistics().total_allocated_bytes
  subject.run(0, count)
  return (getHeapStatistics().total_allocated_bytes - before) / count
}
