import { resolve as resolvePath } from 'node:path'

import { failed, ok } from '@breakwater/core'
import type { Result } from '@breakwater/core'
import { stringify } from 'yaml'

import { withDefaults } from './effective.ts'
import { applyEnvironment } from './environment.ts'
import type { Environment } from './environment.ts'
import { explainPath } from './explain.ts'
import type { Explanation } from './explain.ts'
import { problemsFrom } from './issues.ts'
import { sortProblems } from './problem.ts'
import type { ConfigProblem } from './problem.ts'
import { checkRules } from './rules.ts'
import { gatewaySchema } from './schema/schema.ts'
import type { ConfigInput, GatewayConfig, ServiceConfig } from './schema/schema.ts'
import { objectSource, yamlSource } from './source.ts'
import type { ConfigSource } from './source.ts'
import { compareRoutes } from './specificity.ts'

export interface ResolveOptions {
  /** The name that messages use. Default `breakwater.yaml`. */
  readonly file?: string
  /** Folder that relative file names start from. Default: the working folder. */
  readonly baseDir?: string
  /** Variables that may override values. Default: none. */
  readonly environment?: Environment
}

/** A configuration that is right, with everything that tools want to know about it. */
export interface ResolvedConfig {
  readonly config: GatewayConfig
  /** One setting: value, origin, meaning. Fails with a guess when there is no such setting. */
  explain(path: string): Result<Explanation, ConfigProblem>
  /** The whole configuration as YAML with every default written out. Holds references, never secrets. */
  print(): string
}

export type ConfigResult = Result<ResolvedConfig, readonly ConfigProblem[]>

/** Reads the text of a `breakwater.yaml`. Never throws: all mistakes come at once, in the order of the file. */
export function resolveText(text: string, options: ResolveOptions = {}): ConfigResult {
  return resolveSource(yamlSource(text, options.file ?? 'breakwater.yaml'), options)
}

/** Like {@link resolveText} for an object, such as that of `defineConfig`. Problems have no line. */
export function resolveObject(value: unknown, options: ResolveOptions = {}): ConfigResult {
  return resolveSource(objectSource(value, options.file ?? 'breakwater.config.ts'), options)
}

/** Checks at compile time that an object is a configuration; the identity at run time. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config
}

/** @internal */
export function resolveSource(
  source: ConfigSource,
  options: ResolveOptions,
  alsoKnownUpstreams: readonly string[] = [],
): ConfigResult {
  if (source.value === undefined && source.problems.length > 0) return failed(sortProblems(source.problems))
  const overridden = applyEnvironment(gatewaySchema, source.value ?? {}, options.environment ?? {})
  const { value, names } = overridden
  const placed: ConfigSource = {
    ...source,
    place: (path, part) => {
      const name = names.get(path.join('.'))
      return name === undefined ? source.place(path, part) : { file: name }
    },
    has: (path) => names.has(path.join('.')) || source.has(path),
  }
  const parsed = gatewaySchema.safeParse(value)
  const problems = [
    ...source.problems,
    ...overridden.problems,
    ...(parsed.success ? [] : problemsFrom(parsed.error.issues, gatewaySchema, placed, value)),
    ...checkRules(value, placed, alsoKnownUpstreams),
  ]
  if (!parsed.success || problems.length > 0) return failed(sortProblems(problems))
  const effective = withDefaults(gatewaySchema, value)
  return ok({
    config: finish(parsed.data, options.baseDir ?? process.cwd()),
    explain: (path) => explainPath(path, { effective, source: placed, overrides: names }),
    print: () => stringify(effective, { lineWidth: 110, singleQuote: true, aliasDuplicateObjects: false }),
  })
}

function finish(config: GatewayConfig, baseDir: string): GatewayConfig {
  const { routes, services, ...rest } = absoluteFiles(config, baseDir)
  return { ...rest, routes: [...routes].sort(compareRoutes), services: startOrder(services) }
}

/** Keys that end in File or Dir hold names relative to the configuration; the rule of the schema makes them so. */
function absoluteFiles<Value>(value: Value, baseDir: string): Value {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: unknown) => absoluteFiles(item, baseDir)) as Value
  const entries = Object.entries(value).map(([key, inner]: [string, unknown]) => {
    const isFileName = /^file$|File$|Dir$/.test(key) && typeof inner === 'string'
    return [key, isFileName ? resolvePath(baseDir, inner) : absoluteFiles(inner, baseDir)] as const
  })
  return Object.fromEntries(entries) as Value
}

/** Each service after all that it depends on; otherwise in the order of the file. There are no circles. */
function startOrder(services: readonly ServiceConfig[]): ServiceConfig[] {
  const ordered = new Set<ServiceConfig>()
  const add = (service: ServiceConfig) => {
    for (const name of service.dependsOn) {
      const needed = services.find((other) => other.name === name)
      if (needed !== undefined && !ordered.has(needed)) add(needed)
    }
    ordered.add(service)
  }
  for (const service of services) add(service)
  return [...ordered]
}
