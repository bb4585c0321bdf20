import type { Control, Drill } from '@breakwater/drill'

import * as controls from './controls-resilience.ts'
import { abruptStop } from './resilience/abrupt-stop.ts'
import { brokenEndpoint, deadEndpoint, hungEndpoint } from './resilience/broken-endpoint.ts'
import { cacheStampede } from './resilience/cache-stampede.ts'
import { cascade } from './resilience/cascade.ts'
import { coldReturn } from './resilience/cold-return.ts'
import { costlyRefusals } from './resilience/costly-refusals.ts'
import { duplicateEffect } from './resilience/duplicate-effect.ts'
import { greedyTenant } from './resilience/greedy-tenant.ts'
import { halfOpen } from './resilience/half-open.ts'
import { lostDeadline } from './resilience/lost-deadline.ts'
import { metastable } from './resilience/metastable.ts'
import { noisyNeighbour } from './resilience/noisy-neighbour.ts'
import { overload } from './resilience/overload.ts'
import { partialFailure, staleTexts } from './resilience/partial-failure.ts'
import { processExhaustion } from './resilience/process-exhaustion.ts'
import { resourceExhaustion } from './resilience/resource-exhaustion.ts'
import { retryStorm } from './resilience/retry-storm.ts'
import { rollingRestart } from './resilience/rolling-restart.ts'
import { tailLatency } from './resilience/tail-latency.ts'
import { thunderingHerd } from './resilience/thundering-herd.ts'

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
  thunderingHerd,
  cacheStampede,
  coldReturn,
  overload,
  costlyRefusals,
  metastable,
  rollingRestart,
  brokenEndpoint,
  deadEndpoint,
  hungEndpoint,
  tailLatency,
  noisyNeighbour,
  greedyTenant,
  processExhaustion,
  abruptStop,
]
