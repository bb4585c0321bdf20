import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import {
  defineConfig,
  findConfigFile,
  formatProblem,
  loadConfig,
  readSecret,
  resolveObject,
  resolveText,
} from '../src/index.ts'
import type { ResolveOptions } from '../src/config/resolve.ts'
import type { GatewayConfig, ResolvedConfig } from '../src/index.ts'

const small = `listeners:
  public: { port: 8080 }
upstreams:
  orders:
    endpoints: [127.0.0.1:4001, 127.0.0.1:4002]
routes:
  orders:
    match: /orders/*
    upstream: orders
`

function resolved(text: string, options?: ResolveOptions): ResolvedConfig {
  const result = resolveText(text, options)
  if (!result.ok) throw new Error(result.error.map(formatProblem).join('\n'))
  return result.value
}

function mistakes(text: string, options?: ResolveOptions): readonly string[] {
  const result = resolveText(text, options)
  return result.ok ? [] : result.error.map(formatProblem)
}

const route = (config: GatewayConfig, name = 'orders') => config.routes.find((one) => one.name === name)

const folder = mkdtempSync(join(tmpdir(), 'breakwater-contract-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a configuration of nine lines', () => {
  test('is enough: everything else has a safe default, with its unit in its name', () => {
    const { config } = resolved(small)
    expect(config.listeners[0]).toMatchObject({
      name: 'public',
      host: '127.0.0.1',
      port: 8080,
      limits: { maxBodyBytes: 10 * 1024 * 1024, maxFields: 100 },
      timeouts: { headMs: 10_000, minRateBytesPerSecond: 240 },
    })
    expect(config.upstreams[0]).toMatchObject({
      endpoints: [
        { host: '127.0.0.1', port: 4001, weight: 1 },
        { host: '127.0.0.1', port: 4002, weight: 1 },
      ],
      breaker: { mode: 'enforce', openForMs: 5000, maxConcurrentProbes: 1 },
      retryBudget: { mode: 'enforce', ratio: 0.2, minPerSecond: 5 },
      adaptiveLimit: { mode: 'off' },
    })
    expect(route(config)).toMatchObject({ timeoutMs: 15_000, priority: 'normal', rateLimit: { mode: 'off' } })
    expect(config.admin).toMatchObject({ host: '127.0.0.1' })
  })
})

describe('a control', () => {
  const withBreaker = (value: string) =>
    resolved(small.replace('endpoints', `breaker: ${value}\n    endpoints`)).config.upstreams[0]?.breaker

  test('is switched off by false and by mode: off alike, without settings that could be read', () => {
    expect(withBreaker('false')).toEqual({ mode: 'off' })
    expect(withBreaker('{ mode: off }')).toEqual({ mode: 'off' })
  })

  test('only decides and counts in dark mode', () => {
    expect(withBreaker('{ mode: dark, openFor: 2s }')).toMatchObject({ mode: 'dark', openForMs: 2000 })
  })

  test('has its defaults when it is true', () => {
    expect(withBreaker('true')).toEqual(withBreaker('{}'))
  })

  test('makes a limit infinite, and a slowest rate zero, that is false', () => {
    const { config } = resolved(
      small.replace('port: 8080', 'port: 8080, timeouts: { head: false, minRate: false }'),
    )
    expect(config.listeners[0]?.timeouts).toMatchObject({ headMs: Infinity, minRateBytesPerSecond: 0 })
  })

  test('bursts by the requests of one second when nothing else is said', () => {
    const limit = (text: string) => route(resolved(`${small}    rateLimit: ${text}\n`).config)?.rateLimit
    expect(limit('{ rate: 10/s }')).toMatchObject({ ratePerSecond: 10, burst: 10, key: { kind: 'ip' } })
    expect(limit('{ rate: 5/h, key: "header:X-Api-Key" }')).toMatchObject({
      burst: 1,
      key: { kind: 'header', name: 'x-api-key' },
    })
  })
})

describe('routes', () => {
  test('come in the order in which they win', () => {
    const { config } = resolved(`${small}  all: { match: /*, upstream: orders }
  one: { match: "/orders/{id}", upstream: orders }
  mine: { match: { path: /*, hosts: [shop.example] }, upstream: orders }
  posts: { match: { path: /orders/*, methods: [POST] }, upstream: orders }
`)
    expect(config.routes.map(({ name }) => name)).toEqual(['mine', 'one', 'posts', 'orders', 'all'])
  })

  test('may share a path when host, method or field tells them apart', () => {
    const other = (match: string) => mistakes(`${small}  other: { match: ${match}, upstream: orders }\n`)
    expect(other('/orders/*')).toHaveLength(1)
    expect(other('{ path: /orders/*, methods: [GET] }')).toEqual([])
    expect(other('{ path: /orders/*, headers: { x-beta: "1" } }')).toEqual([])
    expect(other('{ path: /orders/*, hosts: [a.example] }')).toEqual([])
  })
})

describe('services', () => {
  test('start after what they depend on', () => {
    const { config } = resolved(`${small}services:
  front: { command: [node, front.js], dependsOn: [back] }
  back: { command: [node, back.js], dependsOn: [base] }
  base: { command: [node, base.js] }
`)
    expect(config.services.map(({ name }) => name)).toEqual(['base', 'back', 'front'])
  })
})

describe('services that share what they depend on', () => {
  test('are no circle', () => {
    const text = `${small}services:
  shop: { command: [shop], dependsOn: [front] }
  front: { command: [front], dependsOn: [left, right] }
  left: { command: [left], dependsOn: [base] }
  right: { command: [right], dependsOn: [base] }
  base: { command: [base] }
`
    expect(mistakes(text)).toEqual([])
  })
})

describe('files and folders', () => {
  test('are relative to the configuration, and absolute once resolved', () => {
    const text = small.replace('port: 8080', 'port: 8080, tls: { cert: certs/a.pem, key: /etc/a.key }')
    const { config } = resolved(text, { baseDir: '/srv/app' })
    expect(config.listeners[0]?.tls).toMatchObject({
      certFile: '/srv/app/certs/a.pem',
      keyFile: '/etc/a.key',
    })
    expect(config.state.databaseFile).toBe('/srv/app/.breakwater/state.sqlite')
  })
})

describe('the environment', () => {
  test('overrides a value, and explain says so', () => {
    const { config, explain } = resolved(small, {
      environment: { BREAKWATER_ROUTES_ORDERS_PER_TRY_TIMEOUT: '2s', HOME: '/' },
    })
    expect(route(config)?.perTryTimeoutMs).toBe(2000)
    expect(explain('routes.orders.perTryTimeout')).toMatchObject({
      value: {
        value: '2s',
        origin: { kind: 'environment', place: { file: 'BREAKWATER_ROUTES_ORDERS_PER_TRY_TIMEOUT' } },
      },
    })
  })

  test('is told about like a file when it is wrong', () => {
    expect(mistakes(small, { environment: { BREAKWATER_ROUTES_ORDERS_TIMEOUT: 'soon' } })[0]).toMatch(
      /^BREAKWATER_ROUTES_ORDERS_TIMEOUT routes\.orders\.timeout: "soon" is not a duration/,
    )
    expect(mistakes(small, { environment: { BREAKWATER_ROUTES_ORDERS_TIMEOT: '2s' } })[0]).toContain(
      'did you mean BREAKWATER_ROUTES_ORDERS_TIMEOUT?',
    )
  })

  test('never overrides a secret', () => {
    const { admin } = resolved(small, { environment: { BREAKWATER_ADMIN_TOKEN_ENV: 'TOKEN' } }).config
    expect(admin).toMatchObject({ token: undefined })
  })

  test('may hold what Kubernetes puts there for a service of the same name', () => {
    const environment = {
      BREAKWATER_ADMIN_PORT: 'tcp://10.0.0.1:9901',
      BREAKWATER_ADMIN_SERVICE_HOST: '10.0.0.1',
    }
    expect(resolved(small, { environment }).config.admin).toMatchObject({ port: 9901 })
  })
})

describe('a key', () => {
  test('that carries its unit as in code is told how it is spelt in the file', () => {
    expect(mistakes(`${small}    retry: { maxReplayBytes: 1KiB }\n`)[0]).toContain(
      'did you mean maxReplay? Write maxReplay.',
    )
    expect(mistakes(`${small}    upgrade: { idleMs: 2s }\n`)[0]).toContain('did you mean idle? Write idle.')
  })
})

describe('explain', () => {
  test('tells value, origin, meaning, range and variable', () => {
    const { explain } = resolved(small.replace('upstream: orders\n', 'upstream: orders\n    timeout: 2s\n'))
    expect(explain('routes.orders.timeout')).toMatchObject({
      value: {
        value: '2s',
        origin: { kind: 'file', place: { file: 'breakwater.yaml', line: 10, column: 14 } },
        kind: 'duration',
        range: '1ms to 24h',
        default: '15s',
        mayBeOff: true,
        environment: 'BREAKWATER_ROUTES_ORDERS_TIMEOUT',
      },
    })
    expect(explain('routes.orders.retry.maxAttempts')).toMatchObject({
      value: { value: 3, origin: { kind: 'default' } },
    })
    expect(explain('upstreams.orders.endpoints[1]')).toMatchObject({ value: { value: '127.0.0.1:4002' } })
  })

  test('blames the line that switches a control off for everything below it', () => {
    const { explain } = resolved(`${small}    retry: false\n`)
    expect(explain('routes.orders.retry.maxAttempts')).toMatchObject({
      value: { value: undefined, origin: { kind: 'file', place: { line: 10 } } },
    })
  })

  test('guesses at a path that is not there', () => {
    const { explain } = resolved(small)
    expect(explain('routes.ordres.timeout')).toMatchObject({ error: { guess: 'routes.orders' } })
    expect(explain('routes.orders.timeot')).toMatchObject({ error: { guess: 'routes.orders.timeout' } })
  })
})

describe('secrets', () => {
  test('are given by reference only, and a plain one is not repeated', () => {
    const problems = mistakes(`${small}admin: { token: hunter2-is-secret }\n`)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain('a secret is given by reference')
    expect(problems.join()).not.toContain('hunter2')
  })

  test('are not repeated by a syntax error either', () => {
    expect(mistakes(`${small}admin: { token: hunter2 ] hunter2\n`).join()).not.toContain('hunter2')
  })

  test('are read when they are needed', () => {
    const file = join(folder, 'token')
    writeFileSync(file, 's3cret\n')
    expect(readSecret({ kind: 'file', file })).toBe('s3cret')
    expect(readSecret({ kind: 'env', name: 'TOKEN' }, { TOKEN: 'abc' })).toBe('abc')
    expect(() => readSecret({ kind: 'env', name: 'TOKEN' }, {})).toThrow('the variable TOKEN is not set')
  })
})

describe('a file', () => {
  test('that is missing is told with the fix', () => {
    const empty = join(folder, 'empty')
    mkdirSync(empty)
    expect(findConfigFile(undefined, empty)).toMatchObject({ error: { code: 'BW_CONFIG_FILE_MISSING' } })
    expect(findConfigFile('nope.yaml', empty)).toMatchObject({ error: { file: 'nope.yaml' } })
  })

  test('of TypeScript holds the same configuration', async () => {
    const file = join(folder, 'breakwater.config.ts')
    writeFileSync(
      file,
      `export default { listeners: { public: { port: 8080 } }, upstreams: { orders: { endpoints: ['127.0.0.1:4001', '127.0.0.1:4002'] } },
       routes: { orders: { match: '/orders/*', upstream: 'orders' } } }`,
    )
    writeFileSync(join(folder, 'breakwater.yaml'), small)
    const [fromModule, fromYaml] = await Promise.all([
      loadConfig(file),
      loadConfig(join(folder, 'breakwater.yaml')),
    ])
    if (!fromModule.ok) throw new Error(fromModule.error.map(formatProblem).join())
    expect(fromModule.ok && fromModule.value.config).toEqual(fromYaml.ok && fromYaml.value.config)
    expect(await loadConfig(join(folder, 'gone.config.ts'))).toMatchObject({
      error: [{ code: 'BW_CONFIG_FILE_MISSING' }],
    })
  })

  test('written with defineConfig is checked by the compiler, and again when it runs', () => {
    const config = defineConfig({
      listeners: { public: { port: 8080 } },
      upstreams: { orders: { endpoints: ['127.0.0.1:4001'], breaker: false } },
      routes: { orders: { match: '/orders/*', upstream: 'orders', timeout: '2s' } },
    })
    expect(resolveObject(config).ok).toBe(true)
    // @ts-expect-error -- a misspelt key does not compile
    expect(resolveObject(defineConfig({ ...config, drian: {} })).ok).toBe(false)
  })
})
