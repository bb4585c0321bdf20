import { guess } from '@breakwater/core'

import { checkAccess } from './access-rules.ts'
import { formatPath } from './problem.ts'
import type { ConfigProblem } from './problem.ts'
import { memberSchemas } from './schema/schema.ts'
import type { ListenerConfig, RouteConfig, ServiceConfig, UpstreamConfig } from './schema/schema.ts'
import { valueAt } from './source.ts'
import type { ConfigSource } from './source.ts'
import { formatDuration } from './units.ts'
import { isConflict } from './specificity.ts'

/** Every member of the file that is right by itself, whatever is wrong elsewhere, with the names of all. */
interface Members {
  readonly listeners: ReadonlyMap<string, Omit<ListenerConfig, 'name'>>
  readonly upstreams: ReadonlyMap<string, Omit<UpstreamConfig, 'name'>>
  readonly routes: ReadonlyMap<string, Omit<RouteConfig, 'name'>>
  readonly services: ReadonlyMap<string, Omit<ServiceConfig, 'name'>>
  readonly upstreamNames: readonly string[]
  readonly serviceNames: readonly string[]
  readonly adminPort: unknown
}

type Report = (
  path: readonly PropertyKey[],
  problem: Pick<ConfigProblem, 'code' | 'message' | 'fix' | 'guess'>,
  part?: 'key' | 'value',
) => void

/**
 * What a schema cannot say: names that must exist, routes that contradict each other, settings that contradict each
 * other. Looks at every part that is right by itself, so that all mistakes come at once.
 */
export function checkRules(
  value: unknown,
  source: ConfigSource,
  alsoKnownUpstreams: readonly string[] = [],
): readonly ConfigProblem[] {
  const members = readMembers(value, alsoKnownUpstreams)
  const problems: ConfigProblem[] = []
  const report: Report = (path, problem, part = 'value') => {
    problems.push({ ...source.place(path, part), path: formatPath(path), ...problem })
  }
  if (
    valueAt(value, ['listeners']) !== undefined &&
    Object.keys(mapping(valueAt(value, ['listeners']))).length === 0
  ) {
    report(['listeners'], {
      code: 'BW_CONFIG_KEY_MISSING',
      message: 'no listener is given',
      fix: 'Add one, for example: public: { port: 8080 }.',
    })
  }
  checkPorts(members, report)
  for (const [name, upstream] of members.upstreams) checkUpstream(name, upstream, report)
  checkUpstreamNames(value, members.upstreamNames, report)
  for (const [name, route] of members.routes) checkRoute(name, route, report)
  checkAccess(value, members.routes, report)
  checkConflicts(members.routes, source, report)
  checkServices(members, report)
  return problems
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isMapping ? (value as Readonly<Record<string, unknown>>) : {}
}

function readMembers(value: unknown, alsoKnownUpstreams: readonly string[]): Members {
  const read = <Output>(key: string, parse: (member: unknown) => { readonly data?: Output | undefined }) =>
    new Map(
      Object.entries(mapping(valueAt(value, [key]))).flatMap(([name, member]) => {
        const { data } = parse(member)
        return data === undefined ? [] : [[name, data] as const]
      }),
    )
  return {
    listeners: read('listeners', (member) => memberSchemas.listeners.safeParse(member)),
    upstreams: read('upstreams', (member) => memberSchemas.upstreams.safeParse(member)),
    routes: read('routes', (member) => memberSchemas.routes.safeParse(member)),
    services: read('services', (member) => memberSchemas.services.safeParse(member)),
    upstreamNames: [...Object.keys(mapping(valueAt(value, ['upstreams']))), ...alsoKnownUpstreams],
    serviceNames: Object.keys(mapping(valueAt(value, ['services']))),
    adminPort: valueAt(value, ['admin']) === false ? undefined : (valueAt(value, ['admin', 'port']) ?? 9901),
  }
}

function missing(kind: string, name: string, names: readonly string[]): Parameters<Report>[1] {
  const meant = guess(name, names)
  const known = names.length === 0 ? `there is no ${kind} yet` : `known: ${names.join(', ')}`
  return {
    code: 'BW_CONFIG_REFERENCE_MISSING',
    message: `no ${kind} is named "${name}" (${known})`,
    ...(meant === undefined ? {} : { guess: meant }),
    fix: meant === undefined ? `Add ${kind}s.${name}, or name another.` : `Write ${meant}.`,
  }
}

function contradiction(message: string, fix: string): Parameters<Report>[1] {
  return { code: 'BW_CONFIG_VALUES_CONTRADICTORY', message, fix }
}

function checkPorts({ listeners, adminPort }: Members, report: Report): void {
  const taken = new Map<string, string>()
  for (const [name, { host, port }] of listeners) {
    if (port === 0) continue
    const key = `${host}:${port}`
    const other = taken.get(key)
    if (other !== undefined) {
      report(
        ['listeners', name, 'port'],
        contradiction(`${key} is already taken by listener ${other}`, 'Choose another port.'),
      )
    }
    if (port === adminPort && /^(127\.|localhost$|0\.0\.0\.0$|::1?$)/.test(host)) {
      report(
        ['listeners', name, 'port'],
        contradiction(`${port} is the port of the admin API`, 'Choose another port, or set admin.port.'),
      )
    }
    taken.set(key, name)
  }
}

interface Bounded {
  readonly key: string
  readonly value: number
}

function checkOrder(
  path: readonly string[],
  low: Bounded,
  high: Bounded,
  format: (value: number) => string,
  report: Report,
): void {
  if (low.value <= high.value) return
  report(
    [...path, ...low.key.split('.')],
    contradiction(
      `${format(low.value)} is more than ${high.key}, which is ${format(high.value)}`,
      `Make ${low.key} smaller or ${high.key} larger.`,
    ),
  )
}

