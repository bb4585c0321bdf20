import { describe, expect, test } from 'vitest'

import { diffConfig, resolveText, resolveTolerant } from '../src/index.ts'
import type { GatewayConfig } from '../src/index.ts'

const before = `listeners:
  public: { port: 8080 }
upstreams:
  orders: { endpoints: [127.0.0.1:4001] }
  billing: { endpoints: [127.0.0.1:4002] }
routes:
  orders: { match: /orders/*, upstream: orders, timeout: 2s }
  billing: { match: /billing/*, upstream: billing }
`

function good(text: string): GatewayConfig {
  const result = resolveText(text)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value.config
}
const previous = good(before)
const timeoutOf = (config: GatewayConfig, name: string) =>
  config.routes.find((route) => route.name === name)?.timeoutMs

describe('a reload', () => {
  test('keeps the last good version of a route that has become bad, and takes over the rest', () => {
    const text = before
      .replace('timeout: 2s', 'timeout: soon')
      .replace('upstream: billing }', 'upstream: billing, timeout: 9s }')
    const result = resolveTolerant(text, previous)
    expect(result).toMatchObject({ isRefused: false, kept: ['routes.orders'], dropped: [] })
    expect(result.problems).toMatchObject([{ path: 'routes.orders.timeout', line: 7 }])
    expect(timeoutOf(result.config, 'orders')).toBe(2000)
    expect(timeoutOf(result.config, 'billing')).toBe(9000)
  })

  test('keeps the last good version of an upstream, and the routes that use it', () => {
    const result = resolveTolerant(before.replace('127.0.0.1:4001', 'nowhere'), previous)
    expect(result).toMatchObject({ isRefused: false, kept: ['upstreams.orders'], dropped: [] })
    expect(result.config.routes).toEqual(previous.routes)
    expect(result.config.upstreams.find(({ name }) => name === 'orders')).toEqual(previous.upstreams[0])
  })

  test('leaves out a new route that is bad', () => {
    const result = resolveTolerant(`${before}  fresh: { match: fresh, upstream: orders }\n`, previous)
    expect(result).toMatchObject({ isRefused: false, kept: [], dropped: ['routes.fresh'] })
    expect(result.config.routes).toHaveLength(2)
  })

  test('leaves out a route whose upstream is new and bad', () => {
    const text =
      before.replace('routes:', '  fresh: { endpoints: [nowhere] }\nroutes:') +
      '  fresh: { match: /fresh, upstream: fresh }\n'
    expect(resolveTolerant(text, previous)).toMatchObject({
      kept: [],
      dropped: ['upstreams.fresh', 'routes.fresh'],
    })
  })

  test('does not keep an old route that a new one contradicts', () => {
    const text =
      before.replace('match: /orders/*', 'match: orders') +
      '  taker: { match: /orders/*, upstream: billing }\n'
    const result = resolveTolerant(text, previous)
    expect(result.dropped).toEqual(['routes.orders'])
    expect(result.config.routes.map(({ name }) => name).sort()).toEqual(['billing', 'taker'])
  })

  test('is refused as a whole when something other than a route or an upstream is wrong', () => {
    for (const text of [before.replace('port: 8080', 'port: no'), '{', '', `${before}drian: {}\n`]) {
      const result = resolveTolerant(text, previous)
      expect(result.isRefused).toBe(true)
      expect(result.config).toBe(previous)
      expect(result.problems.length).toBeGreaterThan(0)
    }
  })

  test('drops what is bad when it was told not to keep it', () => {
    const text = `${before.replace('timeout: 2s', 'timeout: soon')}reload: { keepLastGood: false }\n`
    expect(resolveTolerant(text, previous)).toMatchObject({ kept: [], dropped: ['routes.orders'] })
  })
})

describe('the difference of two configurations', () => {
  test('names routes, upstreams and settings that have to be swapped', () => {
    const after = good(
      before
        .replace('127.0.0.1:4001', '127.0.0.1:5001')
        .replace(
          '  billing: { match: /billing/*, upstream: billing }',
          '  users: { match: /users/*, upstream: billing }',
        )
        .concat('drain: { timeout: 5s }\n'),
    )
    expect(diffConfig(previous, after)).toEqual({
      routes: { added: ['users'], removed: ['billing'], changed: ['orders'], unchanged: [] },
      upstreams: { added: [], removed: [], changed: ['orders'], unchanged: ['billing'] },
      listeners: { added: [], removed: [], changed: [], unchanged: ['public'] },
      settings: ['drain'],
    })
  })

  test('of a configuration with itself is nothing', () => {
    const same = diffConfig(previous, good(before))
    expect([same.routes.changed, same.upstreams.changed, same.settings]).toEqual([[], [], []])
  })
})
