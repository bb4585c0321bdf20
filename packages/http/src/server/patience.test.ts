import { describe, expect, test } from 'vitest'
import { GET, answer, collect, open } from '../../test/support/served.ts'
import { FieldList } from '../fields.ts'

describe('the patience of a server connection', () => {
  test('ends without a word for a client that never speaks', async () => {
    const { transport, timing } = open({ firstByteTimeoutMs: 500 })
    await timing.advance(520)
    expect(transport).toMatchObject({ written: '', ended: true })
  })

  test('ends with 408 for a head that trickles in, however lively the trickle', async () => {
    const { transport, timing, refused } = open({ headTimeoutMs: 1_000 })
    for (let at = 0; at < 12; at++) {
      transport.receive(GET.slice(at, at + 1))
      await timing.advance(100)
    }
    expect(transport.written).toMatch(/^HTTP\/1.1 408 /)
    expect(refused).toEqual(['BW_HTTP_REQUEST_TIMEOUT'])
  })

  test('ends with 408 for a body that falls silent', async () => {
    const { transport, timing, exchanges } = open({ bodyIdleTimeoutMs: 1_000, minBytesPerSecond: 0 })
    transport.receive('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nhello')
    const seen = collect(exchanges[0]!)
    await timing.advance(900)
    transport.receive('w')
    await timing.advance(900)
    expect(transport.written).toBe('')
    await timing.advance(200)
    expect(transport.written).toMatch(/^HTTP\/1.1 408 /)
    expect(seen.error).toContain('no byte of the body for 1000 ms')
  })

  test('ends with 408 for a body that is slower than the least rate, although it never falls silent', async () => {
    const { transport, timing, exchanges } = open({ minBytesPerSecond: 100, rateWindowMs: 2_000 })
    transport.receive('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000\r\n\r\n')
    collect(exchanges[0]!)
    for (let at = 0; at < 25 && transport.written === ''; at++) {
      transport.receive('x')
      await timing.advance(100)
    }
    expect(transport.written).toMatch(/^HTTP\/1.1 408 /)
  })

  test('does not blame the client for time in which we held it back', async () => {
    const { transport, timing, exchanges } = open({ bodyIdleTimeoutMs: 1_000, rateWindowMs: 1_000 })
    transport.receive('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n')
    collect(exchanges[0]!)
    exchanges[0]!.pauseBody()
    await timing.advance(10_000)
    expect(transport.written).toBe('')
  })

  test('closes a connection that stays unused, and never one that waits for its answer', async () => {
    const { transport, timing, exchanges } = open({ keepAliveTimeoutMs: 3_000 })
    transport.receive(GET)
    await timing.advance(60_000)
    expect(transport.ended).toBe(false)
    answer(exchanges[0]!, 'slow')
    await timing.advance(2_900)
    expect(transport.ended).toBe(false)
    await timing.advance(200)
    expect(transport.ended).toBe(true)
  })

  test('cuts a client that takes nothing of its answer, and spares one that takes enough', async () => {
    const slow = open({ writeStallTimeoutMs: 1_000, minBytesPerSecond: 100 })
    slow.transport.room = 0
    slow.transport.receive(GET)
    let aborted = ''
    slow.exchanges[0]!.onAbort = (error) => (aborted = error.message)
    slow.exchanges[0]!.sendHead(200, new FieldList(), { kind: 'length', bytes: 5_000 })
    slow.exchanges[0]!.sendData(Buffer.alloc(5_000))
    for (let at = 0; at < 5; at++) {
      await slow.timing.advance(500)
      slow.transport.drain(100)
    }
    expect(slow.transport.destroyed).toBe(false)
    await slow.timing.advance(1_100)
    await slow.timing.advance(1_100)
    expect(slow.transport.destroyed).toBe(true)
    expect(aborted).toContain('the client took')
    expect(slow.refused).toEqual(['BW_HTTP_CLIENT_STALLED'])
  })

  test('leaves nothing in the wheel when it is gone', () => {
    const { transport, timing } = open({}, (exchange) => answer(exchange, 'a'))
    transport.receive(GET)
    expect(timing.wheel.size).toBeGreaterThan(0)
    transport.closes()
    expect(timing.wheel.size).toBe(0)
  })
})
