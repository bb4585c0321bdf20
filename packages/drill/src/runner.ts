import { isBreakwaterError, messageOf } from '@breakwater/core'

import type { ControlState, Drill, Judgement } from './definitions.ts'
import { errors } from './errors.ts'
import { isWithinLimits } from './figure.ts'
import { openLab } from './lab/open-lab.ts'
import type { OpenedLab } from './lab/open-lab.ts'
import type { DrillReport, DrillResult, DrillRun } from './report/report.ts'
import { countVerdicts, overallVerdict } from './report/report.ts'
import { rule } from './verdict.ts'
import type { Ruling } from './verdict.ts'

export interface RunOptions {
  /** Run one state only: `off` shows the damage, `on` the containment. Default: both, off first. */
  readonly control?: ControlState
  /** A whole number, 0 … 2³²−1. The same seed gives the same simulated runs. Default 1. */
  readonly seed?: number
  /** The running deployment for drills of the `target` lab. Without it they are skipped. */
  readonly target?: URL
  /** Stops the run that is going on, clears up after it and leaves out the rest. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: DrillProgress) => void
}

/** One call when a run starts and one when it has ended and is cleared away. */
export type DrillProgress =
  | { readonly phase: 'started'; readonly drill: Drill; readonly control: ControlState }
  | {
      readonly phase: 'finished'
      readonly drill: Drill
      readonly control: ControlState
      readonly run: DrillRun
    }
  | { readonly phase: 'ruled'; readonly drill: Drill; readonly result: DrillResult }

const DEFAULT_BUDGET_MS = 60_000
/** What clearing away may take on top of the budget. */
const DISPOSAL_BUDGET_MS = 10_000

/**
 * Runs drills one after the other, each state in a fresh world that is always disposed. A drill that throws, hangs
 * or leaves something behind is a failed drill, never a failed run: the report has a result for each.
 *
 * @throws `BW_DRILL_OPTIONS_INVALID` when `seed` is out of range.
 */
export async function runDrills(drills: readonly Drill[], options: RunOptions = {}): Promise<DrillReport> {
  const { seed = 1 } = options
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff)
    throw errors.BW_DRILL_OPTIONS_INVALID(`seed must be a whole number from 0 to 4294967295, got ${seed}`)
  const startedAtMs = performance.now()
  const results: DrillResult[] = []
  for (const drill of drills) {
    const result = await runDrill(drill, seed, options)
    options.onProgress?.({ phase: 'ruled', drill, result })
    results.push(result)
  }
  return {
    schemaVersion: 1,
    seed,
    verdict: overallVerdict(results),
    counts: countVerdicts(results),
    drills: results,
    durationMs: performance.now() - startedAtMs,
  }
}

async function runDrill(drill: Drill, seed: number, options: RunOptions): Promise<DrillResult> {
  const startedAtMs = performance.now()
  const runs: Partial<Record<ControlState, DrillRun>> = {}
  const notRun = whyNotRun(drill, options)
  if (notRun === undefined) {
    for (const control of statesOf(drill, options.control)) {
      if (options.signal?.aborted === true) break
      options.onProgress?.({ phase: 'started', drill, control })
      const run = await runOnce(drill, control, seed, options)
      runs[control] = run
      options.onProgress?.({ phase: 'finished', drill, control, run })
    }
  }
  return {
    id: drill.id,
    title: drill.title,
    threat: { id: drill.threat.id, title: drill.threat.title },
    controls: drill.controls.map(({ id, title, code }) => ({ id, title, code })),
    lab: drill.lab,
    seed,
    ...(notRun === undefined ? rulingOf(drill, runs, options) : notRun),
    runs,
    durationMs: performance.now() - startedAtMs,
  }
}

