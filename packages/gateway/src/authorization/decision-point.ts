import type { DecisionEntry } from '@breakwater/authz/operate'
import type { AuthzRequest, Decision } from '@breakwater/authz'

/** A decision, whoever made it. */
export type MadeDecision = Omit<Decision, 'engine'> & { readonly engine: string }

/**
 * Who decides. Synchronous: nothing is queued, stored or sent while a decision is under way. The compiled policies of
 * `@breakwater/authz` are one; whatever throws here counts as a deny.
 */
export interface DecisionPoint {
  decide(request: AuthzRequest): Decision
}

/** Where decisions are written down: a `DecisionLog`. What it takes is safe once `written` resolves; never, when it rejects. */
export interface DecisionRecorder {
  append(entry: DecisionEntry): { written(): Promise<void> }
}
