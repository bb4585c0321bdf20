import { FieldList } from '@breakwater/http'
import { describe, expect, test } from 'vitest'

import { parseAnswers } from './support/answers.ts'
import { Origin, Stage, rawOrigin, reply, requestText } from './support/stage.ts'

type Route = NonNullable<Parameters<typeof Stage.open>[0]['services']['x']>['route']

async function shop(route: Route = {}, isWhole = true) {
  const stage = await Stage.open({ services: { shop: { route } } })
  const origin = await Origin.open(stage, 'shop', { isWhole })
  return { stage, origin }
}

const MEBIBYTE = 1 << 20

describe('a body', () => {
  test('from the upstream waits there when the client is slow, and arrives whole', async () => {
    const { stage, origin } = await shop()
    stage.network.setFaults('gateway', 'client', { bytesPerSecond: 1_000_000, latencyMs: 1 })
    let sent = 0
    origin.respond = ({ exchange }) => {
      exchange.sendHead(200, new FieldList(), { kind: 'length', bytes: 4 * MEBIBYTE })
      const more = (): void => {
        while (sent < 4 * MEBIBYTE) {
          sent += 65_536
          if (!exchange.sendData(Buffer.alloc(65_536, 'x'))) return
        }
        exchange.sendEnd()
      }
      exchange.onWritable = more
      more()
    }
    const client = stage.send('GET /shop/1')
    let most = 0
    for (let n = 0; n < 100; n++) {
      stage.run(50)
      most = Math.max(most, sent - client.received.length)
    }
    expect(parseAnswers(client.received)[0]).toMatchObject({ isWhole: true })
    expect(client.received.length).toBeGreaterThan(4 * MEBIBYTE)
    expect(most).toBeLessThan(MEBIBYTE)
  })

  test('from the client waits there when the upstream is slow, and arrives whole', async () => {
    const { stage, origin } = await shop()
    stage.network.setFaults('gateway', 'shop', { bytesPerSecond: 1_000_000, latencyMs: 1 })
    const client = stage.client()
    client.write(`POST /shop/1 HTTP/1.1\r\nHost: shop\r\nContent-Length: ${2 * MEBIBYTE}\r\n\r\n`)
    let sent = 0
    let most = 0
    while (sent < 2 * MEBIBYTE || parseAnswers(client.received).length === 0) {
      if (sent < 2 * MEBIBYTE && client.bufferedBytes < 65_536) {
        client.write('u'.repeat(65_536))
        sent += 65_536
      }
      stage.run(5)
      if (origin.count > 0) most = Math.max(most, sent - origin.last.body.length)
      if (stage.clock.now() > 20_000) break
    }
    expect(parseAnswers(client.received)[0]?.status).toBe(200)
    expect(origin.last.body.length).toBe(2 * MEBIBYTE)
    expect(most).toBeLessThan(MEBIBYTE)
  })

  test('that is announced as too long for the route is refused before it is sent', async () => {
    const { stage, origin } = await shop({ maxBody: '1KiB' })
    const client = stage.client()
    client.write(
      'POST /shop/1 HTTP/1.1\r\nHost: shop\r\nContent-Length: 1025\r\nExpect: 100-continue\r\n\r\n',
    )
    stage.run(20)
    expect(parseAnswers(client.received)).toMatchObject([{ status: 413 }])
    expect(origin.count).toBe(0)
    expect(stage.ask('POST /shop/1', [], 'x'.repeat(1024)).status).toBe(200)
  })

  test('that turns out too long is refused in the middle, and the log says why', async () => {
    const lines: string[] = []
    const stage = await Stage.open({
      services: { shop: { route: { maxBody: '1KiB' } } },
      rest: { telemetry: { accessLog: true } },
      log: (line) => lines.push(line),
    })
    const origin = await Origin.open(stage, 'shop')
    const client = stage.send('POST /shop/1', ['Transfer-Encoding: chunked'])
    client.write(`300\r\n${'x'.repeat(0x300)}\r\n`)
    stage.run(20)
    client.write(`300\r\n${'x'.repeat(0x300)}\r\n`)
    stage.run(20)
    expect(parseAnswers(client.received)).toMatchObject([{ status: 413 }])
    expect(origin.last.abortedMs).toBeDefined()
    await stage.gateway.close()
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      status: 413,
      code: 'BW_HTTP_BODY_TOO_LARGE',
      fault: 'caller',
    })
  })

  test('is asked for with 100 when the client waits for that', async () => {
    const { stage, origin } = await shop()
    const client = stage.client()
    client.write('POST /shop/1 HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n')
    stage.run(20)
    expect(client.received).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    client.write('body')
    stage.run(20)
    expect(parseAnswers(client.received).map(({ status }) => status)).toEqual([100, 200])
    expect(origin.last.body).toBe('body')
  })
})

