import type { Drill } from '@breakwater/drill'

import { countedAway, editedLog, selfPromotion } from './authz/data.ts'
import { panicInCheck, staleBundle } from './authz/failures.ts'
import {
  dismissedOperator,
  forgedIdentity,
  hiddenFunctions,
  openFeeds,
  otherSpellings,
  reportingRefunds,
} from './authz/functions.ts'
import { legacyAnswers } from './authz/legacy.ts'
import { borrowedAnswers, brokenObjects } from './authz/objects.ts'
import { policyRollback } from './authz/rollback.ts'
import { deadEngine } from './local/dead-engine-local.ts'
import { tunnelledRequests } from './local/h2c-local.ts'
import { objectsLocal } from './local/objects-local.ts'
import { slicedRefunds } from './local/refunds-local.ts'

/** Attacks on who may do what: objects, functions, identities, failures and records. */
export const authzDrills: readonly Drill[] = [
  brokenObjects,
  borrowedAnswers,
  objectsLocal,
  hiddenFunctions,
  otherSpellings,
  tunnelledRequests,
  forgedIdentity,
  reportingRefunds,
  slicedRefunds,
  dismissedOperator,
  openFeeds,
  panicInCheck,
  staleBundle,
  deadEngine,
  policyRollback,
  selfPromotion,
  countedAway,
  legacyAnswers,
  editedLog,
]
