import { isDeepStrictEqual } from 'node:util'

import type { ConfigProblem } from './problem.ts'
import { resolveSource } from './resolve.ts'
import type { ResolveOptions } from './resolve.ts'
import type { GatewayConfig, RouteConfig, UpstreamConfig } from './schema/schema.ts'
import { valueAt, yamlSource } from './source.ts'
import type { ConfigSource } from './source.ts'
import { compareRoutes, isConflict } from './specificity.ts'

/** What a reload comes to. */
export interface TolerantResult {
  /** What should run now. The previous one, untouched, when `isRefused`. */
  readonly config: GatewayConfig
  /** Everything that is wrong with the new text. Empty: all of it is in effect. */
  readonly problems: readonly ConfigProblem[]
  /** Whether nothing of the new text is in effect, because something other than a route or an upstream is wrong. */
  readonly isRefused: boolean
  /** Routes and upstreams that are bad now and stay as they were: `routes.orders`. */
  readonly kept: readonly string[]
  /** Routes and upstreams that are bad now and have no good version that fits. */
  readonly dropped: readonly string[]
}

/**
 * Reads a changed file while the gateway runs. A route or an upstream that has become bad keeps its last good version;
 * everything else of the new text is in effect. Anything wrong outside of them refuses the whole text.
 */
export function resolveTolerant(
  text: string,
  previous: GatewayConfig,
  options: ResolveOptions = {},
): TolerantResult {
  const source = yamlSource(text, options.file ?? 'breakwater.yaml')
  const problems: ConfigProblem[] = []
  const bad = new Set<string>()
  let known: readonly string[] = []
  for (;;) {
    const result = resolveSource(without(source, bad), options, known)
    if (result.ok) return merge(result.value.config, previous, bad, problems)
    const members = result.error.map((problem) => /^(routes|upstreams)\.[^.[]+/.exec(problem.path)?.[0])
    for (const problem of result.error)
      if (!problems.some((other) => isDeepStrictEqual(other, problem))) problems.push(problem)
    if (members.includes(undefined) || members.every((member) => bad.has(member ?? ''))) {
      return { config: previous, problems, isRefused: true, kept: [], dropped: [] }
    }
    for (const member of members) if (member !== undefined) bad.add(member)
    known = [...bad]
      .filter((member) => member.startsWith('upstreams.'))
      .map((member) => member.slice('upstreams.'.length))
  }
}

/** The same source without the members that are known to be bad. */
function without(source: ConfigSource, bad: ReadonlySet<string>): ConfigSource {
  if (bad.size === 0) return source
  const value = structuredClone(source.value) as Record<string, unknown>
  for (const member of bad) {
    const [kind = '', name = ''] = member.split('.')
    const members = valueAt(value, [kind])
    if (typeof members === 'object' && members !== null) Reflect.deleteProperty(members, name)
  }
  return { ...source, value, problems: [] }
}

function merge(
  fresh: GatewayConfig,
  previous: GatewayConfig,
  bad: ReadonlySet<string>,
  problems: readonly ConfigProblem[],
): TolerantResult {
  const kept: string[] = []
  const dropped: string[] = []
  const mayKeep = fresh.reload.keepLastGood
  const namesOf = (kind: string) =>
    [...bad].filter((member) => member.startsWith(kind)).map((member) => member.slice(kind.length))

  const upstreams: UpstreamConfig[] = [...fresh.upstreams]
  for (const name of namesOf('upstreams.')) {
    const last = previous.upstreams.find((upstream) => upstream.name === name)
    if (last !== undefined && mayKeep) upstreams.push(last)
    ;(last !== undefined && mayKeep ? kept : dropped).push(`upstreams.${name}`)
  }
  const isServed = (route: RouteConfig) =>
    neededUpstreams(route).every((needed) => upstreams.some(({ name }) => name === needed))
  const routes = fresh.routes.filter(isServed)
  const orphans = fresh.routes.filter((route) => !isServed(route)).map(({ name }) => name)
  for (const name of [...namesOf('routes.'), ...orphans]) {
    const last = previous.routes.find((route) => route.name === name)
    const fits =
      last !== undefined && mayKeep && isServed(last) && !routes.some((route) => isConflict(route, last))
    if (fits) routes.push(last)
    ;(fits ? kept : dropped).push(`routes.${name}`)
  }
  return {
    config: { ...fresh, upstreams, routes: routes.sort(compareRoutes) },
    problems,
    isRefused: false,
    kept,
    dropped,
  }
}

function neededUpstreams(route: RouteConfig): readonly string[] {
  const steps = route.ladder.mode === 'off' ? [] : route.ladder.steps
  return [route.upstream, ...steps.flatMap((step) => (step.serve === 'upstream' ? [step.upstream] : []))]
}

/** Names that two configurations have in common or not. */
export interface NameDiff {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
  readonly unchanged: readonly string[]
}

export interface ConfigDiff {
  /** A route counts as changed also when an upstream that it uses has. */
  readonly routes: NameDiff
  readonly upstreams: NameDiff
  readonly listeners: NameDiff
  /** Other top-level keys whose settings differ. */
  readonly settings: readonly string[]
}

/** What a reload has to swap. What is in `unchanged` keeps its state: breakers, pools, caches, open streams. */
export function diffConfig(before: GatewayConfig, after: GatewayConfig): ConfigDiff {
  const upstreams = diffNamed(before.upstreams, after.upstreams)
  const touched = new Set([...upstreams.changed, ...upstreams.added, ...upstreams.removed])
  const own = diffNamed(before.routes, after.routes)
  const isTouched = (name: string) =>
    after.routes.some(
      (route) => route.name === name && neededUpstreams(route).some((needed) => touched.has(needed)),
    )
  const settings = [
    'name',
    'shed',
    'overload',
    'telemetry',
    'admin',
    'drain',
    'reload',
    'state',
    'sockets',
    'services',
    'welcome',
  ] as const
  return {
    routes: {
      ...own,
      changed: [...own.changed, ...own.unchanged.filter(isTouched)],
      unchanged: own.unchanged.filter((name) => !isTouched(name)),
    },
    upstreams,
    listeners: diffNamed(before.listeners, after.listeners),
    settings: settings.filter((key) => !isDeepStrictEqual(before[key], after[key])),
  }
}

function diffNamed(
  before: readonly { readonly name: string }[],
  after: readonly { readonly name: string }[],
): NameDiff {
  const old = new Map(before.map((member) => [member.name, member]))
  const present = new Set(after.map(({ name }) => name))
  const both = after.filter(({ name }) => old.has(name))
  const isSame = (member: { readonly name: string }) => isDeepStrictEqual(old.get(member.name), member)
  return {
    added: after.filter(({ name }) => !old.has(name)).map(({ name }) => name),
    removed: [...old.keys()].filter((name) => !present.has(name)),
    changed: both.filter((member) => !isSame(member)).map(({ name }) => name),
    unchanged: both.filter(isSame).map(({ name }) => name),
  }
}
