import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePathPattern } from '@breakwater/contract'
import type { PathPattern } from '@breakwater/contract'
import { FieldList } from '@breakwater/http'
import { canonicalPath, compilePath, parametersOf } from './path.ts'
import { Router, hostOf } from './router.ts'
import type { RouteMatch } from './router.ts'

function pattern(text: string): PathPattern {
  const parsed = parsePathPattern(text)
  if ('pattern' in parsed) return parsed.pattern
  throw new Error(parsed.failure)
}

const route = (path: string, match: Partial<RouteMatch> = {}): { match: RouteMatch; plan: string } => ({
  match: { path: pattern(path), hosts: [], methods: [], headers: [], ...match },
  plan: `${match.hosts?.join() ?? ''}${path}`,
})

const planFor = (routes: Router<string>, path: string, authority = 'any', method = 'GET'): string => {
  const routed = routes.route(method, path, authority, new FieldList())
  return routed.kind === 'found' ? routed.plan : routed.kind
}

/** A pattern as a regular expression: another way to say the same, to check the compiled test against. */
function asRegExp({ segments, isPrefix }: PathPattern): RegExp {
  const pieces = segments.map((segment) => `/${segment.kind === 'literal' ? segment.value : '[^/]+'}`)
  return new RegExp(`^${pieces.join('')}${isPrefix ? (pieces.length === 0 ? '/.*' : '(/.*)?') : ''}$`)
}

const pathText = fc
  .array(fc.constantFrom('a', 'b', 'ab', ''), { minLength: 1, maxLength: 4 })
  .map((parts) => `/${parts.join('/')}`)
const patternText = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'ab', '{x}', '{y}'), { maxLength: 3 }), fc.constantFrom('', '/*'))
  .map(
    ([segments, end]) => `/${[...new Set(segments)].join('/')}`.replace(/^\/$/, end === '' ? '/' : '') + end,
  )

describe('routing', () => {
  test('finds a route exactly when one of the patterns fits, and one that fits', () => {
    fc.assert(
      fc.property(fc.uniqueArray(patternText, { maxLength: 8 }), pathText, (patterns, path) => {
        const fits = patterns.filter((text) => asRegExp(pattern(text)).test(path))
        const found = planFor(new Router(patterns.map((text) => route(text))), path)
        if (fits.length === 0) expect(found).toBe('none')
        else expect(fits).toContain(found)
      }),
      { numRuns: 500 },
    )
  })

  test('does not depend on the order in which the routes are written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(patternText, { maxLength: 8 }), pathText, (patterns, path) => {
        const forward = new Router(patterns.map((text) => route(text)))
        const backward = new Router(patterns.toReversed().map((text) => route(text)))
        const normal = (plan: string): string => plan.replaceAll(/\{[xy]\}/g, '{}')
        expect(normal(planFor(forward, path))).toBe(normal(planFor(backward, path)))
      }),
    )
  })

  test('prefers exact to template to prefix, and the longer of two prefixes', () => {
    const routes = new Router([
      route('/*'),
      route('/orders/*'),
      route('/orders/{id}'),
      route('/orders/recent'),
    ])
    expect(planFor(routes, '/orders/recent')).toBe('/orders/recent')
    expect(planFor(routes, '/orders/7')).toBe('/orders/{id}')
    expect(planFor(routes, '/orders/7/lines')).toBe('/orders/*')
    expect(planFor(routes, '/orders')).toBe('/orders/*')
    expect(planFor(routes, '/ordersx')).toBe('/*')
  })

  test('prefers a route that names the method or more fields', () => {
    const flagged = route('/a', { headers: [{ name: 'x-beta', value: '1' }] })
    const routes = new Router([
      route('/a'),
      { ...route('/a', { methods: ['POST'] }), plan: 'write' },
      { ...flagged, plan: 'beta' },
    ])
    expect(planFor(routes, '/a', 'any', 'POST')).toBe('write')
    expect(routes.route('GET', '/a', '', FieldList.from([['X-Beta', '1']]))).toEqual({
      kind: 'found',
      plan: 'beta',
    })
    expect(routes.route('GET', '/a', '', FieldList.from([['X-Beta', '2']]))).toEqual({
      kind: 'found',
      plan: '/a',
    })
  })

  test('says which methods a path answers when the asked one is not among them', () => {
    const routes = new Router([
      route('/orders/*', { methods: ['GET', 'HEAD'] }),
      route('/orders', { methods: ['POST'] }),
    ])
    const refused = routes.route('DELETE', '/orders', 'x', new FieldList())
    expect(refused).toEqual({ kind: 'method', allow: 'POST, GET, HEAD' })
    expect(planFor(routes, '/else', 'x', 'DELETE')).toBe('none')
  })

  test('answers TRACE only where a route names it', () => {
    const routes = new Router([route('/a'), route('/b', { methods: ['TRACE'] })])
    expect(planFor(routes, '/a', 'any', 'TRACE')).toBe('method')
    expect(planFor(routes, '/b', 'any', 'TRACE')).toBe('/b')
  })

  test('compares hosts without port, case or final dot, and keeps a wildcard to names below it', () => {
    const routes = new Router([
      route('/*', { hosts: ['shop.example'] }),
      route('/*', { hosts: ['*.shop.example'] }),
    ])
    expect(planFor(routes, '/', 'SHOP.example.:8080')).toBe('shop.example/*')
    expect(planFor(routes, '/', 'eu.shop.example')).toBe('*.shop.example/*')
    expect(planFor(routes, '/', 'evilshop.example')).toBe('none')
    expect(hostOf('[::1]:8080')).toBe('[::1]')
  })
})

describe('a path', () => {
  test('fits a compiled pattern exactly when it fits the same pattern written as a regular expression', () => {
    fc.assert(
      fc.property(patternText, pathText, (text, path) => {
        expect(compilePath(pattern(text))(path)).toBe(asRegExp(pattern(text)).test(path))
      }),
      { numRuns: 1000 },
    )
  })

  test('has one spelling: needless escapes are undone, necessary ones written in upper case', () => {
    expect(canonicalPath('/%6frders/%7e/%2f%e2')).toBe('/orders/~/%2F%E2')
    expect(canonicalPath('/orders')).toBe('/orders')
  })

  test('keeps its meaning in its canonical spelling, and canonical is final', () => {
    const escapes = fc
      .array(fc.constantFrom('/', 'a', '%41', '%2f', '%2F', '%7E', '%C3%A9', '~'))
      .map((parts) => `/${parts.join('')}`)
    fc.assert(
      fc.property(escapes, (path) => {
        const once = canonicalPath(path)
        expect(decodeURIComponent(once)).toBe(decodeURIComponent(path))
        expect(canonicalPath(once)).toBe(once)
      }),
    )
  })

  test('gives the template the values of its parameters', () => {
    const values = parametersOf(pattern('/tenants/{tenant}/orders/{id}'), '/tenants/t1/orders/7')
    expect(Object.fromEntries(values)).toEqual({ tenant: 't1', id: '7' })
  })
})
