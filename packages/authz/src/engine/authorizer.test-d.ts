import type { Authorizer } from './authorizer.ts'
import type { ListPlan } from '../partial/list-plan.ts'
import type { AuthzRequest } from './request.ts'

declare const authorizer: Authorizer
declare const request: AuthzRequest
declare const plan: ListPlan

// A decision is not a boolean: "deny" would be truthy.
// @ts-expect-error -- compare `decision.decision` with 'allow'
export const truthy: boolean = authorizer.decide(request)

// @ts-expect-error -- an action is part of every request
authorizer.decide({ principal: request.principal, resource: request.resource })

// @ts-expect-error -- an entity is named by type and id, not by text
authorizer.decide({ ...request, principal: 'User::"ann"' })

// @ts-expect-error -- null has no meaning in Cedar
authorizer.decide({ ...request, context: { level: null } })

// @ts-expect-error -- a list plan has a filter only when it is one
export const unchecked: unknown = plan.filter

// @ts-expect-error -- the policies in force are replaced as a whole
authorizer.policySet.policies = []
