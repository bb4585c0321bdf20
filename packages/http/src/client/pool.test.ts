import { describe, expect, test } from 'vitest'
import { OK, init, start } from '../../test/support/pool.ts'
import { FieldList } from '../fields.ts'

describe('a pool', () => {
  test('writes the request when the connection opens and delivers the answer', () => {
    const { driver, send, pool } = start()
    const { answer } = send(init({ target: '/a?b', fields: FieldList.from([['Accept', '*/*']]) }))
    const transport = driver.connects[0]!.open()
    expect(transport.written).toBe('GET /a?b HTTP/1.1\r\nhost: catalog\r\naccept: */*\r\n\r\n')
    transport.receive(OK)
    expect(answer).toMatchObject({ body: 'ok', ended: 1, code: '' })
    expect(pool.counters).toMatchObject({ open: 1, idle: 1, connecting: 0, pending: 0 })
  })

  test('delivers a body to whom it was told to, and never the body of a later request', () => {
    const { driver, send } = start()
    const first = send()
    const transport = driver.connects[0]!.open()
    const got: string[] = []
    const sink = { onData: (chunk: Uint8Array) => void got.push(Buffer.from(chunk).toString()) }
    transport.receive('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na')
    first.exchange.deliverTo(sink)
    transport.receive('bcd')
    expect(first.answer).toMatchObject({ body: 'a', ended: 1 })
    const second = send()
    first.exchange.deliverTo(sink)
    transport.receive(OK)
    expect(second.answer).toMatchObject({ body: 'ok', ended: 1 })
    expect(got).toEqual(['bcd'])
  })

  test('gives a connection that replaces a silent one all its time to be made', async () => {
    const { driver, send } = start({ maxConnections: 1, connectTimeoutMs: 100, pendingTimeoutMs: 60_000 })
    const silent = send()
    driver.connects[0]!.open()
    const waiting = send()
    await driver.advance(5_000)
    silent.exchange.abort()
    await driver.advance(90)
    expect(waiting.answer.code).toBe('')
    driver.connects[1]!.open().receive(OK)
    expect(waiting.answer).toMatchObject({ body: 'ok', ended: 1 })
  })

  test('uses the connection that became idle last', () => {
    const { driver, send } = start()
    send()
    send()
    const [first, second] = driver.connects.map((connect) => connect.open())
    second!.receive(OK)
    first!.receive(OK)
    first!.take()
    send()
    expect(first!.take()).toContain('GET / ')
    expect(driver.connects).toHaveLength(2)
  })

  test('opens no more connections than allowed, lets the next wait, and refuses when too many wait', () => {
    const { driver, send, pool } = start({ maxConnections: 1, maxPending: 1 })
    send()
    const transport = driver.connects[0]!.open()
    const waiting = send()
    expect(() => send()).toThrow('1 connections are busy and 1 requests wait')
    expect(pool.counters).toMatchObject({ open: 1, pending: 1, refusalsTotal: 1 })
    transport.take()
    transport.receive(OK)
    expect(transport.take()).toContain('GET / ')
    transport.receive(OK)
    expect(waiting.answer.ended).toBe(1)
  })

  test('gives up on a request that waited too long, and knows that nothing of it was sent', async () => {
    const { driver, send, pool } = start({ maxConnections: 1, pendingTimeoutMs: 200 })
    send()
    driver.connects[0]!.open()
    const { answer } = send()
    await driver.advance(220)
    expect(answer).toMatchObject({
      code: 'BW_HTTP_POOL_TIMEOUT',
      progress: { bytesSent: false, responseStarted: false },
    })
    expect(pool.counters).toMatchObject({ pending: 0, pendingTimeoutsTotal: 1 })
  })

  test('forgets a waiting request that is aborted, without a call', async () => {
    const { driver, send, pool } = start({ maxConnections: 1 })
    send()
    driver.connects[0]!.open()
    const { answer, exchange } = send()
    exchange.abort()
    await driver.advance(5_000)
    expect(pool.counters.pending).toBe(0)
    expect(answer).toMatchObject({ code: '', ended: 0 })
  })

  test('names an upstream that cannot be reached', () => {
    const { driver, send } = start()
    const { answer } = send()
    driver.connects[0]!.fail('connect ECONNREFUSED')
    expect(answer).toMatchObject({ code: 'BW_HTTP_UPSTREAM_UNREACHABLE', progress: { bytesSent: false } })
  })

  test('gives up a connection attempt after its time, and tries anew for those who still wait', async () => {
    const { driver, send } = start({ maxConnections: 1, connectTimeoutMs: 300, pendingTimeoutMs: 5_000 })
    const first = send()
    const second = send()
    await driver.advance(320)
    expect(driver.connects[0]!.cancelled).toBe(true)
    expect(first.answer.code).toBe('BW_HTTP_UPSTREAM_CONNECT_TIMEOUT')
    driver.connects[1]!.open().receive(OK)
    expect(second.answer.ended).toBe(1)
  })

  test('closes a connection that stays unused', async () => {
    const { driver, warm, pool } = start({ keepAliveTimeoutMs: 1_000 })
    const transport = warm()
    await driver.advance(1_020)
    expect(transport.destroyed).toBe(true)
    expect(pool.counters).toMatchObject({ open: 0, idle: 0 })
  })

  test('drops an idle connection that the upstream closes, and one that speaks unasked', () => {
    const { warm, pool } = start()
    const closing = warm()
    closing.peerEnds()
    expect(pool.counters.open).toBe(0)
    const speaking = warm()
    speaking.receive('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil')
    expect(speaking.destroyed).toBe(true)
    expect(pool.counters.open).toBe(0)
  })

  test('does not reuse a connection whose answer was followed by more bytes', () => {
    const { driver, send, pool } = start()
    const { answer } = send()
    const transport = driver.connects[0]!.open()
    transport.receive(`${OK}HTTP/1.1 200 OK\r\n`)
    expect(answer).toMatchObject({ body: 'ok', ended: 1 })
    expect(transport.destroyed).toBe(true)
    expect(pool.counters.open).toBe(0)
  })

  test('closes after an answer that says so, or that ends with the connection', () => {
    const { driver, send } = start()
    const asked = send()
    const first = driver.connects[0]!.open()
    first.receive('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    expect(first.destroyed).toBe(true)
    expect(asked.answer.ended).toBe(1)
    const open = send()
    const second = driver.connects[1]!.open()
    second.receive('HTTP/1.0 200 OK\r\n\r\nall of')
    second.receive(' it')
    expect(open.answer.ended).toBe(0)
    second.peerEnds()
    expect(open.answer).toMatchObject({ body: 'all of it', ended: 1, code: '' })
  })

  test('takes no more requests when closed, and finishes those under way', () => {
    const { driver, send, pool } = start({ maxConnections: 1 })
    const busy = send()
    const transport = driver.connects[0]!.open()
    const waiting = send()
    pool.close()
    expect(waiting.answer.code).toBe('BW_HTTP_POOL_CLOSED')
    expect(() => send()).toThrow('closed')
    transport.receive(OK)
    expect(busy.answer.ended).toBe(1)
    expect(transport.destroyed).toBe(true)
    transport.closes()
    expect(driver.wheel.size).toBe(0)
  })
})

describe('a request that meets a stale connection', () => {
  test('is sent again, once, on a new connection when it may safely happen twice', () => {
    const { driver, send, warm, pool } = start()
    const stale = warm()
    const { answer } = send()
    stale.closes(new Error('read ECONNRESET'))
    expect(answer.code).toBe('')
    const fresh = driver.connects[1]!.open()
    expect(fresh.written).toContain('GET / ')
    fresh.receive(OK)
    expect(answer).toMatchObject({ body: 'ok', ended: 1 })
    expect(pool.counters.replaysTotal).toBe(1)
  })

  test('is sent again even when the pool allows a single connection', () => {
    const { driver, send, warm } = start({ maxConnections: 1 })
    const stale = warm()
    const { answer } = send()
    stale.peerEnds()
    driver.connects[1]!.open().receive(OK)
    expect(answer.ended).toBe(1)
  })

  test.each([
    ['a POST', init({ method: 'POST', framing: { kind: 'length', bytes: 0 } })],
    ['a PUT with a body', init({ method: 'PUT', framing: { kind: 'length', bytes: 2 } })],
  ])('is not sent again when it is %s: the upstream may have acted on it', (_name, request) => {
    const { driver, send, warm } = start()
    const stale = warm()
    const { answer, exchange } = send(request)
    if (request.method === 'PUT') exchange.sendData(Buffer.from('hi'))
    stale.closes()
    expect(answer).toMatchObject({
      code: 'BW_HTTP_UPSTREAM_CLOSED',
      progress: { bytesSent: true, responseStarted: false },
    })
    expect(driver.connects).toHaveLength(1)
  })

  test('is not sent again on a connection that was never used before, nor after the first byte of an answer', () => {
    const { driver, send, warm } = start()
    const unused = send()
    driver.connects[0]!.open().closes()
    expect(unused.answer.code).toBe('BW_HTTP_UPSTREAM_CLOSED')
    const transport = warm()
    const { answer } = send()
    transport.receive('HTTP/1.1 20')
    transport.closes()
    expect(answer.code).toBe('BW_HTTP_UPSTREAM_CLOSED')
    expect(driver.connects).toHaveLength(2)
  })
})
