import { formatProblem } from '@breakwater/contract'
import type { EndpointStatus, UpstreamStatus } from '@breakwater/gateway'
import type { AdminStatus } from '../admin-client.ts'
import { table } from '../table.ts'

/** Breakers, budgets, bulkheads and pools of a running gateway, as tables. */
export function statusText(status: AdminStatus, url: string): string {
  const { name, ready, draining, overload, listeners, upstreams, authorization, nowMs } = status
  const condition = draining ? 'draining' : ready ? 'ready' : 'not ready'
  const load =
    overload === undefined
      ? 'not watched'
      : `level ${overload.level}${overload.cause === undefined ? '' : ` (${overload.cause})`}`
  const where = listeners.map(
    ({ name: listener, host, port, connections }) => `${listener} ${host}:${port} (${connections} open)`,
  )
  return [
    `gateway ${name} at ${url}: ${condition}, overload ${load}, listeners ${where.join(', ')}\n\n`,
    table([
      [
        'UPSTREAM',
        'HEALTH',
        'BREAKER',
        'IN FLIGHT',
        'WAITING',
        'ADAPTIVE LIMIT',
        'RETRY BUDGET',
        'THROTTLED',
      ],
      ...upstreams.map((upstream) => upstreamRow(upstream, nowMs)),
    ]),
    '\n',
    table([
      ['UPSTREAM', 'ENDPOINT', 'STATE', 'IN FLIGHT', 'LATENCY', 'CONNECTIONS', 'IDLE', 'PENDING'],
      ...upstreams.flatMap(({ name, endpoints }) => endpoints.map((endpoint) => endpointRow(name, endpoint))),
    ]),
    authorizationLine(authorization, nowMs),
    reloadLines(status),
  ].join('')
}

function upstreamRow(upstream: UpstreamStatus, nowMs: number): readonly string[] {
  const { name, healthy, optional, bulkhead, adaptiveLimit, shedder, throttleRejectRatio } = upstream
  const inFlight = bulkhead?.inFlight ?? adaptiveLimit?.inFlight
  return [
    name,
    `${healthy ? 'healthy' : 'DOWN'}${optional ? ' (optional)' : ''}`,
    breakerText(upstream.breaker, nowMs),
    inFlight === undefined ? 'unbounded' : `${inFlight}/${bulkhead?.maxConcurrent ?? '-'}`,
    String(shedder?.queued ?? bulkhead?.queued ?? '-'),
    adaptiveLimit === undefined ? 'off' : String(Math.floor(adaptiveLimit.limit)),
    String(upstream.retryBudgetAvailable),
    throttleRejectRatio === undefined ? 'off' : `${Math.round(throttleRejectRatio * 100)} %`,
  ]
}

function breakerText(breaker: UpstreamStatus['breaker'], nowMs: number): string {
  switch (breaker?.kind) {
    case undefined:
      return 'off'
    case 'closed':
      return `closed (${breaker.failures} of ${breaker.calls} failed)`
    case 'open':
      return `OPEN (${breaker.cause}, ${Math.max(0, (breaker.untilMs - nowMs) / 1000).toFixed(1)} s left)`
    case 'half-open':
      return `HALF-OPEN (${breaker.successes} good probes)`
    case 'forced-open':
    case 'forced-closed':
      return `${breaker.kind.toUpperCase()} (by ${breaker.by})`
  }
}

function authorizationLine(authorization: AdminStatus['authorization'], nowMs: number): string {
  if (authorization === undefined) return ''
  const { enforced, policyVersion, opa } = authorization
  const breaker = opa === undefined ? '' : `, breaker ${breakerText(opa.breaker, nowMs)}`
  return `\nauthorization: ${enforced ? 'enforced' : 'dark'} by ${policyVersion}${breaker}\n`
}

function endpointRow(upstream: string, endpoint: EndpointStatus): readonly string[] {
  const { id, healthy, ejected, inFlight, latencyMs, connections, idleConnections, pendingRequests } =
    endpoint
  return [
    upstream,
    id,
    ejected ? 'EJECTED' : healthy ? 'up' : 'DOWN',
    String(inFlight),
    `${latencyMs.toFixed(1)} ms`,
    String(connections),
    String(idleConnections),
    String(pendingRequests),
  ]
}

function reloadLines({ lastReload }: AdminStatus): string {
  if (lastReload === undefined) return ''
  const { at, isRefused, problems, kept, dropped, failure } = lastReload
  return [
    `\nlast reload ${at}: ${failure ?? (isRefused ? 'refused' : problems.length > 0 ? 'in effect, except for what is wrong' : 'in effect')}`,
    ...problems.map((problem) => `  ${formatProblem(problem)}`),
    ...kept.map((name) => `  ${name} keeps its last good version`),
    ...dropped.map((name) => `  ${name} is out of service`),
    '',
  ].join('\n')
}
