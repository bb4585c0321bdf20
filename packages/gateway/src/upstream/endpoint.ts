import { UpstreamPool } from '@breakwater/http'
import type { Driver, PoolOptions } from '@breakwater/http'
import { BalancedEndpoint } from '@breakwater/resilience/load'
import type { UpstreamConfig } from '@breakwater/contract'

type EndpointConfig = UpstreamConfig['endpoints'][number]

/** One server of an upstream: what the balancer learnt about it, and its connections. */
export class Endpoint extends BalancedEndpoint {
  readonly pool: UpstreamPool
  /** What goes into the Host field. */
  readonly authority: string
  /** By active checks. True until proven otherwise. */
  healthy: boolean = true
  /** By the outlier detector. */
  ejected: boolean = false

  constructor(driver: Driver, endpoint: EndpointConfig, config: UpstreamConfig, startedMs: number) {
    const id = idOf(endpoint)
    super(id, endpoint.weight, startedMs)
    this.authority = id
    this.pool = new UpstreamPool(driver, connectOptionsOf(endpoint, config), poolOptionsOf(config))
  }
}

/** `host:port`, IPv6 addresses in brackets. */
export function idOf({ host, port }: EndpointConfig): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

export function connectOptionsOf(
  { host, port }: EndpointConfig,
  { tls }: UpstreamConfig,
): UpstreamPool['endpoint'] {
  if (tls === undefined) return { host, port }
  const { caFile, serverName } = tls
  return {
    host,
    port,
    tls: {
      ...(caFile === undefined ? undefined : { caFile }),
      ...(serverName === undefined ? undefined : { servername: serverName }),
    },
  }
}

function poolOptionsOf({ limits, pool, timeouts }: UpstreamConfig): PoolOptions {
  return {
    limits: {
      maxHeadBytes: limits.maxHeadBytes,
      maxFields: limits.maxFields,
      maxFieldLineBytes: limits.maxFieldLineBytes,
    },
    maxConnections: pool.maxConnections,
    maxPending: pool.maxPending,
    pendingTimeoutMs: pool.maxPendingWaitMs,
    connectTimeoutMs: timeouts.connectMs,
    firstByteTimeoutMs: timeouts.firstByteMs,
    idleTimeoutMs: timeouts.bodyIdleMs,
    keepAliveTimeoutMs: timeouts.keepAliveMs,
  }
}
