/**
 * The agreements: configuration schema, error and threat catalogues, and what is generated from them. No behaviour.
 *
 * @module
 */

export { defineThreats, threats } from './threats.ts'
export type { Threat } from './threats.ts'

export { defineConfig, resolveObject, resolveText } from './config/resolve.ts'
export type { ResolvedConfig } from './config/resolve.ts'
export { findConfigFile, loadConfig, readSecret } from './config/load.ts'
export { readYaml } from './config/read-yaml.ts'
export { diffConfig, resolveTolerant } from './config/reload.ts'
export type { TolerantResult } from './config/reload.ts'
export { accessOf } from './config/access.ts'
export type { Explanation } from './config/explain.ts'
export { formatPlace, formatProblem } from './config/problem.ts'
export type { ConfigProblem } from './config/problem.ts'

export type {
  ConfigInput,
  GatewayConfig,
  ListenerConfig,
  RouteConfig,
  ServiceConfig,
  UpstreamConfig,
} from './config/schema/schema.ts'
export { comparePathPatterns, parsePathPattern } from './config/path-pattern.ts'
export type { PathPattern, PathSegment } from './config/path-pattern.ts'
export type { HeaderCondition, LadderStep } from './config/schema/route.ts'
export type { SecretReference } from './config/schema/secret.ts'
export { errors } from './errors.ts'
