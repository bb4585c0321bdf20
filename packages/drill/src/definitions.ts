import type { Threat } from '@breakwater/contract'

import { errors } from './errors.ts'
import type { Figure, LimitedFigure } from './figure.ts'
import type { LocalLab } from './lab/local-lab.ts'
import type { SimLab } from './lab/sim-lab.ts'
import type { TargetLab } from './lab/target-lab.ts'

/** Something in the product that answers a named threat and can be turned off. */
export interface Control {
  /** Kebab-case and stable. */
  readonly id: string
  readonly title: string
  /** The threats that it answers. Never empty: a control that answers none is removed. */
  readonly defends: readonly Threat[]
  /** The file that calls it, from the root of the repository: `packages/gateway/src/plan/breaker.ts`. */
  readonly code: string
  /** Where an operator turns it: paths into the configuration, `routes.*.retry`. Empty when it cannot be turned off. */
  readonly configuration: readonly string[]
  /** What stays possible with this control on. Never empty. */
  readonly notCovered: string
}

/** Whether the controls under test are in force. Everything else in the two runs is the same. */
export type ControlState = 'on' | 'off'

export type Outcome = 'contained' | 'breached'

/** What the evidence says. It is passed without the state of the control, so that a judge cannot know what to find. */
export interface Judgement {
  readonly outcome: Outcome
  /** The numbers that say why. The first is the headline of reports. Never empty. */
  readonly because: readonly Figure[]
  /**
   * Honest traffic that the attack is not aimed at, or from before it began. It must keep its limits with the control
   * off *and* on: off, it shows that the world was sound and the damage came from the attack; on, that the control
   * does not harm what it protects. What the attack does to its victims belongs into `outcome` and `because`.
   */
  readonly honest: readonly LimitedFigure[]
}

/** The three places a drill can play in, and what each hands to `arrange`. */
export interface Labs {
  /** Virtual time, seeded luck, no process and no socket. */
  readonly sim: SimLab
  /** Real processes and sockets on loopback. */
  readonly local: LocalLab
  /** A running deployment: harmless probes only, only with the control on, only where the user says so. */
  readonly target: TargetLab
}

export type LabKind = keyof Labs

export interface AttackOptions {
  readonly control: ControlState
}

export interface DrillSpec<Kind extends LabKind, World, Evidence> {
  /** Kebab-case and stable: what `breakwater drill <id>` takes. */
  readonly id: string
  readonly title: string
  readonly threat: Threat
  /** The controls that it turns off and on. Never empty. */
  readonly controls: readonly Control[]
  readonly lab: Kind
  /** Real time for one run, arrangement and disposal included. Milliseconds, above 0. Default 60 000. */
  readonly budgetMs?: number
  /** Builds the little world. Disposed after the run when it has `Symbol.asyncDispose` or `Symbol.dispose`. */
  arrange(lab: Labs[Kind]): Promise<World> | World
  /** Lets the attack or the fault loose, with the controls off or on, and brings back what was seen. */
  attack(world: World, options: AttackOptions): Promise<Evidence> | Evidence
  judge(evidence: Evidence): Judgement
}

/** A drill of any kind, as the runner and the register see it. */
export type Drill = DrillSpec<LabKind, unknown, unknown>

/**
 * Declares a control.
 *
 * @throws `BW_DRILL_DEFINITION_INVALID` listing everything that is wrong with it.
 */
export function defineControl(control: Control): Control {
  const problems = [
    ...idProblems(control.id),
    control.title.trim() === '' ? 'title is empty' : '',
    control.defends.length === 0 ? 'defends is empty: a control that answers no named threat is removed' : '',
    control.code.startsWith('/') || control.code.includes('..')
      ? `code must be a path from the root of the repository, got ${control.code}`
      : '',
    control.code.trim() === '' ? 'code is empty' : '',
    control.notCovered.trim() === '' ? 'notCovered is empty: every control leaves something open' : '',
  ]
  refuse('control', control.id, problems)
  return Object.freeze({ ...control })
}

/**
 * Declares a drill: an attack that is run twice, with its controls off and on.
 *
 * @throws `BW_DRILL_DEFINITION_INVALID` listing everything that is wrong with it.
 */
export function defineDrill<Kind extends LabKind, World, Evidence>(
  drill: DrillSpec<Kind, World, Evidence>,
): DrillSpec<Kind, World, Evidence> {
  const { budgetMs = 1 } = drill
  const problems = [
    ...idProblems(drill.id),
    drill.title.trim() === '' ? 'title is empty' : '',
    drill.controls.length === 0 ? 'controls is empty: there is nothing to turn off' : '',
    drill.controls.length > 0 && !drill.controls.some(({ defends }) => defends.includes(drill.threat))
      ? `none of its controls defends against ${drill.threat.id}`
      : '',
    budgetMs > 0 && budgetMs < Infinity
      ? ''
      : `budgetMs must be a finite number above 0, got ${drill.budgetMs}`,
  ]
  refuse('drill', drill.id, problems)
  return drill
}

function idProblems(id: string): string[] {
  return /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id) ? [] : [`id must be kebab-case, got ${JSON.stringify(id)}`]
}

function refuse(kind: string, id: string, problems: readonly string[]): void {
  const found = problems.filter((problem) => problem !== '')
  if (found.length > 0) throw errors.BW_DRILL_DEFINITION_INVALID(`${kind} ${id}: ${found.join('; ')}`)
}
