import { describe, expect, test } from 'vitest'

import { parseAnswers } from './support/answers.ts'
import { Origin, Stage, rawOrigin, reply } from './support/stage.ts'

/** A shop behind the gateway; everything off but what is named. */
async function shop(options: Partial<Parameters<typeof Stage.open>[0]> = {}) {
  const stage = await Stage.open({ services: { shop: {} }, ...options })
  const origin = await Origin.open(stage, 'shop')
  return { stage, origin }
}

describe('what no route answers', () => {
  test('gets 404 as a problem document with a code, whose fault it is and an id to find it by', async () => {
    const { stage, origin } = await shop()
    const answer = stage.ask('GET /elsewhere')
    expect(answer.status).toBe(404)
    expect(answer.fields.get('content-type')).toBe('application/problem+json')
    expect(answer.fields.get('breakwater-fault')).toBe('caller')
    const problem = JSON.parse(answer.body) as Record<string, unknown>
    expect(problem).toMatchObject({
      type: 'urn:breakwater:error:BW_GATEWAY_ROUTE_NOT_FOUND',
      status: 404,
      code: 'BW_GATEWAY_ROUTE_NOT_FOUND',
      fault: 'caller',
    })
    expect(problem['title']).toContain('add a route')
    expect(problem['traceId']).toMatch(/^[0-9a-f]{32}$/)
    expect(answer.fields.get('x-request-id')).toMatch(/^[\w-]{8,}$/)
    expect(origin.count).toBe(0)
  })

  test('gets 405 with the methods that are allowed', async () => {
    const { stage } = await shop({
      services: { shop: { route: { match: { path: '/shop/*', methods: ['GET', 'PUT'] } } } },
    })
    const answer = stage.ask('DELETE /shop/1')
    expect(answer.status).toBe(405)
    expect(answer.fields.get('allow')).toBe('GET, PUT')
  })
})

