/**
 * What the gateway declares for the threat register: its controls, and the drills that show each of them to matter.
 *
 * @module
 */

import type { Control, Drill } from '@breakwater/drill'

/** Every control of the gateway that answers a threat. */
export const controls: readonly Control[] = []

/** Every drill that attacks the gateway. */
export const drills: readonly Drill[] = []
