import type { Exchange } from './exchange.ts'

/**
 * The tenant that limits, fairness and stored answers count a request for. Where tokens say whose tenant it is, a tenant that
 * only a field names is another one, whatever its name: nobody spends a share by its name alone.
 */
export function tenantKeyOf({
  tenantName,
  caller,
  plan,
}: Pick<Exchange, 'tenantName' | 'caller' | 'plan'>): string {
  const isClaimed = plan.guard !== undefined && caller?.tenant === undefined && tenantName !== ''
  // A verified name holds no space.
  return isClaimed ? ` ${tenantName}` : tenantName
}
