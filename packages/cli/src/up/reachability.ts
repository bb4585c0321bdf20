import type { GatewayConfig } from '@breakwater/contract'
import { isReachable } from './ports.ts'

/** An endpoint that nobody answers at. */
export interface Unreachable {
  readonly upstream: string
  readonly endpoint: string
  readonly isOptional: boolean
  readonly fix: string
}

/** Tries to connect to every endpoint of every upstream, all at once; takes `timeoutMs` at most. */
export async function findUnreachable(
  { upstreams }: GatewayConfig,
  timeoutMs: number = 1_000,
): Promise<readonly Unreachable[]> {
  const found = upstreams.flatMap((upstream) =>
    upstream.endpoints.map(async (endpoint): Promise<Unreachable | undefined> => {
      if (await isReachable(endpoint, timeoutMs)) return undefined
      const { host, port } = endpoint
      return {
        upstream: upstream.name,
        endpoint: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
        isOptional: upstream.optional,
        fix: `Start it, or correct upstreams.${upstream.name}.endpoints.`,
      }
    }),
  )
  return (await Promise.all(found)).filter((one) => one !== undefined)
}
