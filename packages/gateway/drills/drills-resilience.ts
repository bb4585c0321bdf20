import type { Control, Drill } from '@breakwater/drill'

import { cascade } from './resilience/cascade.ts'
import * as controls from './controls-resilience.ts'
import { duplicateEffect } from './resilience/duplicate-effect.ts'
import { halfOpen } from './resilience/half-open.ts'
import { lostDeadline } from './resilience/lost-deadline.ts'
import { partialFailure, staleTexts } from './resilience/partial-failure.ts'
import { resourceExhaustion } from './resilience/resource-exhaustion.ts'
import { retryStorm } from './resilience/retry-storm.ts'

/** The controls against failing, slow and overloaded services. */
export const resilienceControls: readonly Control[] = Object.values(controls)

/** Their drills, each in a simulated world. */
export const resilienceDrills: readonly Drill[] = [
  cascade,
  retryStorm,
  resourceExhaustion,
  partialFailure,
  staleTexts,
  lostDeadline,
  duplicateEffect,
  halfOpen,
]
