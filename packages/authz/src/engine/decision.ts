import type { AuthzError } from '../errors.ts'
import type { Obligation } from './policy.ts'

/** A policy whose evaluation failed. It counts as not satisfied, as in Cedar. */
export interface PolicyFailure {
  readonly policyId: string
  /** Undefined when only the official engine could read the policy: treat it as a forbid. */
  readonly effect: 'permit' | 'forbid' | undefined
  readonly message: string
}

/** The answer to one request. */
export interface Decision {
  readonly decision: 'allow' | 'deny'
  /** Ids of the policies that determined it: satisfied forbids, else satisfied permits, else none (deny by default). */
  readonly reasons: readonly string[]
  readonly errors: readonly PolicyFailure[]
  /** Which policies decided. */
  readonly policyVersion: string
  /** What an enforcement point must do as well, from the determining policies: all of it, and deny what it does not know. */
  readonly obligations: readonly Obligation[]
  /** Set when the request never came to the policies (malformed, refused by the schema, engine down); always a deny. */
  readonly failure?: AuthzError
  /** Who answered: our compiled policies, or the official engine. */
  readonly engine: 'compiled' | 'official'
}

export const NO_FAILURES: readonly PolicyFailure[] = Object.freeze([])
export const NO_REASONS: readonly string[] = Object.freeze([])
export const NO_OBLIGATIONS: readonly Obligation[] = Object.freeze([])

/** A deny that no policy was asked about, for whichever engine. */
export function refused<Engine extends string>(
  failure: AuthzError,
  policyVersion: string,
  engine: Engine,
): Omit<Decision, 'engine'> & { readonly engine: Engine } {
  return {
    decision: 'deny',
    reasons: NO_REASONS,
    errors: NO_FAILURES,
    policyVersion,
    obligations: NO_OBLIGATIONS,
    failure,
    engine,
  }
}
