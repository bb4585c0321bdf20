/**
 * What the gateway declares for the threat register: its controls, and the drills that show each of them to matter.
 *
 * @module
 */

import type { Control, Drill } from '@breakwater/drill'

import { authzControls } from './controls-authz.ts'
import { protocolControls } from './controls-protocol.ts'
import { authzDrills } from './drills-authz.ts'
import { protocolDrills } from './drills-protocol.ts'
import { resilienceControls, resilienceDrills } from './drills-resilience.ts'

/** Every control of the gateway that answers a threat. */
export const controls: readonly Control[] = [...resilienceControls, ...protocolControls, ...authzControls]

/** Every drill that attacks the gateway. */
export const drills: readonly Drill[] = [...resilienceDrills, ...protocolDrills, ...authzDrills]
