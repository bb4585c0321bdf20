import { createAuthZenHandler, storeCandidates } from '@breakwater/authz/adapters'
import type { AuthZenMapping } from '@breakwater/authz/adapters'
import { decideFor } from './asked-elsewhere.ts'
import type { AuthorizationConfig } from './authorization-config.ts'
import type { Authorization } from './authorization.ts'

/** Settings of `authorization.authzen`. */
export type AuthZenConfig = NonNullable<AuthorizationConfig['authzen']>

/** What the request itself does not say. */
export interface AuthZenCall {
  /** Address of the endpoint as its callers see it, when the configuration names no other. */
  readonly address: string
  readonly traceId: string
}

/**
 * Answers one HTTP request of an enforcement point elsewhere (AuthZEN 1.0). Whoever lets the request come here has made sure
 * that it may ask; what it says about who wants what is believed. Never rejects.
 */
export async function answerAuthZen(
  authorization: Authorization,
  { identifier, types, contextKeys, search, maxBodyBytes, maxEvaluations }: AuthZenConfig,
  request: Request,
  { address, traceId }: AuthZenCall,
): Promise<Response> {
  const mapping: AuthZenMapping = { types, ...(contextKeys !== undefined && { contextKeys }) }
  // Who decides elsewhere does not say whom it knows: then nobody can search.
  const store = authorization.policies?.store
  // Made for each request: settings, policies and trace are those of the moment.
  const handler = createAuthZenHandler({
    policyDecisionPoint: identifier ?? address,
    authenticate: () => true,
    decide: (asked) => decideFor(authorization, asked, { via: 'authzen', traceId }),
    mapping,
    maxBodyBytes,
    maxEvaluations,
    ...(search && store !== undefined && { candidates: storeCandidates(store, mapping) }),
  })
  return handler(request)
}