function checkUpstream(name: string, upstream: Omit<UpstreamConfig, 'name'>, report: Report): void {
  const path = ['upstreams', name]
  const { outlierEjection, breaker, adaptiveLimit, healthCheck } = upstream
  if (outlierEjection.mode !== 'off') {
    const { baseEjectionMs, maxEjectionMs } = outlierEjection
    checkOrder(
      path,
      { key: 'outlierEjection.baseEjection', value: baseEjectionMs },
      { key: 'outlierEjection.maxEjection', value: maxEjectionMs },
      formatDuration,
      report,
    )
  }
  if (breaker.mode !== 'off') {
    const { openForMs, maxOpenForMs } = breaker
    checkOrder(
      path,
      { key: 'breaker.openFor', value: openForMs },
      { key: 'breaker.maxOpenFor', value: maxOpenForMs },
      formatDuration,
      report,
    )
  }
  if (adaptiveLimit.mode !== 'off') {
    const { minLimit, initialLimit, maxLimit } = adaptiveLimit
    const initial = { key: 'adaptiveLimit.initialLimit', value: initialLimit }
    checkOrder(path, { key: 'adaptiveLimit.minLimit', value: minLimit }, initial, String, report)
    checkOrder(path, initial, { key: 'adaptiveLimit.maxLimit', value: maxLimit }, String, report)
  }
  if (healthCheck.mode !== 'off') {
    const { timeoutMs, intervalMs } = healthCheck
    checkOrder(
      path,
      { key: 'healthCheck.timeout', value: timeoutMs },
      { key: 'healthCheck.interval', value: intervalMs },
      formatDuration,
      report,
    )
  }
}

/** Reads the file itself: a name that is missing is told also of a route that has other mistakes. */
function checkUpstreamNames(value: unknown, names: readonly string[], report: Report): void {
  for (const route of Object.keys(mapping(valueAt(value, ['routes'])))) {
    const path = ['routes', route]
    const steps = valueAt(value, [...path, 'ladder', 'steps'])
    const places = [
      [...path, 'upstream'],
      ...(Array.isArray(steps)
        ? steps.map((_, index) => [...path, 'ladder', 'steps', index, 'upstream'])
        : []),
    ]
    for (const place of places) {
      const name = valueAt(value, place)
      if (typeof name === 'string' && !names.includes(name)) report(place, missing('upstream', name, names))
    }
  }
}

function checkRoute(name: string, route: Omit<RouteConfig, 'name'>, report: Report): void {
  const path = ['routes', name]
  if (route.perTryTimeoutMs !== Number.POSITIVE_INFINITY) {
    checkOrder(
      path,
      { key: 'perTryTimeout', value: route.perTryTimeoutMs },
      { key: 'timeout', value: route.timeoutMs },
      formatDuration,
      report,
    )
  }
  if (route.retry.mode !== 'off') {
    const { baseMs, maxMs } = route.retry.backoff
    checkOrder(
      path,
      { key: 'retry.backoff.base', value: baseMs },
      { key: 'retry.backoff.max', value: maxMs },
      formatDuration,
      report,
    )
  }
  if (route.rateLimit.mode !== 'off' && route.rateLimit.key.kind === 'tenant' && route.tenant === undefined) {
    report(
      [...path, 'rateLimit', 'key'],
      contradiction(
        'the route names no tenant to count by',
        'Add tenant: { header: x-tenant-id } to the route.',
      ),
    )
  }
  if (route.ladder.mode === 'off') return
  for (const [index, step] of route.ladder.steps.entries()) {
    const at = [...path, 'ladder', 'steps', index]
    if (step.serve === 'upstream' && step.upstream === route.upstream) {
      report(
        [...at, 'upstream'],
        contradiction('a fallback to the upstream that has just failed', 'Name another upstream.'),
      )
    }
    if (step.serve === 'stale' && route.staleIfError.mode === 'off') {
      report(
        at,
        contradiction('no old answers are kept on this route', 'Add staleIfError: true to the route.'),
      )
    }
  }
}

function checkConflicts(routes: Members['routes'], source: ConfigSource, report: Report): void {
  const all = [...routes]
  for (const [index, [name, route]] of all.entries()) {
    const rival = all.slice(0, index).find(([, earlier]) => isConflict(earlier, route))
    if (rival === undefined) continue
    const { line } = source.place(['routes', rival[0]], 'key')
    report(['routes', name, 'match'], {
      code: 'BW_CONFIG_ROUTE_CONFLICT',
      message: `answers the same requests as routes.${rival[0]}${line === undefined ? '' : ` (line ${line})`}, and neither is more specific`,
      fix: 'Add a host, method or field to one of them, or remove one.',
    })
  }
}

function checkServices({ services, serviceNames }: Members, report: Report): void {
  for (const [name, { dependsOn }] of services) {
    for (const [index, other] of dependsOn.entries()) {
      const at = ['services', name, 'dependsOn', index]
      if (!serviceNames.includes(other)) report(at, missing('service', other, serviceNames))
      else if (reaches(other, name, services, new Set())) {
        report(at, contradiction(`${other} needs ${name} itself, directly or not`, 'Break the circle.'))
      }
    }
  }
}

function reaches(from: string, to: string, services: Members['services'], seen: Set<string>): boolean {
  if (from === to) return true
  if (seen.has(from)) return false
  seen.add(from)
  return services.get(from)?.dependsOn.some((next) => reaches(next, to, services, seen)) ?? false
}
