import { formatProblem, resolveObject } from '@breakwater/contract'
import type { ConfigInput, GatewayConfig } from '@breakwater/contract'

import { SERVICE_PORT } from './world.ts'

type UpstreamInput = ConfigInput['upstreams'][string]
type RouteInput = ConfigInput['routes'][string]

/** Every control of an upstream off. A drill switches on what it is about. */
export const BARE_UPSTREAM: Partial<UpstreamInput> = {
  slowStart: false,
  outlierEjection: false,
  healthCheck: false,
  breaker: false,
  bulkhead: false,
  adaptiveLimit: false,
  clientThrottle: false,
  retryBudget: false,
}

/** Every control of a route off. */
export const BARE_ROUTE: Partial<RouteInput> = {
  deadline: false,
  retry: false,
  hedge: false,
  rateLimit: false,
  idempotencyKey: false,
  coalesce: false,
  staleIfError: false,
  ladder: false,
}

/** The port of the gateway on its host. */
export const GATEWAY_PORT = 8080

/** What one service gets that differs from its bare form. */
export interface ServiceSettings {
  readonly upstream?: Partial<UpstreamInput>
  readonly route?: Partial<RouteInput>
}

export interface DrillConfig {
  /** The services behind the gateway by name: each is an upstream and a route for `/<name>/*`. */
  readonly services: Readonly<Record<string, ServiceSettings>>
  readonly listener?: Partial<ConfigInput['listeners'][string]>
  /** Anything else at the top level. */
  readonly rest?: Omit<Partial<ConfigInput>, 'listeners' | 'upstreams' | 'routes'>
}

/**
 * A configuration in which every control is off but those that a drill names: by the same keys that users have, so that
 * a drill has no switch of its own.
 *
 * @throws Error with every mistake in it.
 */
export function drillConfig(options: DrillConfig): GatewayConfig {
  const entries = Object.entries(options.services)
  const input: ConfigInput = {
    shed: false,
    overload: false,
    admin: false,
    ...options.rest,
    listeners: { main: { host: '0.0.0.0', port: GATEWAY_PORT, ...options.listener } },
    upstreams: Object.fromEntries(
      entries.map(([name, { upstream }]) => [
        name,
        { endpoints: [`${name}:${SERVICE_PORT}`], ...BARE_UPSTREAM, ...upstream },
      ]),
    ),
    routes: Object.fromEntries(
      entries.map(([name, { route }]) => [
        name,
        { match: `/${name}/*`, upstream: name, ...BARE_ROUTE, ...route },
      ]),
    ),
  }
  const resolved = resolveObject(input, { file: 'the configuration of a drill' })
  if (resolved.ok) return resolved.value.config
  throw new Error(resolved.error.map(formatProblem).join('\n'))
}
