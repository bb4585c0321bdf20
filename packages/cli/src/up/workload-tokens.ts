import type { GatewayConfig, ServiceConfig } from '@breakwater/contract'
import { workloadTokenVariable } from '@breakwater/core'
import { openTestIssuer } from '@breakwater/gateway'

/** The tokens of a test issuer are not renewed: as long as anybody leaves a trial running. */
const VALID_FOR_MS = 30 * 24 * 3_600_000

/**
 * What a service with a `workload` finds in its environment: a token of its own, one more for each tenant that it may act for by
 * itself, and what verifies those of others. Made here and kept nowhere: not in a file and not in a log. `nowMs`: since 1970.
 *
 * @throws `BW_GATEWAY_START_FAILED` when the key of the test issuer can be neither read nor made.
 */
export function workloadEnvironmentOf(
  { name, authorization, services }: GatewayConfig,
  nowMs: number,
): (service: ServiceConfig) => Readonly<Record<string, string>> {
  const identity = authorization.mode === 'off' ? undefined : authorization.identity
  const { testIssuer, audience = name } = identity ?? {}
  if (testIssuer?.keysDir === undefined || services.every(({ workload }) => workload === undefined))
    return () => ({})
  const issuer = openTestIssuer(testIssuer.keysDir, testIssuer.name)
  return ({ workload }) => {
    if (workload === undefined) return {}
    const sign = (tenant?: string): string => {
      const own = { kind: 'workload', subject: workload.name, audience, validForMs: VALID_FOR_MS } as const
      return issuer.sign(tenant === undefined ? own : { ...own, tenant }, nowMs)
    }
    const perTenant = workload.tenants.map((tenant) => [workloadTokenVariable(tenant), sign(tenant)])
    return {
      TOKEN_PUBLIC_KEY: issuer.publicKey,
      TOKEN_ISSUER: issuer.name,
      TOKEN_AUDIENCE: audience,
      [workloadTokenVariable()]: sign(),
      ...(Object.fromEntries(perTenant) as Record<string, string>),
    }
  }
}
