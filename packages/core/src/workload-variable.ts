/**
 * The environment variable in which a service finds its token: the one that it shows together with a user's, or the one for a tenant
 * that it acts for by itself. `acme-eu` → `WORKLOAD_TOKEN_ACME_EU`.
 */
export function workloadTokenVariable(tenant?: string): string {
  return tenant === undefined
    ? 'WORKLOAD_TOKEN'
    : `WORKLOAD_TOKEN_${tenant.toUpperCase().replaceAll('-', '_')}`
}
