import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { resolveObject } from '@breakwater/contract'
import type { GatewayConfig } from '@breakwater/contract'
import { TokenVerifier } from '@breakwater/gateway/identity'
import { afterAll, describe, expect, test } from 'vitest'

import { workloadEnvironmentOf } from './workload-tokens.ts'

const keys = mkdtempSync(join(tmpdir(), 'breakwater-cli-workload-'))
afterAll(() => rmSync(keys, { recursive: true }))
const NOW_MS = Date.UTC(2026, 1, 1)

function configOf(identity: object | undefined, services: Record<string, object>) {
  return resolveObject({
    name: 'shop',
    listeners: { main: { port: 8080 } },
    upstreams: { a: { endpoints: ['127.0.0.1:4001'] } },
    routes: { all: { match: '/*', upstream: 'a', public: true } },
    ...(identity !== undefined && { authorization: { policies: keys, identity } }),
    services,
  })
}

function resolved(services: Record<string, object>): GatewayConfig {
  const result = configOf({ testIssuer: { keys, name: 'trials' } }, services)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value.config
}

const command = ['node', 'x.js']

describe('a service that is a workload', () => {
  test('gets a token of its own, one for each tenant it acts for, and what verifies those of others', () => {
    const config = resolved({
      orders: { command, workload: { name: 'orders', tenants: ['acme', 'acme-eu'] } },
      plain: { command },
    })
    const environmentOf = workloadEnvironmentOf(config, NOW_MS)
    const [orders, plain] = config.services.map((service) => environmentOf(service))
    expect(plain).toEqual({})
    const verifier = new TokenVerifier({
      publicKey: orders?.['TOKEN_PUBLIC_KEY'] ?? '',
      issuer: orders?.['TOKEN_ISSUER'] ?? '',
      audience: orders?.['TOKEN_AUDIENCE'] ?? '',
    })
    const claims = (variable: string): unknown => {
      const verified = verifier.verify(orders?.[variable] ?? '', NOW_MS)
      return verified.ok
        ? [verified.value.kind, verified.value.subject, verified.value.tenant]
        : verified.error
    }
    expect(claims('WORKLOAD_TOKEN')).toEqual(['workload', 'orders', undefined])
    expect(claims('WORKLOAD_TOKEN_ACME')).toEqual(['workload', 'orders', 'acme'])
    expect(claims('WORKLOAD_TOKEN_ACME_EU')).toEqual(['workload', 'orders', 'acme-eu'])
    const files = readdirSync(keys).map((file) => readFileSync(join(keys, file), 'utf8'))
    expect(files.join('\n')).not.toContain(orders?.['WORKLOAD_TOKEN'])
  })

  test('is refused where nobody can sign for it', () => {
    const services = { orders: { command, workload: { name: 'orders' } } }
    for (const identity of [undefined, { testIssuer: { publicKey: 'A'.repeat(43) } }]) {
      const result = configOf(identity, services)
      expect(result.ok ? [] : result.error.map(({ path }) => path)).toContain('services.orders.workload')
    }
  })
})
