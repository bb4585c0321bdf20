import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolveObject } from '@breakwater/contract'
import { Gateway, TestIssuer } from '@breakwater/gateway'
import { openNetDriver } from '@breakwater/http'
import type { Transport } from '@breakwater/http'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { POLICIES, SCHEMA, entitiesJson } from '../drills/authz/policies.ts'
import { parseAnswers } from './support/answers.ts'
import { closing } from './support/closing.ts'
import { newFolder } from './support/guarded-shop.ts'
import { LegacyStand, chunked, codeIn, json } from './support/legacy.ts'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const MASKING = { answer: true } as const
const ORDER = '{"id":"o1","card":"4111","name":"é€😀","items":[{"card":1,"n":1e2}]}'
const MASKED = '{"id":"o1","name":"é€😀","items":[{"n":1e2}]}'
const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

/** Writes in two pieces, a millisecond apart. */
const split =
  (stand: LegacyStand, bytes: string, at: number) =>
  (transport: Transport): void => {
    transport.write(bytes.slice(0, at))
    stand.world.clock.schedule(1, () => transport.write(bytes.slice(at)))
  }

describe('an answer from which something is withheld', () => {
  test('may be split at any byte, in chunks or not', async () => {
    const stand = await LegacyStand.open(MASKING)
    for (const bytes of [json(ORDER), chunked(ORDER, 7)]) {
      const requests = Array.from({ length: bytes.length - 1 }, () =>
        stand.shop.request('GET', '/legacy/acme', { person: 'sue' }),
      )
      let at = 0
      stand.serve = (transport) => split(stand, bytes, (at += 1))(transport)
      const answers = (await stand.shop.sendAll(requests)).map(({ text }) => parseAnswers(text)[0]?.body)
      expect(new Set(answers)).toEqual(new Set([latin1(MASKED)]))
      expect(at).toBe(bytes.length - 1)
    }
  })

  test('never holds a masked name, whatever the document is and however it arrives', async () => {
    const stand = await LegacyStand.open(MASKING)
    const documents = fc.sample(
      fc.json({ maxDepth: 4 }).map((text) => `{"card":"4111","a":[${text},{"card":{"x":1}}],"z":${text}}`),
      { numRuns: 200, seed: 7 },
    )
    let next = 0
    stand.serve = (transport) => transport.write(chunked(documents[next++] ?? '', 1 + (next % 9)))
    const requests = documents.map(() => stand.shop.request('GET', '/legacy/acme', { person: 'sue' }))
    const answers = (await stand.shop.sendAll(requests)).map(({ text }) => parseAnswers(text)[0])
    const expected = documents.map((text) => JSON.stringify(hidden(JSON.parse(text))))
    const given = answers.map((answer) => {
      const text = Buffer.from(answer?.body ?? '', 'latin1').toString()
      return answer?.status === 200 ? JSON.stringify(JSON.parse(text)) : answer?.body
    })
    expect(new Set(given)).toEqual(new Set(expected))
  })

  test('leaves the connection fit for the next request, refused or not', async () => {
    const stand = await LegacyStand.open(MASKING)
    const bodies = [json(ORDER), chunked(ORDER, 3), json('nonsense'), json(ORDER), json('{"card":1}')]
    let next = 0
    stand.serve = (transport) => transport.write(bodies[next++] ?? '')
    const one = stand.shop
      .request('GET', '/legacy/acme', { person: 'sue' })
      .replace('Connection: close\r\n', '')
    const { text } = await stand.shop.send(one.repeat(bodies.length))
    const answers = parseAnswers(text)
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 502, 200, 200])
    expect(answers.at(-1)?.body).toBe('{}')
  })

  test('is nothing at all when the service breaks off within it', async () => {
    const stand = await LegacyStand.open(MASKING)
    for (const bytes of [json(ORDER), chunked(ORDER, 5)]) {
      stand.serve = (transport) => {
        transport.write(bytes.slice(0, -4))
        transport.end()
      }
      const answer = await stand.ask()
      expect([answer.status, codeIn(answer)]).toEqual([502, 'BW_HTTP_RESPONSE_INCOMPLETE'])
      expect(answer.body).not.toContain('4111')
    }
  })

  test('is asked for again where the route repeats: the client has seen nothing yet', async () => {
    const retry = { maxAttempts: 2, backoff: { base: '1ms', max: '1ms' } }
    const stand = await LegacyStand.open(MASKING, { route: { retry } })
    stand.serve = (transport) => {
      transport.write(stand.heads.length === 1 ? json(ORDER).slice(0, -4) : json(ORDER))
      if (stand.heads.length === 1) transport.destroy()
    }
    expect((await stand.ask()).body).toBe(latin1(MASKED))
    expect(stand.heads.length).toBe(2)
  })

  test('is asked for again when a status tells the route to, whatever came with it', async () => {
    const retry = { maxAttempts: 2, backoff: { base: '1ms', max: '1ms' } }
    const stand = await LegacyStand.open(MASKING, { route: { retry } })
    const down = 'HTTP/1.1 503 Down\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ndown'
    stand.serve = (transport) => transport.write(stand.heads.length === 1 ? down : json(ORDER))
    expect((await stand.ask()).body).toBe(latin1(MASKED))
  })

  test('must be whole within the timeout of the route', async () => {
    const stand = await LegacyStand.open(MASKING, { route: { timeout: '100ms' } })
    stand.serve = (transport) => transport.write(json(ORDER).slice(0, -4))
    const answer = await stand.ask()
    expect([answer.status, codeIn(answer)]).toEqual([504, 'BW_GATEWAY_UPSTREAM_TIMEOUT'])
  })

  test('is nobody’s when the client leaves meanwhile, and the service is told', async () => {
    const stand = await LegacyStand.open(MASKING)
    stand.serve = (transport) => transport.write(json(ORDER).slice(0, -4))
    const client = stand.shop.stay(stand.shop.request('GET', '/legacy/acme', { person: 'sue' }))
    await stand.world.run(50)
    const underWay = (): number =>
      stand.shop.gateway
        .status()
        .upstreams.reduce(
          (sum, { endpoints }) => sum + endpoints.reduce((inside, { inFlight }) => inside + inFlight, 0),
          0,
        )
    expect(underWay()).toBe(1)
    client.close()
    await stand.world.run(6000)
    expect([client.received, underWay()]).toEqual(['', 0])
  })

  test('waits for a client that reads slowly', async () => {
    const stand = await LegacyStand.open({ answer: { maxAnswer: '4MiB' } })
    const rows = Array.from({ length: 30_000 }, (_, id) => ({ id, card: '4111', text: 'x'.repeat(40) }))
    const left = JSON.stringify(rows.map(({ id, text }) => ({ id, text })))
    stand.serve = (transport) => transport.write(chunked(JSON.stringify(rows), 16_384))
    const client = stand.shop.stay(stand.shop.request('GET', '/legacy/acme', { person: 'sue' }))
    client.pauseAfter(1000)
    await stand.world.run(2000)
    expect(client.received.length).toBeLessThan(left.length)
    client.resume()
    await stand.world.run(5000)
    expect(parseAnswers(client.received)[0]?.body).toBe(left)
    client.close()
  })

  test('is cut when the access to it ends while it is read', async () => {
    const stand = await LegacyStand.open(MASKING)
    stand.serve = (transport) => {
      transport.write(json(ORDER).slice(0, -4))
      stand.world.clock.schedule(3000, () => transport.write(json(ORDER).slice(-4)))
    }
    const client = stand.shop.stay(stand.shop.request('GET', '/legacy/acme', { person: 'sue' }))
    await stand.world.run(100)
    stand.shop.gateway.entities?.apply({
      upsert: [{ uid: { type: 'User', id: 'sue' }, attrs: { tenant: { type: 'Tenant', id: 'acme' } } }],
    })
    await stand.world.run(5000)
    const [answer] = parseAnswers(client.received)
    expect([answer?.status, answer === undefined ? '' : codeIn(answer)]).toEqual([
      403,
      'BW_GATEWAY_ACCESS_ENDED',
    ])
    client.close()
  })
})