describe('a stream of events', () => {
  const events = FieldList.from([['content-type', 'text/event-stream']])

  test('passes one by one, holds no place at the upstream, and outlives the timeout', async () => {
    const stage = await Stage.open({
      services: {
        shop: { upstream: { bulkhead: { maxConcurrent: 1, maxQueue: 0 } }, route: { timeout: '100ms' } },
      },
    })
    const origin = await Origin.open(stage, 'shop')
    origin.respond = ({ exchange, request }) => {
      if (request.path !== '/shop/events') return reply(exchange, 200)
      exchange.sendHead(200, events, { kind: 'chunked' })
    }
    const client = stage.send('GET /shop/events')
    stage.run(20)
    const { exchange } = origin.last
    for (let n = 0; n < 5; n++) {
      exchange.sendData(Buffer.from(`data: ${n}\n\n`))
      stage.run(2.5)
      expect(parseAnswers(client.received)[0]?.body).toMatch(new RegExp(`data: ${n}\n\n$`))
      stage.run(1000)
    }
    expect(stage.ask('GET /shop/1').status).toBe(200)
  })

  test.each([
    ['between two events', 'data: 1\n\n', true],
    ['after an event with CR LF', 'data: 1\r\n\r\n', true],
    ['within an event', 'data: 1\n\ndata: hal', false],
    ['within an event, after a line', 'data: 1\n', false],
  ])('that the upstream breaks %s', async (_where, text, isTold) => {
    const { stage, origin } = await shop()
    origin.respond = ({ exchange }) => exchange.sendHead(200, events, { kind: 'chunked' })
    const client = stage.send('GET /shop/events')
    stage.run(20)
    for (const byte of text) origin.last.exchange.sendData(Buffer.from(byte))
    stage.run(20)
    origin.last.exchange.abort()
    stage.run(20)
    const [answer] = parseAnswers(client.received)
    expect(answer?.isWhole).toBe(isTold)
    if (isTold)
      expect(answer?.body).toMatch(/event: error\ndata: \{.*"code":"BW_HTTP_RESPONSE_INCOMPLETE".*\}\n\n$/)
    else expect(answer?.body).toBe(text)
  })

  test('of a fixed length or in another coding is cut, for no event can be added to it', async () => {
    for (const field of ['Content-Length: 100', 'Transfer-Encoding: chunked\r\nContent-Encoding: gzip']) {
      const stage = await Stage.open({ services: { shop: {} } })
      await rawOrigin(stage, 'shop', (transport) => {
        transport.write(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${field}\r\n\r\n`)
        transport.write(field.startsWith('Content') ? 'data: 1\n\n' : '9\r\ndata: 1\n\n\r\n')
        stage.clock.schedule(20, () => transport.destroy(true))
      })
      const client = stage.send('GET /shop/events')
      stage.run(100)
      const [answer] = parseAnswers(client.received)
      expect(answer).toMatchObject({ body: 'data: 1\n\n', isWhole: false })
      expect(client.isOpen).toBe(false)
    }
  })
})

test('an answer that the upstream breaks off is cut, never made to look whole', async () => {
  const { stage, origin } = await shop()
  origin.respond = ({ exchange }) => {
    exchange.sendHead(200, new FieldList(), { kind: 'chunked' })
    exchange.sendData(Buffer.from('half'))
    stage.clock.schedule(20, () => exchange.abort())
  }
  const client = stage.send('GET /shop/1')
  stage.run(100)
  expect(parseAnswers(client.received)[0]).toMatchObject({ status: 200, body: 'half', isWhole: false })
  expect(client.isOpen).toBe(false)
})

test('an answer that comes before the request was read whole ends the upload in good order', async () => {
  const { stage, origin } = await shop({}, false)
  origin.respond = ({ exchange }) => reply(exchange, 401, 'who are you')
  const client = stage.client()
  client.write(
    requestText('POST /shop/1', ['Content-Length: 100000'], '').replace('\r\n\r\n', '\r\n\r\nbegin'),
  )
  stage.run(50)
  expect(parseAnswers(client.received)[0]).toMatchObject({ status: 401, isWhole: true })
  client.close()
  stage.run(10_000)
  expect(stage.leftovers()).toMatchObject({ endpoints: 0, requests: 0 })
})
