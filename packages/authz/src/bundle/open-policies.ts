import { Authorizer } from '../engine/authorizer.ts'
import type { ForbidErrors } from '../engine/tally.ts'
import { JoinedPolicies, type PolicyContent } from './policy-content.ts'

/** How policies become decisions. */
export interface OpenPoliciesOptions {
  /** Refuse what validation cannot prove. Default true: this is the way policies go into force. */
  readonly strict?: boolean
  /** What a failing forbid does. Default `deny`. */
  readonly forbidErrors?: ForbidErrors
  /** Name of this state of the policies. Default: a hash of their text. */
  readonly version?: string
}

/** Policies ready to decide, with the way from a policy to its file. */
export interface OpenPolicies {
  readonly authorizer: Authorizer
  readonly joined: JoinedPolicies
}

/**
 * Makes an authorizer of a bundle's or folder's content, with the settings of production: strict, a failing forbid denies.
 *
 * @throws `BW_AUTHZ_POLICY_INVALID`, `BW_AUTHZ_POLICY_REFUSED`, `BW_AUTHZ_SCHEMA_INVALID`, `BW_AUTHZ_DATA_INVALID`.
 */
export function openPolicies(content: PolicyContent, options: OpenPoliciesOptions = {}): OpenPolicies {
  const joined = new JoinedPolicies(content.policies)
  const { strict = true, forbidErrors = 'deny', version } = options
  const authorizer = new Authorizer({
    policies: joined.source,
    strict,
    forbidErrors,
    ...(content.schema !== undefined && { schema: content.schema }),
    ...(content.entities !== undefined && { entities: content.entities }),
    ...(version !== undefined && { version }),
  })
  return { authorizer, joined }
}
