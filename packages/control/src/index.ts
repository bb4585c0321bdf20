/**
 * The admin API of a gateway on its own loopback listener: health, metrics, state and operator's orders.
 *
 * @module
 */

export { openControl } from './control.ts'
export type { Control, ControlDeps, ControlOptions } from './control.ts'
export { Reloader } from './reloader.ts'
export type { ReloaderOptions, ReloadReport } from './reloader.ts'
export { errors } from './errors.ts'