test('a stream that began whole is cut when less of it may be seen', async () => {
  const stand = await LegacyStand.open(MASKING)
  const [head = ''] = chunked('', 1).split('0\r\n')
  stand.serve = (transport) => {
    transport.write(`${head}1\r\n{\r\n`)
    stand.world.clock.schedule(3000, () => transport.write('d\r\n"card":"4111"\r\n'))
  }
  const client = stand.shop.stay(stand.shop.request('GET', '/legacy/acme', { person: 'bill' }))
  await stand.world.run(1500)
  const tenant = { type: 'Tenant', id: 'acme' }
  stand.shop.gateway.entities?.apply({
    upsert: [
      { uid: { type: 'User', id: 'bill' }, attrs: { tenant }, parents: [{ type: 'Role', id: 'support' }] },
    ],
  })
  await stand.world.run(5000)
  expect(client.received).toMatch(/^HTTP\/1\.1 200 /)
  expect(client.received).not.toContain('card')
  expect(client.isOpen).toBe(false)
})

test('a stream that began whole is cut when its rows are asked about from now on', async () => {
  const stand = await LegacyStand.open({})
  const { gateway } = stand.shop
  const { config } = gateway
  const [head = ''] = chunked('', 1).split('0\r\n')
  stand.serve = (transport) => {
    transport.write(`${head}1\r\n[\r\n`)
    stand.world.clock.schedule(3000, () => transport.write('d\r\n"owner":"eve"\r\n'))
  }
  const client = stand.shop.stay(stand.shop.request('GET', '/legacy/acme', { person: 'ada' }))
  await stand.world.run(1500)
  const rows = { list: [], type: 'Order', id: 'id', action: 'viewOrder', attributes: {}, count: undefined }
  const routes = config.routes.map((route) =>
    route.name === 'legacy' && route.authorize !== undefined
      ? { ...route, authorize: { ...route.authorize, answer: { maxAnswerBytes: 1000, rows } } }
      : route,
  )
  await gateway.reload({ ...config, routes })
  await stand.world.run(5000)
  expect(client.received).toMatch(/^HTTP\/1\.1 200 /)
  expect(client.received).not.toContain('eve')
  expect(client.isOpen).toBe(false)
})