describe('the request that the upstream gets', () => {
  test('names this hop and the client, whatever the client says about earlier ones', async () => {
    const { stage, origin } = await shop()
    stage.ask('GET /shop/1', [
      'Via: 1.0 proxy',
      'X-Forwarded-For: 6.6.6.6',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: evil',
      'X-Real-IP: 6.6.6.6',
      'Forwarded: for=6.6.6.6',
    ])
    const { fields } = origin.last.request
    const client = fields.get('x-forwarded-for')
    expect(client).toMatch(/^10\.0\.0\.\d+$/)
    expect(fields.getAll('via')).toEqual(['1.0 proxy, 1.1 breakwater'])
    expect(fields.getAll('x-forwarded-proto')).toEqual(['http'])
    expect(fields.getAll('x-forwarded-host')).toEqual(['shop'])
    expect(fields.getAll('forwarded')).toEqual([`for=${client};host=shop;proto=http`])
    expect(JSON.stringify(fields.flat)).not.toMatch(/6\.6\.6\.6|evil/)
  })

  test('keeps the word of proxies that the listener trusts, and adds to it', async () => {
    const { stage, origin } = await shop({ listener: { trustForwardedFrom: ['10.0.0.0/8'] } })
    stage.ask('GET /shop/1', ['X-Forwarded-For: 6.6.6.6', 'X-Forwarded-Proto: https'])
    expect(origin.last.request.fields.get('x-forwarded-for')).toMatch(/^6\.6\.6\.6, 10\./)
    expect(origin.last.request.fields.get('x-forwarded-proto')).toBe('https')
  })

  test('has no field that was meant for one hop, named by the standard or by the client', async () => {
    const { stage, origin } = await shop()
    stage.ask('GET /shop/1', [
      'Connection: keep-alive, x-secret-hop, authorization',
      'Keep-Alive: timeout=5',
      'Proxy-Authorization: Basic eA==',
      'TE: trailers',
      'Upgrade: h2c',
      'X-Secret-Hop: 1',
      'Authorization: Bearer t',
      'X-Kept: 1',
    ])
    const names = [...origin.last.request.fields].map(([name]) => name)
    for (const gone of ['keep-alive', 'proxy-authorization', 'te', 'upgrade', 'x-secret-hop'])
      expect(names).not.toContain(gone)
    // What others rely on cannot be taken away by naming it.
    expect(names).toContain('authorization')
    expect(names).toContain('x-kept')
  })

  test('has the path that was matched, in its one spelling, and the query as it was', async () => {
    const { stage, origin } = await shop()
    stage.ask('GET /%73hop/%7euser/caf%c3%a9?q=%7e&b=/../x')
    expect(origin.last.request.target).toBe('/shop/~user/caf%C3%A9?q=%7e&b=/../x')
  })

  test('has no dot segments left when the listener takes them out, however they were written', async () => {
    const { stage, origin } = await shop({ listener: { paths: { dotSegments: 'normalize' } } })
    stage.ask('GET /x/%2e%2E/shop/./a/../b')
    expect(origin.last.request.target).toBe('/shop/b')
    expect(stage.ask('GET /shop/../admin').status).toBe(404)
    expect(stage.ask('GET /shop/..').status).toBe(404)
    expect(origin.count).toBe(1)
  })

  test('is refused when it has dot segments and nobody asked to take them out', async () => {
    const { stage, origin } = await shop()
    for (const path of [
      '/shop/../x',
      '/shop/%2e%2e/x',
      '/shop/%2E./x',
      '/shop/%2fx',
      '/shop/\\x',
      '/shop/%5cx',
    ])
      expect(stage.ask(`GET ${path}`).status).toBe(400)
    expect(origin.count).toBe(0)
  })

  test('comes in origin form whatever form the client chose', async () => {
    const { stage, origin } = await shop({ services: { shop: { route: { match: '/*' } } } })
    expect(stage.ask('GET http://shop/a?b=c').status).toBe(200)
    expect(origin.last.request.target).toBe('/a?b=c')
    expect(stage.ask('OPTIONS *').status).toBe(200)
    expect(origin.last.request.target).toBe('*')
  })

  test('carries the id and the trace of the request, its own span in it', async () => {
    const { stage, origin } = await shop()
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const answer = stage.ask('GET /shop/1', [
      'X-Request-Id: my-request-12345',
      `Traceparent: 00-${trace}-00f067aa0ba902b7-01`,
    ])
    const { fields } = origin.last.request
    expect(fields.get('x-request-id')).toBe('my-request-12345')
    expect(answer.fields.get('x-request-id')).toBe('my-request-12345')
    expect(fields.get('traceparent')).toMatch(new RegExp(`^00-${trace}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`))
  })

  test('has no trailers that nobody allowed', async () => {
    const { stage, origin } = await shop()
    const client = stage.send('POST /shop/1', ['Transfer-Encoding: chunked'])
    client.write('2\r\nhi\r\n0\r\nX-Forged: 1\r\n\r\n')
    stage.run(50)
    expect(parseAnswers(client.received)[0]?.status).toBe(200)
    expect(origin.last.body).toBe('hi')
    expect(origin.last.trailers?.size ?? 0).toBe(0)
  })
})

