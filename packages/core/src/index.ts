/**
 * The ground that every package stands on: time, luck, errors, ids and bounded collections. No I/O but `makeFolder`.
 *
 * @module
 */

export { systemClock } from './clock.ts'
export type { Clock, Timer } from './clock.ts'
export { VirtualClock } from './virtual-clock.ts'
export { Deadline, DeadlineWheel, WheelEntry } from './deadline-wheel.ts'
export type { DeadlineWheelOptions } from './deadline-wheel.ts'

export { BreakwaterError, defineErrors, isBreakwaterError, messageOf } from './errors.ts'
export type { ErrorCatalogue, ErrorMaker, ErrorOptions, ErrorSpec, Fault } from './errors.ts'
export { failed, ok } from './result.ts'
export type { Result } from './result.ts'

export { createRandom } from './random.ts'
export type { Random } from './random.ts'
export { randomHex } from './ids.ts'

export { ExpiringMap } from './expiring-map.ts'
export type { ExpiringMapOptions } from './expiring-map.ts'
export { editDistance, guess } from './guess.ts'
export { LineWaiter } from './line-waiter.ts'
export { makeFolder } from './make-folder.ts'
export { MinHeap } from './min-heap.ts'
export { workloadTokenVariable } from './workload-variable.ts'
