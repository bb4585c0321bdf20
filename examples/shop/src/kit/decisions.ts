import { fileURLToPath } from 'node:url'
import type { Authorizer } from '@breakwater/authz'
import type { Who } from '@breakwater/authz/guard'
import { openPolicies, readPolicyFolder } from '@breakwater/authz/operate'
import type { Caller } from '@breakwater/gateway/identity'
import { errors } from './errors.ts'

/** The policies of the shop, those that the gateway asks as well. */
const POLICIES = fileURLToPath(new URL('../../policies', import.meta.url))

/** Opens the policies for a service that guards its objects. Takes some 200 ms. Throws what is wrong with them. */
export function openDecisions(env: NodeJS.ProcessEnv): Authorizer {
  return openPolicies(readPolicyFolder(env['SHOP_POLICIES'] ?? POLICIES)).authorizer
}

const entity = (type: string, id: string) => ({ __entity: { type, id } })

/** A verified caller as the policies know it: the user if there is one, through a process, in a tenant, now. */
export function whoOf({ user, workload, tenant }: Caller): Who {
  return {
    principal: user === undefined ? { type: 'Workload', id: workload } : { type: 'User', id: user },
    context: {
      workload: entity('Workload', workload),
      ...(tenant !== undefined && { tenant: entity('Tenant', tenant) }),
      now: { __extn: { fn: 'datetime', arg: new Date().toISOString() } },
    },
  }
}

/** The tenant of a `Who` made by `whoOf`, for queries: they stay within it whatever the policies say. */
export function tenantOf({ context }: Who): string {
  const { tenant } = context as { readonly tenant?: ReturnType<typeof entity> }
  if (tenant === undefined) throw errors.SHOP_TENANT_MISSING('the token names no tenant')
  return tenant.__entity.id
}

/** What objects have in common for the policies: whose they are. */
export function belongsTo(tenantId: string, userId: string) {
  return { tenant: entity('Tenant', tenantId), owner: entity('User', userId) }
}
