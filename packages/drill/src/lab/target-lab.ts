import { createRandom } from '@breakwater/core'

import type { Lab } from './lab.ts'

/** A running deployment that its owner has named. Drills send harmless probes only, with the controls on. */
export interface TargetLab extends Lab {
  readonly kind: 'target'
  /** Where the deployment answers. */
  readonly url: URL
}

/** @internal */
export function openTargetLab(options: {
  readonly seed: number
  readonly signal: AbortSignal
  readonly defer: Lab['defer']
  readonly url: URL
}): TargetLab {
  return { kind: 'target', random: createRandom(options.seed), ...options }
}
