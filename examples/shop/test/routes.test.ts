import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Caller } from '@breakwater/gateway/identity'
import { Decisions } from '../src/kit/decisions.ts'
import { Routes } from '../src/kit/routes.ts'
import type { ServiceRequest } from '../src/kit/service.ts'

const folder = mkdtempSync(join(tmpdir(), 'shop-routes-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function requestOf(caller: Caller | undefined): ServiceRequest {
  return {
    context: {
      traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
      requestId: 'request-0001',
      deadlineAtMs: Infinity,
      signal: new AbortController().signal,
      caller,
      userToken: undefined,
      tenant: caller?.tenant,
    },
    headers: {},
    params: {},
    query: new URLSearchParams(),
    body: () => Promise.reject(new Error('there is none')),
  }
}

test('a handler runs for whoever may, and for nobody once its decisions cannot be written down', async () => {
  const decisions = new Decisions({ env: { SHOP_DECISIONS_DIR: folder }, name: 'orders' })
  let runs = 0
  const routes = new Routes(decisions).tenant(
    { method: 'GET', path: '/orders', action: 'listOrders' },
    () => {
      runs++
      return { status: 200, body: {} }
    },
  )
  const ask = async (user: string | undefined, tenant: string | undefined): Promise<unknown> => {
    const caller = user === undefined ? undefined : { user, workload: 'browser', tenant, expiresMs: Infinity }
    return routes.all[0]?.handle(requestOf(caller))
  }
  await expect(ask('usr_ada', 'acme')).resolves.toMatchObject({ status: 200 })
  await expect(ask('usr_ada', 'globex')).rejects.toMatchObject({ code: 'SHOP_FORBIDDEN' })
  await expect(ask('usr_ada', 'nowhere')).rejects.toMatchObject({ code: 'SHOP_FORBIDDEN' })
  await expect(ask('usr_ada', undefined)).rejects.toMatchObject({ code: 'SHOP_TENANT_MISSING' })
  await expect(ask(undefined, undefined)).rejects.toMatchObject({ code: 'SHOP_UNAUTHENTICATED' })
  expect(runs).toBe(1)
  decisions.close()
  await expect(ask('usr_ada', 'acme')).rejects.toMatchObject({ code: 'BW_AUTHZ_LOG_FAILED' })
  expect(runs).toBe(1)
})
