import type { AuthzRequest } from '@breakwater/authz'
import type { Refusal } from '../answer/refusal.ts'
import type { MadeDecision } from './decision-point.ts'

/** What became of the question of one request; `refusal` is what enforcement makes of it. */
export interface Finding {
  readonly refusal: Refusal | undefined
  /** What was asked; undefined when it did not come to that. */
  readonly request: AuthzRequest | undefined
  readonly decision: MadeDecision | undefined
}

/** The request of which a finding is written down, and which waits for that. */
export interface FoundRequest {
  readonly plan: { readonly name: string }
  readonly identity: { readonly traceId: string }
  /** The request goes no further until the function is told that it may. `onAbandoned`: it is over before that. */
  waitAtDoor(onAbandoned?: () => void): (refusal: Refusal | undefined) => void
}
