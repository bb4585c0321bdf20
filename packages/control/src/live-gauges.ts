import type { Gateway, UpstreamStatus } from '@breakwater/gateway'
import type { Gauge, MetricFamily, MetricsRegistry } from '@breakwater/telemetry'

const BREAKER_STATES = ['closed', 'open', 'half-open', 'forced-open', 'forced-closed'] as const

/** No upstream is called so: a name holds no dot. */
const OPA = 'authorization.opa'

type Write = (family: MetricFamily<Gauge>, value: number, ...labels: readonly string[]) => void

/**
 * Shows the controls of a gateway as gauges, read when the metrics are. What has left the configuration leaves the
 * metrics. Disposing of the result takes the collector away, not the metrics.
 */
export function collectGatewayGauges(registry: MetricsRegistry, gateway: Gateway): Disposable {
  const families = familiesOf(registry)
  let shown = new Map<string, () => void>()
  const stop = registry.onCollect(() => {
    const now = new Map<string, () => void>()
    const write: Write = (family, value, ...labels) => {
      family.labels(...labels).set(value)
      now.set(`${family.name} ${labels.join(' ')}`, () => void family.remove(...labels))
    }
    const { ready, overload, listeners, upstreams, authorization } = gateway.status()
    write(families.ready, ready ? 1 : 0)
    if (overload !== undefined) write(families.overload, overload.level)
    for (const { name, connections } of listeners) write(families.connections, connections, name)
    for (const upstream of upstreams) writeUpstream(upstream, families, write)
    writeBreaker(OPA, authorization?.opa?.breaker, families, write)
    for (const [key, remove] of shown) if (!now.has(key)) remove()
    shown = now
  })
  return { [Symbol.dispose]: stop }
}

function writeUpstream(status: UpstreamStatus, families: Families, write: Write): void {
  const { name, breaker, bulkhead, adaptiveLimit, shedder, throttleRejectRatio } = status
  writeBreaker(name, breaker, families, write)
  if (bulkhead !== undefined) {
    write(families.bulkheadInFlight, bulkhead.inFlight, name)
    write(families.bulkheadLimit, bulkhead.maxConcurrent, name)
  }
  if (shedder !== undefined) write(families.queued, shedder.queued, name)
  else if (bulkhead !== undefined) write(families.queued, bulkhead.queued, name)
  if (adaptiveLimit !== undefined) write(families.adaptiveLimit, adaptiveLimit.limit, name)
  if (throttleRejectRatio !== undefined) write(families.throttle, throttleRejectRatio, name)
  write(families.retryBudget, status.retryBudgetAvailable, name)
  for (const endpoint of status.endpoints) {
    const { id, connections, idleConnections, pendingRequests } = endpoint
    write(families.endpointUp, endpoint.healthy && !endpoint.ejected ? 1 : 0, name, id)
    write(families.endpointInFlight, endpoint.inFlight, name, id)
    write(families.pool, connections - idleConnections, name, id, 'busy')
    write(families.pool, idleConnections, name, id, 'idle')
    write(families.poolPending, pendingRequests, name, id)
  }
}

function writeBreaker(
  name: string,
  breaker: UpstreamStatus['breaker'],
  families: Families,
  write: Write,
): void {
  if (breaker === undefined) return
  for (const state of BREAKER_STATES) write(families.breaker, breaker.kind === state ? 1 : 0, name, state)
}

type Families = ReturnType<typeof familiesOf>

function familiesOf(registry: MetricsRegistry) {
  const gauge = (name: string, help: string, ...labels: readonly string[]): MetricFamily<Gauge> =>
    registry.gauge({ name: `breakwater_${name}`, help, labels })
  return {
    ready: gauge('gateway_ready', '1 when it takes traffic, 0 when it starts, drains or lacks an upstream.'),
    overload: gauge('gateway_overload_level', 'How far the process is overloaded; 0 is not at all.'),
    connections: gauge('listener_connections', 'Open connections of clients.', 'listener'),
    breaker: gauge('breaker_state', '1 for the state that the breaker is in.', 'upstream', 'state'),
    bulkheadInFlight: gauge('bulkhead_in_flight', 'Calls that hold a place.', 'upstream'),
    bulkheadLimit: gauge('bulkhead_max_concurrent', 'Places that there are.', 'upstream'),
    queued: gauge('upstream_queued_requests', 'Requests that wait for capacity.', 'upstream'),
    adaptiveLimit: gauge('adaptive_limit', 'Calls that the adaptive limit allows at a time.', 'upstream'),
    throttle: gauge('client_throttle_reject_ratio', 'Share of calls that are not even sent.', 'upstream'),
    retryBudget: gauge('retry_budget_available', 'Retries that the budget would still pay.', 'upstream'),
    endpointUp: gauge('endpoint_up', '1 when the endpoint is in use.', 'upstream', 'endpoint'),
    endpointInFlight: gauge('endpoint_in_flight', 'Calls under way.', 'upstream', 'endpoint'),
    pool: gauge('pool_connections', 'Connections to the endpoint.', 'upstream', 'endpoint', 'state'),
    poolPending: gauge('pool_pending_requests', 'Requests without a connection.', 'upstream', 'endpoint'),
  } as const
}
