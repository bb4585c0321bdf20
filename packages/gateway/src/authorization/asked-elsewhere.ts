import { AuthzError } from '@breakwater/authz'
import type { AuthzRequest } from '@breakwater/authz'
import { refused } from '@breakwater/authz/operate'
import type { Authorization } from './authorization.ts'
import type { MadeDecision } from './decision-point.ts'

/** For whom a decision is made, for its record. */
export interface AskedBy {
  readonly via: string
  readonly traceId: string
}

/**
 * A decision that somebody else acts on: by the policies, entities and log of the gateway's own requests. Resolves once its
 * record is written; what cannot be decided or written down is a deny. Never rejects.
 */
export async function decideFor(
  authorization: Authorization,
  request: AuthzRequest,
  { via, traceId }: AskedBy,
): Promise<MadeDecision> {
  const decision = await decided(authorization, request)
  const { log } = authorization
  if (log === undefined) {
    await breath()
    return decision
  }
  try {
    const entry = { timeMs: authorization.epochMs(), request, decision, via, traceId }
    await log.append(entry).written()
    return decision
  } catch (cause) {
    authorization.failed(cause)
    const detail = 'the decision could not be written down'
    return refused(
      new AuthzError('BW_AUTHZ_LOG_FAILED', detail, { cause }),
      decision.policyVersion,
      'compiled',
    )
  }
}

async function decided(authorization: Authorization, request: AuthzRequest): Promise<MadeDecision> {
  const { remote } = authorization
  try {
    const decision = remote === undefined ? authorization.decide(request) : await remote.ask(request)
    if (remote !== undefined && decision.failure !== undefined) authorization.failed(decision.failure)
    if (decision.decision === 'allow' || decision.decision === 'deny') return decision
    throw new TypeError('the decision is neither allow nor deny')
  } catch (cause) {
    authorization.failed(cause)
    const detail = 'no decision can be made at the moment'
    return refused(
      new AuthzError('BW_AUTHZ_ENGINE_FAILED', detail, { cause }),
      authorization.version,
      'compiled',
    )
  }
}

/** One question may hold thousands of decisions: the requests of the gateway come in between. */
function breath(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