describe('the answer that the client gets', () => {
  test('has no field that was meant for one hop, and names this one', async () => {
    const stage = await Stage.open({ services: { shop: {} } })
    await rawOrigin(stage, 'shop', (transport) => {
      const fields = ['Connection: x-hop', 'X-Hop: 1', 'Keep-Alive: x', 'Via: 1.1 inner', 'Content-Length: 1']
      transport.write(`HTTP/1.1 200 OK\r\n${fields.join('\r\n')}\r\n\r\nx`)
    })
    const { fields } = stage.ask('GET /shop/1')
    expect([...fields.keys()].filter((name) => /hop|keep-alive|^connection/.test(name))).toEqual([])
    expect(fields.get('via')).toBe('1.1 inner, 1.1 breakwater')
  })

  test('has early hints with it, freed from what was meant for one hop', async () => {
    const { stage, origin } = await shop()
    origin.respond = ({ exchange }) => {
      const hints = exchange.request.fields
      hints.flat.length = 0
      hints.append('link', '</style.css>; rel=preload')
      hints.append('proxy-authenticate', 'Basic')
      exchange.sendInformational(103, hints)
      reply(exchange, 200, 'x')
    }
    const client = stage.send('GET /shop/1')
    stage.run(50)
    const [hints, answer] = parseAnswers(client.received)
    expect(hints?.status).toBe(103)
    expect(hints?.fields.get('link')).toContain('style.css')
    expect(hints?.fields.has('proxy-authenticate')).toBe(false)
    expect(answer?.status).toBe(200)
  })

  test('has no body for HEAD, 204 and 304, and the connection goes on', async () => {
    const { stage, origin } = await shop()
    const client = stage.client()
    const statuses = [200, 204, 304, 200]
    origin.respond = ({ exchange }) => {
      const status = statuses[origin.count - 1] ?? 500
      reply(exchange, status, status === 200 ? 'body' : '')
    }
    client.write('HEAD /shop/1 HTTP/1.1\r\nHost: shop\r\n\r\n')
    stage.run(20)
    const head = parseAnswers(client.received, true)
    expect(head).toMatchObject([{ status: 200, body: '' }])
    expect(head[0]?.fields.get('content-length')).toBe('4')
    const before = client.received.length
    for (let n = 0; n < 3; n++) client.write('GET /shop/1 HTTP/1.1\r\nHost: shop\r\n\r\n')
    stage.run(50)
    const answers = parseAnswers(client.received.slice(before))
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [204, ''],
      [304, ''],
      [200, 'body'],
    ])
  })

  test('comes in the order of the requests when they are pipelined, the slow first one included', async () => {
    const { stage, origin } = await shop()
    origin.respond = ({ exchange, request }) => {
      const delayMs = request.path === '/shop/0' ? 50 : 1
      stage.clock.schedule(delayMs, () => reply(exchange, 200, request.path))
    }
    const client = stage.client()
    for (let n = 0; n < 5; n++) client.write(`GET /shop/${n} HTTP/1.1\r\nHost: shop\r\n\r\n`)
    stage.run(200)
    expect(parseAnswers(client.received).map(({ body }) => body)).toEqual(
      [0, 1, 2, 3, 4].map((n) => `/shop/${n}`),
    )
  })

  test('to HTTP/1.0 has no chunks and ends with the connection', async () => {
    const { stage, origin } = await shop()
    origin.respond = ({ exchange }) => {
      exchange.sendHead(200, exchange.request.fields, { kind: 'chunked' })
      exchange.sendData(Buffer.from('streamed'))
      exchange.sendEnd()
    }
    const client = stage.client()
    client.write('GET /shop/1 HTTP/1.0\r\nHost: shop\r\n\r\n')
    stage.run(50)
    const [answer] = parseAnswers(client.received)
    expect(answer?.fields.has('transfer-encoding')).toBe(false)
    expect(answer?.body).toBe('streamed')
    expect(client.isOpen).toBe(false)
  })
})

describe('an upgrade', () => {
  const ASK = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: x',
    'Sec-WebSocket-Version: 13',
  ]

  async function tunnel(upgrade = { protocols: ['websocket' as const], idle: '5s' as const }) {
    const { stage, origin } = await shop({ services: { shop: { route: { upgrade } } } })
    const up: string[] = []
    origin.respond = ({ exchange, request }) => {
      if (request.upgrade === undefined) return reply(exchange, 426)
      const upgraded = exchange.upgrade('websocket')
      const { transport } = upgraded
      upgraded.attach(
        {
          onBytes: (bytes) => {
            up.push(Buffer.from(bytes).toString('latin1'))
            transport.write(`echo:${up.at(-1)}`)
          },
          onDrain() {},
          onEnd: () => transport.end(),
          onClose() {},
        },
        stage.clock.now(),
      )
    }
    return { stage, origin, up }
  }

  test('opens a tunnel that carries bytes both ways, those sent too early included', async () => {
    const { stage, up } = await tunnel()
    const client = stage.send('GET /shop/ws', ASK)
    client.write('early')
    stage.run(20)
    expect(client.received).toMatch(/^HTTP\/1\.1 101 /)
    client.write(' late')
    stage.run(20)
    expect(up.join('')).toBe('early late')
    expect(client.received).toContain('echo:')
    client.close()
    stage.run(20)
    expect(stage.leftovers()).toMatchObject({ endpoints: 0, requests: 0 })
    expect(stage.network.openConnections('shop')).toBe(0)
  })

  test('is closed on both sides when nothing moves for too long', async () => {
    const { stage } = await tunnel()
    const client = stage.send('GET /shop/ws', ASK)
    stage.run(4000)
    client.write('still here')
    stage.run(4000)
    expect(client.isOpen).toBe(true)
    stage.run(2000)
    expect(client.isOpen).toBe(false)
    expect(stage.network.openConnections('shop')).toBe(0)
  })

  test('is not passed on by a route that does not name the protocol', async () => {
    const { stage, origin } = await tunnel({ protocols: [] as never, idle: '5s' })
    const answer = stage.ask('GET /shop/ws', ASK)
    expect(origin.last.request.upgrade).toBe(undefined)
    expect(answer.status).toBe(426)
  })
})
