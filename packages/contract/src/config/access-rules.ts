import { workloadTokenVariable } from '@breakwater/core'
import { accessOf } from './access.ts'
import type { ConfigProblem } from './problem.ts'
import { valueAt } from './source.ts'
import type { RouteConfig } from './schema/schema.ts'

type Route = Omit<RouteConfig, 'name'>
type Report = (
  path: readonly PropertyKey[],
  problem: Pick<ConfigProblem, 'code' | 'message' | 'fix' | 'guess'>,
  part?: 'key' | 'value',
) => void

const undeclared = (message: string, fix: string): Parameters<Report>[1] => ({
  code: 'BW_CONFIG_ACCESS_UNDECLARED',
  message,
  fix,
})
const contradiction = (message: string, fix: string): Parameters<Report>[1] => ({
  code: 'BW_CONFIG_VALUES_CONTRADICTORY',
  message,
  fix,
})

/**
 * With authorization, nothing is reachable about which nobody has said who may: every route and each of its methods
 * declares an action or is public. Reads the file itself, so that a route with other mistakes is told of this one too.
 */
export function checkAccess(value: unknown, routes: ReadonlyMap<string, Route>, report: Report): void {
  checkWorkloads(value, report)
  if (isOff(valueAt(value, ['authorization']))) return
  checkSources(value, routes, report)
  const names = valueAt(value, ['routes'])
  if (typeof names !== 'object' || names === null) return
  for (const name of Object.keys(names)) {
    const written = [
      valueAt(value, ['routes', name, 'authorize']),
      valueAt(value, ['routes', name, 'public']),
    ]
    if (written.every((one) => one === undefined || one === false)) {
      report(
        ['routes', name],
        undeclared(
          `the route ${name} says neither what it asks for nor that it is public`,
          'Add authorize: { action, resource }, or public: true if everybody may.',
        ),
        'key',
      )
      continue
    }
    const route = routes.get(name)
    if (route !== undefined) checkMethods(name, route, report)
    if (route !== undefined)
      checkAnswer(name, route, valueAt(value, ['authorization', 'opa']) !== undefined, report)
  }
}

function isOff(section: unknown): boolean {
  if (section === undefined || section === false || section === null) return true
  return typeof section === 'object' && valueAt(section, ['mode']) === 'off'
}

function checkSources(value: unknown, routes: ReadonlyMap<string, Route>, report: Report): void {
  const at = (key: string): unknown => valueAt(value, ['authorization', key])
  const [bundle, keys] = [at('bundle'), at('trustedKeys')]
  const given = ['policies', 'bundle', 'opa'].filter((key) => at(key) !== undefined)
  const [first = '', ...others] = given
  if (given.length === 0) {
    report(
      ['authorization'],
      {
        code: 'BW_CONFIG_KEY_MISSING',
        message: 'no policies are given',
        fix: 'Add policies: folder, or bundle: file with trustedKeys, or opa: { url, path }.',
      },
      'key',
    )
  }
  for (const key of others)
    report(['authorization', key], contradiction(`${first} decides already`, 'Keep one of them.'))
  if (bundle !== undefined && !(Array.isArray(keys) && keys.length > 0)) {
    report(
      ['authorization', 'bundle'],
      contradiction('no key is trusted, so no bundle can be', 'Add trustedKeys.'),
    )
  }
  const asksWho = [...routes].some(([, { authorize }]) => authorize !== undefined)
  const issuer = valueAt(value, ['authorization', 'identity', 'testIssuer'])
  if (asksWho && issuer === undefined) {
    report(
      ['authorization'],
      contradiction(
        'no issuer of tokens is trusted, so nobody can be known',
        'Add identity: { testIssuer: { keys: .breakwater/test-issuer } }.',
      ),
      'key',
    )
  }
  if (typeof issuer === 'object' && issuer !== null) checkTestIssuer(issuer, report)
  const authzen = at('authzen')
  if (authzen !== undefined && authzen !== false && isOff(valueAt(value, ['admin']) ?? true)) {
    const problem = contradiction(
      'the admin API, where it would answer, is off',
      'Remove authzen, or admin: false.',
    )
    report(['authorization', 'authzen'], problem)
  }
}

/** A service can be given a token only by whoever has the key to sign it, and each under a name of its own. */
function checkWorkloads(value: unknown, report: Report): void {
  const services = valueAt(value, ['services'])
  if (typeof services !== 'object' || services === null) return
  const keys = valueAt(value, ['authorization', 'identity', 'testIssuer', 'keys'])
  const canSign = keys !== undefined && !isOff(valueAt(value, ['authorization']))
  for (const name of Object.keys(services)) {
    if (valueAt(services, [name, 'workload']) === undefined) continue
    if (!canSign) {
      const problem = contradiction(
        'there is no test issuer with a key here to sign its token',
        'Add authorization.identity.testIssuer.keys, or remove workload.',
      )
      report(['services', name, 'workload'], problem)
    }
    checkTenants(valueAt(services, [name, 'workload', 'tenants']), ['services', name, 'workload'], report)
  }
}

