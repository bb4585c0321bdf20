import type { FieldList } from '@breakwater/http'
import type { Caller } from './caller.ts'

/** Fields that the gateway alone sets: whatever comes in under this prefix is removed. */
export const IDENTITY_PREFIX = 'x-authenticated-'

/** Fields by which frameworks behind take a request for another one than was decided on. */
const OVERRIDES: ReadonlySet<string> = new Set([
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
  'x-original-method',
])

/** Removes what only the gateway may say. Servers that speak CGI read `_` as `-`, so both are one here. */
export function stripClaims(fields: FieldList, alsoStripped: ReadonlySet<string>): void {
  const { flat } = fields
  for (let at = flat.length - 2; at >= 0; at -= 2) {
    const name = (flat[at] ?? '').replaceAll('_', '-')
    if (name.startsWith(IDENTITY_PREFIX) || OVERRIDES.has(name) || alsoStripped.has(name)) flat.splice(at, 2)
  }
}

/** Tells the upstream who asks and what it has to do for it. */
export function writeCaller(fields: FieldList, caller: Caller, obligations: string | undefined): void {
  const { user, workload, tenant } = caller
  if (user !== undefined) fields.append(`${IDENTITY_PREFIX}user`, user)
  if (tenant !== undefined) fields.append(`${IDENTITY_PREFIX}tenant`, tenant)
  fields.append(`${IDENTITY_PREFIX}workload`, workload)
  if (obligations !== undefined) fields.append(`${IDENTITY_PREFIX}obligations`, obligations)
}
