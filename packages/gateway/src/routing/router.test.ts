import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FieldList } from '@breakwater/http'
import { compareSpecificity, compilePath, fitsHeaders, specificityOf } from './match.ts'
import type { RouteMatch } from './match.ts'
import { canonicalPath, parametersOf, parseTemplate } from './path.ts'
import { Router, hostOf } from './router.ts'

const router = (...routes: (RouteMatch & { name: string })[]): Router<string> =>
  new Router(routes.map((match) => ({ match, plan: match.name })))

const exact = (value: string): RouteMatch['path'] => ({ kind: 'exact', value })
const prefix = (value: string): RouteMatch['path'] => ({ kind: 'prefix', value })
const template = (value: string): RouteMatch['path'] => ({ kind: 'template', value })

const segment = fc.constantFrom('a', 'b', 'ab', '{x}', '')
const anyMatch: fc.Arbitrary<RouteMatch> = fc
  .tuple(
    fc.constantFrom('exact' as const, 'prefix' as const, 'template' as const),
    fc.array(segment, { minLength: 1, maxLength: 3 }),
    fc.constantFrom(undefined, 'one.example', '*.example'),
    fc.constantFrom(undefined, ['GET'], ['POST', 'PUT']),
    fc.constantFrom(undefined, { 'x-a': '1' }),
  )
  .map(([kind, segments, host, methods, headers]) => {
    const literal = segments.map((text) => (kind === 'template' ? text || 'a' : text.replace('{x}', 'b')))
    return { host, path: { kind, value: `/${literal.join('/')}` }, methods, headers }
  })

describe('routing', () => {
  test('picks the most specific route that fits, as a plain search over all routes would', () => {
    const request = fc.record({
      method: fc.constantFrom('GET', 'POST', 'DELETE'),
      path: fc
        .array(fc.constantFrom('a', 'b', 'ab', ''), { minLength: 1, maxLength: 4 })
        .map((parts) => `/${parts.join('/')}`),
      authority: fc.constantFrom('one.example', 'ONE.example:80', 'two.example', 'example'),
      header: fc.constantFrom(undefined, '1', '2'),
    })
    fc.assert(
      fc.property(
        fc.array(anyMatch, { maxLength: 12 }),
        request,
        (matches, { method, path, authority, header }) => {
          const fields = FieldList.from(header === undefined ? [] : [['X-A', header]])
          const fits = matches.filter(
            (match) =>
              (match.host === undefined ||
                (match.host.startsWith('*')
                  ? hostOf(authority).endsWith('.example')
                  : hostOf(authority) === match.host)) &&
              compilePath(match.path)(path) &&
              fitsHeaders(Object.entries(match.headers ?? {}), fields),
          )
          const best = fits
            .filter(({ methods }) => methods === undefined || methods.includes(method))
            .toSorted((a, b) => compareSpecificity(specificityOf(a), specificityOf(b)))[0]
          const routed = new Router(matches.map((match) => ({ match, plan: match }))).route(
            method,
            path,
            authority,
            fields,
          )
          if (best === undefined) expect(routed.kind).toBe(fits.length > 0 ? 'method' : 'none')
          else {
            expect(routed.kind).toBe('found')
            if (routed.kind === 'found') expect(specificityOf(routed.plan)).toEqual(specificityOf(best))
          }
        },
      ),
      { numRuns: 400 },
    )
  })

  test('prefers exact to template to prefix, and the longer of two prefixes', () => {
    const routes = router(
      { name: 'all', path: prefix('/') },
      { name: 'orders', path: prefix('/orders') },
      { name: 'one', path: template('/orders/{id}') },
      { name: 'recent', path: exact('/orders/recent') },
    )
    const go = (path: string): unknown => routes.route('GET', path, 'x', new FieldList())
    expect(go('/orders/recent')).toEqual({ kind: 'found', plan: 'recent' })
    expect(go('/orders/7')).toEqual({ kind: 'found', plan: 'one' })
    expect(go('/orders/7/lines')).toEqual({ kind: 'found', plan: 'orders' })
    expect(go('/ordersx')).toEqual({ kind: 'found', plan: 'all' })
  })

  test('says which methods a path answers when the asked one is not among them', () => {
    const routes = router(
      { name: 'read', path: prefix('/orders'), methods: ['GET', 'HEAD'] },
      { name: 'write', path: exact('/orders'), methods: ['POST'] },
    )
    expect(routes.route('DELETE', '/orders', 'x', new FieldList())).toEqual({
      kind: 'method',
      allow: 'GET, HEAD, POST',
    })
    expect(routes.route('DELETE', '/else', 'x', new FieldList())).toEqual({ kind: 'none' })
  })

  test('compares hosts without port, case or final dot, and keeps a wildcard to names below it', () => {
    const routes = router(
      { name: 'exact', host: 'shop.example', path: prefix('/') },
      { name: 'wild', host: '*.shop.example', path: prefix('/') },
    )
    const go = (authority: string): unknown => routes.route('GET', '/', authority, new FieldList())
    expect(go('SHOP.example.:8080')).toEqual({ kind: 'found', plan: 'exact' })
    expect(go('eu.shop.example')).toEqual({ kind: 'found', plan: 'wild' })
    expect(go('evilshop.example')).toEqual({ kind: 'none' })
    expect(hostOf('[::1]:8080')).toBe('[::1]')
  })
})

describe('a path', () => {
  test('has one spelling: needless escapes are undone, necessary ones written in upper case', () => {
    expect(canonicalPath('/%6frders/%7e/%2f%e2')).toBe('/orders/~/%2F%E2')
    expect(canonicalPath('/orders')).toBe('/orders')
  })

  test('keeps its meaning in its canonical spelling, and canonical is final', () => {
    fc.assert(
      fc.property(fc.webPath(), (path) => {
        const once = canonicalPath(path)
        expect(decodeURIComponent(once)).toBe(decodeURIComponent(path))
        expect(canonicalPath(once)).toBe(once)
      }),
    )
  })

  test('gives the template the values of its parameters', () => {
    const segments = parseTemplate('/tenants/{tenant}/orders/{id}')
    expect(Object.fromEntries(parametersOf(segments, '/tenants/t1/orders/7'))).toEqual({
      tenant: 't1',
      id: '7',
    })
  })
})
