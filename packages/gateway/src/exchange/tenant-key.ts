import type { Caller } from '../authorization/caller.ts'

/** What says whose request it is. */
export interface TenantedRequest {
  readonly tenantName: string
  readonly caller: Caller | undefined
  readonly plan: { readonly guard: object | undefined }
}

/**
 * The tenant that limits, fairness and stored answers count a request for. Where tokens say whose tenant it is, a tenant that
 * only a field names is another one, whatever its name: nobody spends a share by its name alone.
 */
export function tenantKeyOf({ tenantName, caller, plan }: TenantedRequest): string {
  const isClaimed = plan.guard !== undefined && caller?.tenant === undefined && tenantName !== ''
  // A verified name holds no space.
  return isClaimed ? ` ${tenantName}` : tenantName
}
