import { threats } from '@breakwater/contract'
import { buildRegister } from '@breakwater/drill'
import type { Register } from '@breakwater/drill'
import { controls, drills } from '@breakwater/gateway/drills'

/** Every threat of the catalogue with the controls and drills that the packages declare. */
export const register: Register = buildRegister(threats, controls, drills)