test('over real sockets, fields are left out and what cannot be read is refused', async () => {
  const { issuer } = TestIssuer.create()
  const folder = newFolder()
  writeFileSync(join(folder, 'shop.cedar'), POLICIES)
  writeFileSync(join(folder, 'shop.cedarschema'), SCHEMA)
  writeFileSync(join(folder, 'entities.json'), entitiesJson())
  await using driver = closing(openNetDriver())
  const big = JSON.stringify({ text: 'é'.repeat(200_000), card: '4111' })
  const server = createServer((request, response) => {
    if (request.url === '/legacy/acme?big') {
      response.setHeader('content-type', 'application/json')
      for (let at = 0; at < big.length; at += 9999) response.write(big.slice(at, at + 9999))
      response.end()
    } else response.end('card 4111')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const resolved = resolveObject(
    {
      admin: false,
      listeners: { main: { host: '127.0.0.1', port: 0 } },
      upstreams: { legacy: { endpoints: [`127.0.0.1:${port}`] } },
      authorization: { policies: folder, identity: { testIssuer: { publicKey: issuer.publicKey } } },
      routes: {
        legacy: {
          match: '/legacy/{id}',
          upstream: 'legacy',
          authorize: {
            action: { GET: 'listOrders' },
            resource: { type: 'Tenant', id: '{id}' },
            context: ['workload', 'tenant'],
            answer: true,
          },
        },
      },
    },
    { file: 'test' },
  )
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.error))
  const gateway = await Gateway.open(resolved.value.config, { driver })
  const claims = { kind: 'user', subject: 'sue', tenant: 'acme', audience: 'breakwater' } as const
  const token = issuer.sign({ ...claims, validForMs: 60_000 }, Date.now())
  const ask = (query: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${gateway.addresses.get('main')?.port}/legacy/acme?${query}`, {
      headers: { authorization: `Bearer ${token}` },
    })
  expect(await (await ask('big')).json()).toEqual({ text: 'é'.repeat(200_000) })
  const refused = await ask('text')
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
    502,
    'BW_GATEWAY_ANSWER_UNREADABLE',
  ])
  await gateway.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}, 10_000)

function hidden(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hidden)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'card')
      .map(([name, inner]) => [name, hidden(inner)]),
  )
}
