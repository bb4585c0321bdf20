import type { Obligation } from '../engine/policy.ts'
import { fieldsOfMask, withoutFields } from './masking.ts'
import { refusedWith, type Refused } from './refused.ts'

/**
 * Carries out what a decision obliges to: `mask("owner, card")` takes fields away from a copy of the object, `alarm` is for the
 * log. One that is not known is not passed over: the request is refused.
 */
export function obey<Loaded extends object>(
  loaded: Loaded,
  obligations: readonly Obligation[],
): Loaded | Refused {
  let result: Loaded = loaded
  for (const { name, value } of obligations) {
    if (name === 'mask') result = withoutFields(result, fieldsOfMask(value))
    else if (name !== 'alarm') return refusedWith('BW_AUTHZ_OBLIGATION_UNKNOWN')
  }
  return result
}
