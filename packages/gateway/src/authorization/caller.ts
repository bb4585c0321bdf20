import type { FieldList } from '@breakwater/http'
import { failed, ok } from '@breakwater/core'
import type { Result } from '@breakwater/core'
import type { TokenVerifier, VerifiedToken } from './token-verifier.ts'

/** Who asks, verified: a user, the workload through which it comes, or a workload for itself. */
export interface Caller {
  readonly user: string | undefined
  readonly workload: string
  readonly tenant: string | undefined
  /** When the first of the tokens ends. Milliseconds since 1970. */
  readonly expiresMs: number
}

/** Where a request proves who it is. */
export interface IdentityOptions {
  readonly verifier: TokenVerifier | undefined
  readonly workloadHeader: string
  readonly anonymousWorkload: string
}

/** Reads all values of a field, named in lower case. */
export type RequestFields = Pick<FieldList, 'getAll'>

/**
 * Reads who asks from the two tokens of a request: the user's in `Authorization`, the workload's in a field of its own. A token of
 * one kind never stands for the other. With neither nobody is known; one that is not good is never passed over.
 */
export function identify(
  fields: RequestFields,
  { verifier, workloadHeader, anonymousWorkload }: IdentityOptions,
  nowMs: number,
): Result<Caller, string> {
  const user = tokenIn(fields, 'authorization', 'user', verifier, nowMs)
  if (!user.ok) return user
  const workload = tokenIn(fields, workloadHeader, 'workload', verifier, nowMs)
  if (!workload.ok) return workload
  if (user.value === undefined && workload.value === undefined) return failed('no token was sent')
  const [one, other] = [user.value?.tenant, workload.value?.tenant]
  if (one !== undefined && other !== undefined && one !== other)
    return failed('the two tokens speak of different tenants')
  return ok({
    user: user.value?.subject,
    workload: workload.value?.subject ?? anonymousWorkload,
    tenant: user.value === undefined ? other : one,
    expiresMs: Math.min(user.value?.expiresMs ?? Infinity, workload.value?.expiresMs ?? Infinity),
  })
}

function tokenIn(
  fields: RequestFields,
  name: string,
  kind: VerifiedToken['kind'],
  verifier: TokenVerifier | undefined,
  nowMs: number,
): Result<VerifiedToken | undefined, string> {
  const values = fields.getAll(name)
  const [value] = values
  if (value === undefined) return ok(undefined)
  if (values.length > 1) return failed(`${name} was sent ${values.length} times`)
  if (verifier === undefined) return failed('no issuer of tokens is trusted')
  const token = /^Bearer +([^\s,]+)$/i.exec(value.trim())?.[1]
  if (token === undefined) return failed(`${name} does not hold a bearer token`)
  const verified = verifier.verify(token, nowMs)
  if (!verified.ok) return verified
  return verified.value.kind === kind
    ? verified
    : failed(`the token in ${name} is one of a ${verified.value.kind}`)
}