function whyNotRun(drill: Drill, options: RunOptions): Ruling | undefined {
  if (options.signal?.aborted === true) return { verdict: 'failed', reasons: ['interrupted before it began'] }
  if (drill.lab !== 'target') return undefined
  if (options.target === undefined)
    return { verdict: 'skipped', reasons: ['it probes a running deployment, and none was named'] }
  if (options.control === 'off')
    return { verdict: 'skipped', reasons: ['a running deployment is never probed with its controls off'] }
  return undefined
}

function statesOf(drill: Drill, control: ControlState | undefined): readonly ControlState[] {
  if (drill.lab === 'target') return ['on']
  return control === undefined ? ['off', 'on'] : [control]
}

function rulingOf(
  drill: Drill,
  runs: Readonly<Partial<Record<ControlState, DrillRun>>>,
  options: RunOptions,
): Ruling {
  const missing = statesOf(drill, options.control).filter((state) => runs[state] === undefined)
  const ruling = rule(runs)
  if (missing.length === 0) return ruling
  return {
    verdict: 'failed',
    reasons: [...ruling.reasons, `interrupted: control ${missing.join(', ')} was not run`],
  }
}

async function runOnce(
  drill: Drill,
  control: ControlState,
  seed: number,
  options: RunOptions,
): Promise<DrillRun> {
  const budgetMs = drill.budgetMs ?? DEFAULT_BUDGET_MS
  const startedAtMs = performance.now()
  const lab = openLab(drill.lab, {
    seed,
    budgetMs,
    ...(options.signal === undefined ? {} : { interrupted: options.signal }),
    ...(options.target === undefined ? {} : { target: options.target }),
  })
  let judgement: Judgement | undefined
  const failures: unknown[] = []
  try {
    judgement = checked(drill, await playing(drill, control, lab))
  } catch (error) {
    failures.push(error)
  }
  try {
    await lab.close(DISPOSAL_BUDGET_MS)
  } catch (error) {
    failures.push(error)
  }
  const durationMs = performance.now() - startedAtMs
  if (judgement !== undefined && failures.length === 0) return judgedRun(control, judgement, durationMs)
  return crashedRun(control, failures, durationMs)
}

/** Arrange, attack and judge, given up when the budget is spent even if the drill itself never settles. */
async function playing(drill: Drill, control: ControlState, lab: OpenedLab): Promise<Judgement> {
  const play = async (): Promise<Judgement> => {
    const world = await drill.arrange(lab.lab)
    lab.own(world)
    lab.lab.signal.throwIfAborted()
    const evidence = await drill.attack(world, { control })
    return drill.judge(evidence)
  }
  return Promise.race([play(), lab.givenUp])
}

/** A judgement without numbers, or without a limit for honest traffic, says nothing and is refused. */
function checked(drill: Drill, judgement: Judgement): Judgement {
  const problems = [
    judgement.because.length === 0 ? 'because is empty: name the numbers that say why' : '',
    judgement.honest.length === 0 ? 'honest is empty: a control that refuses everybody would pass' : '',
    ...judgement.honest
      .filter(({ atMost, atLeast }) => atMost === undefined && atLeast === undefined)
      .map(({ name }) => `honest figure "${name}" has no limit`),
  ].filter((problem) => problem !== '')
  if (problems.length === 0) return judgement
  throw errors.BW_DRILL_DEFINITION_INVALID(`judgement of ${drill.id}: ${problems.join('; ')}`)
}

function judgedRun(control: ControlState, judgement: Judgement, durationMs: number): DrillRun {
  const { outcome, because, honest } = judgement
  return { control, outcome, because, honest, honestWithinLimits: honest.every(isWithinLimits), durationMs }
}

function crashedRun(control: ControlState, failures: readonly unknown[], durationMs: number): DrillRun {
  const message = failures.map(messageOf).join('; ')
  const code = failures.find(isBreakwaterError)?.code
  return {
    control,
    outcome: 'crashed',
    because: [],
    honest: [],
    honestWithinLimits: false,
    error: { message, ...(code === undefined ? {} : { code }) },
    durationMs,
  }
}