/** A variable is in capitals and holds no hyphen: two tenants that become one would be taken for each other. */
function checkTenants(tenants: unknown, path: readonly string[], report: Report): void {
  if (!Array.isArray(tenants)) return
  const seen = new Map<string, string>()
  for (const tenant of tenants.filter((one) => typeof one === 'string')) {
    const variable = workloadTokenVariable(tenant)
    const other = seen.get(variable)
    if (other !== undefined) {
      const message = `the tokens for ${other} and ${tenant} would be in one variable, ${variable}`
      report([...path, 'tenants'], contradiction(message, 'Keep one of the two.'))
    }
    seen.set(variable, tenant)
  }
}

function checkTestIssuer(issuer: object, report: Report): void {
  const at = ['authorization', 'identity', 'testIssuer']
  const [keys, publicKey] = [valueAt(issuer, ['keys']), valueAt(issuer, ['publicKey'])]
  if (keys === undefined && publicKey === undefined) {
    const problem = {
      code: 'BW_CONFIG_KEY_MISSING',
      message: 'the test issuer has no key',
      fix: 'Add keys: folder, where one is made at first use, or publicKey.',
    } as const
    report(at, problem, 'key')
  } else if (keys !== undefined && publicKey !== undefined) {
    report([...at, 'publicKey'], contradiction('a folder of keys is given as well', 'Keep one of the two.'))
  }
}

function checkMethods(name: string, route: Route, report: Report): void {
  const path = ['routes', name]
  const { authorize, match } = route
  if (route.public === true && authorize !== undefined) {
    report(
      [...path, 'public'],
      contradiction('a route for everybody that asks for an action as well', 'Remove one of the two.'),
    )
    return
  }
  if (authorize?.action['*'] !== undefined && match.methods.length === 0) {
    report(
      [...path, 'authorize', 'action'],
      undeclared(
        `one action would stand for every method, DELETE as well as GET`,
        'Name the methods in match.methods, or give an action for each: { GET: … }.',
      ),
    )
  }
  for (const method of match.methods) {
    if (accessOf(route, method).kind !== 'undeclared') continue
    report(
      path,
      undeclared(
        `the route ${name} answers ${method} and does not say what it asks for`,
        `Add ${method} to authorize.action, or to public.`,
      ),
      'key',
    )
  }
  for (const method of Object.keys(authorize?.action ?? {})) {
    if (method === '*' || match.methods.length === 0 || match.methods.includes(method)) continue
    report(
      [...path, 'authorize', 'action', method],
      contradiction(`the route does not answer ${method}`, 'Add it to match.methods, or remove it here.'),
    )
  }
  if (authorize !== undefined) checkParameter(path, authorize.resource.id, match.path, report)
}

function checkParameter(
  path: readonly string[],
  id: string,
  pattern: Route['match']['path'],
  report: Report,
): void {
  const at = [...path, 'authorize', 'resource', 'id']
  const parameters = pattern.segments.flatMap((segment) =>
    segment.kind === 'parameter' ? [segment.name] : [],
  )
  for (const [whole, parameter = ''] of id.matchAll(/\{([^}]*)\}/g)) {
    if (whole !== id) {
      report(at, contradiction(`"${id}" is more than one piece of the path`, `Write ${whole} alone.`))
    } else if (!parameters.includes(parameter)) {
      const known = parameters.length === 0 ? 'it has none' : `it has ${parameters.join(', ')}`
      report(at, {
        code: 'BW_CONFIG_REFERENCE_MISSING',
        message: `the path ${pattern.text} has no parameter "${parameter}" (${known})`,
        fix: `Write the path with {${parameter}}, or name another.`,
      })
    }
  }
  if (id.startsWith('$') && id !== '$tenant' && id !== '$user') {
    report(at, {
      code: 'BW_CONFIG_REFERENCE_MISSING',
      message: `"${id}" is not known (known: $tenant, $user)`,
      fix: 'Write one of the two.',
    })
  }
}

/** Who withholds what must be clear, and possible: a mistake here would be found out by whoever sees too much. */
function checkAnswer(name: string, { authorize, upgrade }: Route, asksOpa: boolean, report: Report): void {
  const path = ['routes', name, 'authorize', 'answer']
  const answer = authorize?.answer
  if (authorize === undefined || answer === undefined) return
  if (authorize.obligations.includes('mask')) {
    const message = `the route ${name} leaves mask to its upstream and to the gateway`
    report(path, contradiction(message, 'Remove mask from obligations, or remove answer.'))
  }
  if (upgrade.protocols.length > 0) {
    const message = `nothing can be withheld from what the route ${name} passes through a tunnel`
    report(path, contradiction(message, 'Remove answer, or give the upgrade a route of its own.'))
  }
  if (asksOpa) {
    const message = `OPA decides about the route ${name}: it obliges to nothing, and knows no rows`
    report(path, contradiction(message, 'Remove answer, or decide by policies.'))
  }
}
