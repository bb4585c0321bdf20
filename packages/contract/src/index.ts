/**
 * The agreements: configuration schema, error and threat catalogues, and what is generated from them. No behaviour.
 *
 * @module
 */

export { defineThreats, threats } from './threats.ts'
export type { Threat, ThreatCatalogue, ThreatSpec } from './threats.ts'
export { gatewaySchema } from './config/schema/schema.ts'
export type {
  ConfigInput,
  GatewayConfig,
  ListenerConfig,
  RouteConfig,
  UpstreamConfig,
} from './config/schema/schema.ts'
export { comparePathPatterns, parsePathPattern } from './config/path-pattern.ts'
export type { PathPattern, PathSegment } from './config/path-pattern.ts'
export type { HeaderCondition, LadderStep, RateLimitKey } from './config/schema/route.ts'
export type { SecretReference } from './config/schema/secret.ts'
