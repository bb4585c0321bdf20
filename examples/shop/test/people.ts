import { TestIssuer } from '@breakwater/gateway/identity'
import type { ServiceName } from '../src/index.ts'

type Env = Readonly<Record<string, string>>

/** The issuer of one test run. Its key is in memory and nowhere else. */
const { issuer } = TestIssuer.create()
const AUDIENCE = 'shop'

export const tenantOf: Readonly<Record<string, string>> = {
  usr_ada: 'acme',
  usr_grace: 'acme',
  usr_sue: 'acme',
  usr_bill: 'acme',
  usr_edsger: 'globex',
}

function sign(kind: 'user' | 'workload', subject: string, tenant?: string): string {
  const claims = { kind, subject, audience: AUDIENCE, validForMs: 3_600_000 } as const
  return issuer.sign(tenant === undefined ? claims : { ...claims, tenant }, Date.now())
}

/** What whoever starts a service gives it: a token of its own, and the key that verifies those of others. */
export function identityOf(service: ServiceName): Env {
  return {
    TOKEN_PUBLIC_KEY: issuer.publicKey,
    TOKEN_ISSUER: issuer.name,
    TOKEN_AUDIENCE: AUDIENCE,
    WORKLOAD_TOKEN: sign('workload', service),
    WORKLOAD_TOKEN_ACME: sign('workload', service, 'acme'),
    WORKLOAD_TOKEN_GLOBEX: sign('workload', service, 'globex'),
  }
}

/** A user, by a browser or through a workload, as the fields of a request prove it. */
export function as(user: string, workload?: string, tenant = tenantOf[user]): Env {
  return {
    authorization: `Bearer ${sign('user', user, tenant)}`,
    ...(workload !== undefined && { 'workload-authorization': `Bearer ${sign('workload', workload)}` }),
  }
}

/** A workload by itself, in one tenant or in none. */
export function alone(workload: string, tenant?: string): Env {
  return { 'workload-authorization': `Bearer ${sign('workload', workload, tenant)}` }
}
