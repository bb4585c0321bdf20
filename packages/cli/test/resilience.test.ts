import { join } from 'node:path'

import { loadConfig, resolveText } from '@breakwater/contract'
import type { GatewayConfig } from '@breakwater/contract'
import { expect, test } from 'vitest'

import type { AdminStatus } from '../src/admin-client.ts'
import { ladderText, laddersOf } from '../src/resilience/ladder.ts'
import { statusText } from '../src/resilience/status-text.ts'
import { standInsOf } from '../src/up/stand-ins.ts'
import { suggestionsFor } from '../src/up/suggestions.ts'
import { root } from './shop.ts'

function configOf(yaml: string): GatewayConfig {
  const result = resolveText(yaml)
  if (result.ok) return result.value.config
  throw new Error(JSON.stringify(result.error))
}

const plain = `
listeners: { main: { port: 8080 } }
upstreams: { a: { endpoints: ['127.0.0.1:1'], breaker: false } }
telemetry: { traces: false }
`

test('the ladder of each route of the shop reads from the full answer down to the error', async () => {
  const loaded = await loadConfig(join(root, 'examples/shop/breakwater.yaml'))
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error))
  await expect(ladderText(laddersOf(loaded.value.config))).toMatchFileSnapshot('golden/ladder.txt')
})

test('the status shows what each breaker, bulkhead, budget and pool is doing', async () => {
  const endpoint = { id: '127.0.0.1:1', healthy: true, ejected: false, inFlight: 2, latencyMs: 12.34 }
  const pool = { connections: 3, idleConnections: 1, pendingRequests: 0 }
  const upstream = {
    name: 'orders',
    healthy: true,
    optional: false,
    endpoints: [{ ...endpoint, ...pool }],
    bulkhead: { inFlight: 2, maxConcurrent: 64, queued: 5 },
    adaptiveLimit: { limit: 20.7, inFlight: 2 },
    shedder: undefined,
    throttleRejectRatio: 0.25,
    retryBudgetAvailable: 7,
  }
  const status: AdminStatus = {
    schemaVersion: 1,
    name: 'shop',
    pid: 1,
    nowMs: 1_000,
    ready: true,
    draining: false,
    overload: { level: 0, cause: undefined },
    listeners: [{ name: 'main', host: '127.0.0.1', port: 8080, connections: 4 }],
    upstreams: [
      { ...upstream, breaker: { kind: 'open', untilMs: 3_500, openings: 1, cause: 'consecutive' } },
      {
        ...upstream,
        name: 'billing',
        optional: true,
        healthy: false,
        breaker: { kind: 'forced-open', by: 'ada' },
      },
      {
        ...upstream,
        name: 'plain',
        breaker: undefined,
        bulkhead: undefined,
        adaptiveLimit: undefined,
        throttleRejectRatio: undefined,
      },
    ],
    authorization: {
      enforced: true,
      policyVersion: 'opa:shop/allow',
      opa: { breaker: { kind: 'forced-closed', by: 'ada' } },
    },
    routes: [],
  }
  await expect(statusText(status, 'http://127.0.0.1:9901')).toMatchFileSnapshot('golden/status.txt')
})

test('a stand-in is named only where it is in use', () => {
  const bare = configOf(`${plain}routes: { all: { match: /*, upstream: a, staleIfError: false } }`)
  expect(standInsOf(bare)).toEqual([])
  const keyed = configOf(
    `${plain}routes: { all: { match: /*, upstream: a, staleIfError: false, idempotencyKey: true } }`,
  )
  expect(standInsOf(keyed).map(({ what }) => what)).toEqual(['idempotency keys'])
})

test('without commands of its own, a configuration is shown by requests that its first routes answer', () => {
  const config = configOf(`${plain}routes:
  order: { match: { path: '/orders/{id}', hosts: [shop.example], headers: { x-beta: true } }, upstream: a, tenant: {} }
  pay: { match: { path: /pay, methods: [POST] }, upstream: a }
`)
  const commands = suggestionsFor(config, 'http://127.0.0.1:8080', 'http://127.0.0.1:9901').map(
    ({ command }) => command,
  )
  expect(commands).toEqual([
    "curl -si -H 'host: shop.example' -H 'x-beta: 1' -H 'x-tenant-id: acme' http://127.0.0.1:8080/orders/1",
    'curl -s http://127.0.0.1:9901/status',
  ])
})
