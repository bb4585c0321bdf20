/**
 * The threat register and the drills: each threat with its controls, each control shown to matter by an attack that
 * succeeds without it and fails with it. Knows nothing of any particular system.
 *
 * @module
 */

export { defineThreats } from '@breakwater/contract'
export type { Threat } from '@breakwater/contract'

export { defineControl, defineDrill } from './definitions.ts'
export type { Control, ControlState, Drill, DrillSpec, Judgement } from './definitions.ts'
export type { LimitedFigure } from './figure.ts'
export type { LocalLab } from './lab/local-lab.ts'
export type { LabProcess } from './lab/process.ts'
export type { SimLab } from './lab/sim-lab.ts'
export type { TargetLab } from './lab/target-lab.ts'

export { runDrills } from './runner.ts'
export type { DrillProgress } from './runner.ts'
export type { DrillReport } from './report/report.ts'
export { formatHtml } from './report/html.ts'
export { formatJunit } from './report/junit.ts'
export { formatReport } from './report/text.ts'

export { buildRegister, rowsOf, selectDrills } from './register.ts'
export type { Register } from './register.ts'
export { checkRegister } from './register-check.ts'
