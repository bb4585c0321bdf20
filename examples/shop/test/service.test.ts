import { once } from 'node:events'
import { createServer, get } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { as } from './people.ts'
import { ask, spawnService, startService, stopService } from './processes.ts'
import type { RunningService } from './processes.ts'

const running: RunningService[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(stopService))
})

async function start(...args: Parameters<typeof startService>): Promise<RunningService> {
  const service = await startService(...args)
  running.push(service)
  return service
}

describe('a service', () => {
  test('hands on what is left of the time, the trace and the request id, and says who it is', async () => {
    const seen: IncomingHttpHeaders[] = []
    const gateway = createServer((request, response) => {
      seen.push(request.headers)
      response.writeHead(200, { 'content-type': 'application/json', 'breakwater-degraded': 'catalog' })
      response.end('{"products":[]}')
    })
    gateway.listen(0, '127.0.0.1')
    await once(gateway, 'listening')
    try {
      const { port } = gateway.address() as AddressInfo
      const storefront = await start('storefront', { GATEWAY_URL: `http://127.0.0.1:${port}` })
      const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
      const { headers } = await ask(`${storefront.url}/shop/products`, {
        headers: {
          'x-request-deadline-ms': '700',
          'x-request-id': 'request-0001',
          ...as('usr_ada'),
          traceparent: `00-${trace}-00f067aa0ba902b7-01`,
        },
      })
      expect(headers.get('x-degraded')).toBe('catalog')
      expect(seen[0]).toMatchObject({ 'x-request-id': 'request-0001' })
      // The products are the same for everybody: asked for by the storefront itself, without the token of whoever looks.
      expect(seen[0]?.['workload-authorization']).toMatch(/^Bearer /)
      expect(seen[0]?.['authorization']).toBeUndefined()
      expect(seen[0]?.['traceparent']).toMatch(
        new RegExp(`^00-${trace}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`),
      )
      expect(Number(seen[0]?.['x-request-deadline-ms'])).toBeGreaterThan(0)
      expect(Number(seen[0]?.['x-request-deadline-ms'])).toBeLessThan(700)
    } finally {
      gateway.close()
    }
  })

  test('answers what it has begun, then ends with 0 when it is told to stop', async () => {
    const catalog = await start('catalog', { CATALOG_QUERY_MS: '400' })
    const answer = ask(`${catalog.url}/catalog/products`)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const exit = stopService(catalog)
    expect((await answer).status).toBe(200)
    expect(await exit).toBe(0)
  })

  test('offers no way to break it unless it was started for that', async () => {
    const catalog = await start('catalog', {})
    expect((await ask(`${catalog.url}/__fault`)).status).toBe(404)
  })

  test('reads what is asked for as it stands, and lives on when that is no address', async () => {
    const catalog = await start('catalog', {})
    const { port } = new URL(catalog.url)
    const statusOf = async (path: string): Promise<unknown> => {
      const [response] = (await once(get({ port, host: '127.0.0.1', path }), 'response')) as [IncomingMessage]
      response.resume()
      return response.statusCode
    }
    expect(await statusOf('//[')).toBe(404)
    expect(await statusOf('//host/catalog/products')).toBe(404)
    expect(await statusOf('/orders/../catalog/products')).toBe(404)
    expect(await statusOf('/catalog/products?ids=prd_mug')).toBe(200)
    expect(await statusOf('/catalog/products?ids=nothing')).toBe(422)
  })

  test('refuses bodies it cannot take, each with its own code', async () => {
    const billing = await start('billing', {})
    const post = async (body: string, type: string): Promise<unknown> => {
      const headers = { 'content-type': type, ...as('usr_ada', 'orders') }
      const response = await fetch(`${billing.url}/invoices`, { method: 'POST', headers, body })
      return ((await response.json()) as { code: string }).code
    }
    expect(await post('{}', 'text/plain')).toBe('SHOP_BODY_NOT_JSON')
    expect(await post('{', 'application/json')).toBe('SHOP_BODY_NOT_JSON')
    expect(await post('{}', 'application/json; charset=utf-8')).toBe('SHOP_BODY_INVALID')
    expect(await post(`"${'x'.repeat(100_000)}"`, 'application/json')).toBe('SHOP_BODY_TOO_LARGE')
    expect((await ask(`${billing.url}/invoices/inv_1/refunds`)).status).toBe(405)
    expect((await ask(`${billing.url}/nothing`)).status).toBe(404)
  })

  test('lets so many requests wait for a worker and refuses the next', async () => {
    const catalog = await start('catalog', { CATALOG_QUERY_MS: '300', SHOP_WORKERS: '2', SHOP_WAITING: '2' })
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(`${catalog.url}/catalog/products`)))
    expect(answers.map(({ status }) => status).toSorted((one, two) => one - two)).toEqual([
      200, 200, 200, 200, 503,
    ])
    expect((await ask(`${catalog.url}/catalog/products`)).status).toBe(200)
  })

  test('says in one sentence that its port is taken', async () => {
    const first = await start('catalog', {})
    const second = spawnService('catalog', { PORT: new URL(first.url).port })
    let said = ''
    second.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [code] = (await once(second, 'close')) as [number]
    expect(code).toBe(1)
    expect(said).toMatch(/^catalog cannot listen on 127\.0\.0\.1:\d+: the port is in use.*\n$/)
  })

  test('says which setting is wrong', async () => {
    const child = spawnService('catalog', { PORT: 'eighty' })
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(1)
    expect(said).toContain('PORT')
  })
})
