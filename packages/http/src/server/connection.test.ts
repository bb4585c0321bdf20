import { describe, expect, test } from 'vitest'
import { GET, answer, collect, open } from '../../test/support/served.ts'
import { FieldList } from '../fields.ts'
import type { ServerExchange } from './exchange.ts'

describe('a server connection', () => {
  test('answers one request after the other on the same connection', () => {
    const { transport } = open({}, (exchange) => answer(exchange, exchange.request.path))
    transport.receive('GET /a HTTP/1.1\r\nHost: shop\r\n\r\n')
    expect(transport.take()).toBe('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n/a')
    transport.receive('GET /b HTTP/1.1\r\nHost: shop\r\n\r\n')
    expect(transport.take()).toBe('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n/b')
    expect(transport.ended).toBe(false)
  })

  test('answers pipelined requests in order, and looks at the second only when the first is answered', () => {
    const { transport, exchanges } = open()
    transport.receive(GET + 'GET /second HTTP/1.1\r\nHost: shop\r\n\r\n')
    expect(exchanges).toHaveLength(1)
    expect(transport.paused).toBe(true)
    answer(exchanges[0]!, 'first')
    expect(exchanges.map((exchange) => exchange.request.path)).toEqual(['/', '/second'])
    expect(transport.paused).toBe(false)
    answer(exchanges[1]!, 'second')
    expect(transport.written).toMatch(/first.*second$/s)
  })

  test('stops answering pipelined requests while the client does not read', () => {
    const { transport, exchanges } = open({}, (exchange) => answer(exchange, 'x'.repeat(100)))
    transport.room = 50
    transport.receive(GET.repeat(5))
    expect(exchanges).toHaveLength(1)
    transport.drain(1000)
    expect(exchanges).toHaveLength(5)
  })

  test('frames an unknown length in chunks, and with the end of the connection for HTTP/1.0', () => {
    const stream = (exchange: ServerExchange): void => {
      exchange.sendHead(200, new FieldList(), { kind: 'chunked' })
      exchange.sendData(Buffer.from('hello'))
      exchange.sendEnd(FieldList.from([['X-Sum', '1']]))
    }
    const modern = open({}, stream)
    modern.transport.receive(GET)
    expect(modern.transport.written).toBe(
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n',
    )
    const old = open({}, stream)
    old.transport.receive('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
    expect(old.transport.written).toBe('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello')
    expect(old.transport.ended).toBe(true)
  })

  test('keeps an HTTP/1.0 connection only when asked', () => {
    const polite = open({}, (exchange) => answer(exchange, 'a'))
    polite.transport.receive('GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n')
    expect(polite.transport.written).toContain('connection: keep-alive\r\n')
    expect(polite.transport.ended).toBe(false)
    const plain = open({}, (exchange) => answer(exchange, 'a'))
    plain.transport.receive('GET / HTTP/1.0\r\n\r\n')
    expect(plain.transport.ended).toBe(true)
  })

  test('sends no body to HEAD, nor with 204 and 304, but keeps the length that GET would have', () => {
    const head = open({}, (exchange) => answer(exchange, 'hello'))
    head.transport.receive('HEAD / HTTP/1.1\r\nHost: shop\r\n\r\n')
    expect(head.transport.written).toBe('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n')
    const empty = open({}, (exchange) => answer(exchange, 'hello', 204))
    empty.transport.receive(GET)
    expect(empty.transport.written).toBe('HTTP/1.1 204 No Content\r\n\r\n')
    const same = open({}, (exchange) => answer(exchange, 'hello', 304))
    same.transport.receive(GET)
    expect(same.transport.written).toBe('HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n')
  })

  test('asks for the body with 100 Continue when the application starts to read it', () => {
    const { transport, exchanges } = open()
    transport.receive('PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n')
    expect(transport.written).toBe('')
    const seen = collect(exchanges[0]!)
    expect(transport.take()).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    transport.receive('hello')
    expect(seen).toMatchObject({ body: 'hello', ended: true })
  })

  test('closes after refusing a body that the client waits to send: nobody knows whether it comes', () => {
    const { transport } = open({}, (exchange) => answer(exchange, 'no', 413))
    transport.receive('PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n')
    expect(transport.written).toContain('connection: close')
    expect(transport.ended).toBe(true)
  })

  test('drops a short body that nobody wanted and keeps the connection', () => {
    const { transport, exchanges } = open({}, (exchange) => answer(exchange, 'busy', 503))
    transport.receive('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhe')
    transport.receive(`llo${GET}`)
    expect(exchanges).toHaveLength(2)
    expect(transport.ended).toBe(false)
  })

  test('gives up on a long body that nobody wanted', () => {
    const { transport } = open({}, (exchange) => answer(exchange, 'busy', 503))
    transport.receive('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000000\r\n\r\n')
    transport.receive('x'.repeat(70_000))
    expect(transport.ended).toBe(true)
  })

  test('holds the client back until the body is wanted, and while the application is slow', () => {
    const { transport, exchanges } = open()
    transport.receive('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nhello')
    expect(transport.paused).toBe(true)
    const seen = collect(exchanges[0]!)
    expect(seen.body).toBe('hello')
    expect(transport.paused).toBe(false)
    exchanges[0]!.pauseBody()
    expect(transport.paused).toBe(true)
    transport.receive('wor')
    expect(seen.body).toBe('hello')
    exchanges[0]!.resumeBody()
    expect(seen.body).toBe('hellowor')
    transport.receive('ld')
    expect(seen).toMatchObject({ body: 'helloworld', ended: true })
  })

  test('tells the application when the client reads too slowly and when it reads again', () => {
    const { transport, exchanges } = open()
    transport.receive(GET)
    const [exchange] = exchanges
    let writable = 0
    exchange!.onWritable = () => writable++
    exchange!.sendHead(200, new FieldList(), { kind: 'chunked' })
    transport.room = 0
    expect(exchange!.sendData(Buffer.from('event'))).toBe(false)
    transport.drain(100)
    expect(writable).toBe(1)
    expect(exchange!.sendData(Buffer.from('event'))).toBe(true)
  })

  test('still answers a client that has half-closed, then closes', () => {
    const { transport, exchanges } = open()
    transport.receive(GET)
    transport.peerEnds()
    answer(exchanges[0]!, 'late')
    expect(transport.written).toMatch(/connection: close\r\n.*late$/s)
    expect(transport.ended).toBe(true)
  })

  test('answers all pipelined requests of a client that has half-closed', () => {
    const { transport, exchanges } = open()
    transport.receive(GET.repeat(3))
    transport.peerEnds()
    for (let at = 0; at < 3; at++) answer(exchanges[at]!, `${at}`)
    const prompt = open({}, (exchange) => exchange.request.path === '/' || answer(exchange, 'at once'))
    prompt.transport.receive(GET + GET.replace('/', '/b').repeat(2))
    prompt.transport.peerEnds()
    answer(prompt.exchanges[0]!, 'later')
    expect(prompt.transport.written.match(/later|at once/g)).toHaveLength(3)
    expect(transport.written.match(/HTTP\/1.1 200/g)).toHaveLength(3)
    expect(transport.ended).toBe(true)
  })

  test('tells the application once when the client goes away, and ignores what comes after', () => {
    const { transport, exchanges } = open()
    transport.receive(GET)
    const [exchange] = exchanges
    const reasons: string[] = []
    exchange!.onAbort = (error) => reasons.push((error as { code?: string }).code ?? '')
    transport.closes()
    answer(exchange!, 'too late')
    expect(reasons).toEqual(['BW_HTTP_CLIENT_GONE'])
    expect(transport.written).toBe('')
  })

  test('answers refused bytes with problem details, closes its side and reads on for a while', async () => {
    const { transport, refused, timing } = open()
    transport.receive(
      'GET / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    expect(refused).toEqual(['BW_HTTP_FRAMING_AMBIGUOUS'])
    const [head, body] = transport.written.split('\r\n\r\n')
    expect(head).toMatch(/^HTTP\/1.1 400 Bad Request\r\n.*connection: close/s)
    expect(head).toContain(`content-length: ${body!.length}`)
    expect(JSON.parse(body!)).toMatchObject({
      status: 400,
      code: 'BW_HTTP_FRAMING_AMBIGUOUS',
      fault: 'caller',
    })
    expect(transport).toMatchObject({ ended: true, destroyed: false, paused: false })
    transport.receive(GET)
    await timing.advance(2_100)
    expect(transport.destroyed).toBe(true)
  })

  test('cuts a body at the limit of the application with 413', () => {
    const { transport, exchanges } = open({}, (exchange) => exchange.limitBody(4))
    transport.receive('POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n')
    const seen = collect(exchanges[0]!)
    transport.receive('5\r\nhello\r\n')
    expect(transport.written).toContain('HTTP/1.1 413 ')
    expect(seen).toMatchObject({ body: '', ended: false, error: expect.stringContaining('more than 4') })
  })

  test('cuts an answer that turns out shorter than announced, so that the client notices', () => {
    const { transport, exchanges } = open()
    transport.receive(GET)
    exchanges[0]!.sendHead(200, new FieldList(), { kind: 'length', bytes: 10 })
    exchanges[0]!.sendData(Buffer.from('short'))
    exchanges[0]!.sendEnd()
    expect(transport.destroyed).toBe(true)
  })

  test('writes framing and connection fields itself, whatever the application passes', () => {
    const { transport, exchanges } = open()
    transport.receive(GET)
    const fields = FieldList.from([
      ['Content-Length', '99'],
      ['Transfer-Encoding', 'chunked'],
      ['Connection', 'close'],
      ['X-Kept', 'yes'],
    ])
    exchanges[0]!.sendHead(200, fields, { kind: 'length', bytes: 0 })
    exchanges[0]!.sendEnd()
    expect(transport.written).toBe('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-kept: yes\r\n\r\n')
    expect(() => fields.set('x-evil', 'a\r\nb: c')).toThrow('holds a character')
  })

  test('hands the connection over after 101, with the bytes that came early', () => {
    const { transport, exchanges, timing } = open()
    transport.receive(
      'GET /chat HTTP/1.1\r\nHost: shop\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\nearly',
    )
    expect(exchanges[0]!.request.upgrade).toBe('websocket')
    const upgraded = exchanges[0]!.upgrade('websocket', FieldList.from([['Sec-WebSocket-Accept', 'abc']]))
    expect(transport.take()).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: abc\r\n\r\n',
    )
    const got: string[] = []
    upgraded.attach(
      {
        onBytes: (bytes) => got.push(Buffer.from(bytes).toString()),
        onDrain: () => undefined,
        onEnd: () => got.push('end'),
        onClose: () => got.push('close'),
      },
      timing.nowMs,
    )
    transport.receive('more')
    transport.peerEnds()
    transport.closes()
    expect(got).toEqual(['early', 'more', 'end', 'close'])
  })

  test('answers what was on its way when it drains, and closes', async () => {
    const { transport, connection, timing } = open({}, (exchange) => answer(exchange, 'a'))
    transport.receive(GET)
    connection.drain()
    await timing.advance(100)
    expect(transport.ended).toBe(false)
    transport.receive(GET)
    expect(transport.written.match(/HTTP\/1.1 200 /g)).toHaveLength(2)
    expect(transport.written).toContain('connection: close')
    expect(transport.ended).toBe(true)
  })

  test('drained in the middle of an answer that promised to stay, it answers the request that comes at once', async () => {
    const { transport, connection, exchanges, timing } = open()
    transport.receive(GET)
    const [long] = exchanges
    long!.sendHead(200, new FieldList(), { kind: 'chunked' })
    connection.drain()
    long!.sendEnd()
    expect(transport.written).not.toContain('connection: close')
    expect(transport.ended).toBe(false)
    transport.receive(GET)
    answer(exchanges[1]!, 'the last one')
    expect(transport.written).toMatch(/connection: close\r\n.*the last one$/s)
    expect(transport.ended).toBe(true)
    const silent = open()
    silent.transport.receive(GET)
    silent.exchanges[0]!.sendHead(200, new FieldList(), { kind: 'chunked' })
    silent.connection.drain()
    silent.exchanges[0]!.sendEnd()
    await silent.timing.advance(300)
    expect(silent.transport.ended).toBe(true)
    await timing.advance(0)
  })

  test('closes an idle connection soon when drained, and a busy one after its answer', async () => {
    const idle = open({}, (exchange) => answer(exchange, 'a'))
    idle.transport.receive(GET)
    idle.connection.drain()
    await idle.timing.advance(300)
    expect(idle.transport.ended).toBe(true)
    const busy = open()
    busy.transport.receive(GET)
    busy.connection.drain()
    expect(busy.transport.ended).toBe(false)
    answer(busy.exchanges[0]!, 'last')
    expect(busy.transport.written).toContain('connection: close')
    expect(busy.transport.ended).toBe(true)
  })
})
