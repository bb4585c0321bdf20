import { describe, expect, test } from 'vitest'
import { OK, init, start } from '../../test/support/pool.ts'
import { FieldList } from '../fields.ts'
import type { RequestInit } from '../messages.ts'
import type { PoolOptions } from './options.ts'

describe('an exchange with an upstream', () => {
  function begin(request?: RequestInit, options?: PoolOptions) {
    const started = start(options)
    const sent = started.send(request)
    return { ...started, ...sent, transport: started.driver.connects[0]!.open() }
  }

  test('copies a body that comes before the connection, and says when there is room', () => {
    const { driver, send } = start()
    const { answer, exchange } = send(init({ method: 'POST', framing: { kind: 'chunked' } }))
    const chunk = Buffer.from('hello')
    expect(exchange.sendData(chunk)).toBe(false)
    chunk.fill('x')
    const transport = driver.connects[0]!.open()
    expect(answer.writable).toBe(1)
    exchange.sendEnd(FieldList.from([['X-Sum', '1']]))
    expect(transport.written).toMatch(
      /transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n$/,
    )
  })

  test('holds an upload back while the upstream does not read, and fails it when that lasts', async () => {
    const request = init({ method: 'POST', framing: { kind: 'length', bytes: 100 } })
    const { driver, transport, exchange, answer } = begin(request, { idleTimeoutMs: 1_000 })
    transport.room = 0
    expect(exchange.sendData(Buffer.alloc(50))).toBe(false)
    transport.drain(50)
    expect(answer.writable).toBe(1)
    transport.room = 0
    exchange.sendData(Buffer.alloc(10))
    await driver.advance(500)
    transport.drain(10)
    await driver.advance(5_000)
    expect(answer.code).toBe('')
    transport.room = 0
    exchange.sendData(Buffer.alloc(10))
    await driver.advance(1_020)
    expect(answer.code).toBe('BW_HTTP_UPSTREAM_IDLE_TIMEOUT')
  })

  test('passes 1xx heads on and waits for the final one', () => {
    const { transport, answer } = begin()
    transport.receive(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`)
    expect(answer).toMatchObject({ early: [103], body: 'ok', ended: 1 })
  })

  test('reads on when it is paused and resumed while a piece is delivered', () => {
    const { transport, exchange } = begin()
    transport.receive('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n')
    exchange.deliverTo({
      onData() {
        exchange.pauseBody()
        exchange.resumeBody()
      },
    })
    transport.receive('ab')
    expect(transport.paused).toBe(false)
  })

  test('stops reading while paused, and loses nothing', () => {
    const { transport, answer, exchange } = begin()
    exchange.pauseBody()
    expect(transport.paused).toBe(true)
    transport.receive(OK)
    transport.peerEnds()
    expect(answer.head).toBeUndefined()
    exchange.resumeBody()
    expect(answer).toMatchObject({ body: 'ok', ended: 1, code: '' })
  })

  test('reads on after an answer that ended in the read in which it was paused, and heeds no late pause', () => {
    const { transport, answer, exchange, send } = begin()
    answer.onData = () => exchange.pauseBody()
    transport.receive(OK)
    expect(answer.ended).toBe(1)
    expect(transport.paused).toBe(false)
    const second = send()
    exchange.pauseBody()
    transport.receive(OK)
    expect(second.answer).toMatchObject({ body: 'ok', ended: 1 })
  })

  test('fails when the first byte is late, or the answer falls silent', async () => {
    const late = begin(undefined, { firstByteTimeoutMs: 500 })
    await late.driver.advance(520)
    expect(late.answer).toMatchObject({
      code: 'BW_HTTP_UPSTREAM_FIRST_BYTE_TIMEOUT',
      progress: { responseStarted: false },
    })
    expect(late.transport.destroyed).toBe(true)
    const silent = begin(undefined, { idleTimeoutMs: 500 })
    silent.transport.receive('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')
    await silent.driver.advance(520)
    expect(silent.answer).toMatchObject({
      code: 'BW_HTTP_UPSTREAM_IDLE_TIMEOUT',
      progress: { responseStarted: true },
    })
  })

  test('counts silence from the last piece that came, however many came before', async () => {
    const { driver, transport, answer } = begin(undefined, { idleTimeoutMs: 500 })
    transport.receive('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n')
    for (const piece of 'half') {
      await driver.advance(400)
      transport.receive(piece)
    }
    await driver.advance(480)
    expect(answer).toMatchObject({ body: 'half', code: '' })
    await driver.advance(40)
    expect(answer.code).toBe('BW_HTTP_UPSTREAM_IDLE_TIMEOUT')
  })

  test('does not blame the upstream for time in which we did not read', async () => {
    const { driver, transport, answer, exchange } = begin(undefined, { idleTimeoutMs: 500 })
    transport.receive('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')
    exchange.pauseBody()
    await driver.advance(5_000)
    expect(answer.code).toBe('')
    exchange.resumeBody()
    await driver.advance(520)
    expect(answer.code).toBe('BW_HTTP_UPSTREAM_IDLE_TIMEOUT')
  })

  test('fails an answer that is cut short or malformed, and names the rule', () => {
    const cut = begin()
    cut.transport.receive('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')
    cut.transport.peerEnds()
    expect(cut.answer.code).toBe('BW_HTTP_RESPONSE_INCOMPLETE')
    const smuggled = begin()
    let rule: unknown
    smuggled.answer.onError = (error: { code: string; details?: Readonly<Record<string, unknown>> }) => {
      rule = error.details?.['rule']
    }
    smuggled.transport.receive('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n')
    expect(rule).toBe('BW_HTTP_FRAMING_AMBIGUOUS')
    expect(smuggled.transport.destroyed).toBe(true)
  })

  test('knows that no body follows an answer to HEAD', () => {
    const { transport, answer, pool } = begin(init({ method: 'HEAD' }))
    transport.receive('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n')
    expect(answer).toMatchObject({ ended: 1, body: '' })
    expect(answer.head!.declaredLength).toBe(500)
    expect(pool.counters.idle).toBe(1)
  })

  test('closes the connection of an aborted request so that the upstream notices', () => {
    const { transport, answer, exchange, pool } = begin()
    exchange.abort()
    expect(transport.destroyed).toBe(true)
    expect(answer.code).toBe('')
    expect(pool.counters.open).toBe(0)
  })

  test('does not reuse a connection when the answer came before the request was complete', () => {
    const { transport, answer, exchange } = begin(
      init({ method: 'POST', framing: { kind: 'length', bytes: 100 } }),
    )
    exchange.sendData(Buffer.alloc(10))
    transport.receive('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n')
    expect(answer.ended).toBe(1)
    expect(transport.destroyed).toBe(true)
  })

  test('hands the connection over after 101', () => {
    const { transport, answer, driver } = begin(init({ upgrade: 'websocket' }))
    expect(transport.written).toContain('connection: upgrade\r\nupgrade: websocket\r\n')
    transport.receive(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nfirst frame',
    )
    const got: string[] = []
    answer.upgraded!.attach(
      {
        onBytes: (bytes) => got.push(Buffer.from(bytes).toString()),
        onDrain() {},
        onEnd() {},
        onClose: () => got.push('close'),
      },
      driver.nowMs,
    )
    transport.closes()
    expect(got).toEqual(['first frame', 'close'])
  })
})
