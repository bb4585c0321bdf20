import { describe, expect, test } from 'vitest'

import { parseAnswers } from './support/answers.ts'
import { codeOf, pair, shop, silent } from './support/scenes.ts'
import { Stage, rawOrigin, reply } from './support/stage.ts'

describe('time', () => {
  test('that is up ends the wait with 504, and the upstream notices', async () => {
    const { stage, origin } = await shop({ route: { timeout: '200ms' } })
    silent(origin)
    const client = stage.send('GET /shop/1')
    stage.run(190)
    expect(client.received).toBe('')
    stage.run(30)
    expect(codeOf(parseAnswers(client.received)[0]?.body ?? '')).toBe('BW_GATEWAY_UPSTREAM_TIMEOUT')
    expect(origin.last.abortedMs).toBeLessThan(220)
  })

  test('for the whole answer counts from the request on, with and without an earlier limit', async () => {
    for (const timeout of ['100ms', false] as const) {
      const { stage, origin } = await shop({ route: { timeout, maxDuration: '300ms' } })
      silent(origin)
      const late = stage.ask('GET /shop/1', [], '', 500)
      expect(late.status).toBe(504)
      origin.respond = ({ exchange }) => {
        exchange.sendHead(200, exchange.request.fields, { kind: 'chunked' })
        exchange.sendData(Buffer.from('begun'))
      }
      const client = stage.send('GET /shop/1')
      stage.run(290)
      expect(client.isOpen).toBe(true)
      stage.run(30)
      expect(client.isOpen).toBe(false)
      expect(parseAnswers(client.received)[0]).toMatchObject({ body: 'begun', isWhole: false })
    }
  })

  test('for one try lets another begin', async () => {
    const { stage, a, b } = await pair({ route: { perTryTimeout: '50ms', retry: true } })
    let isFirst = true
    const once = ({ exchange }: { exchange: Parameters<typeof reply>[0] }): void => {
      if (!isFirst) reply(exchange, 200, 'second')
      isFirst = false
    }
    a.respond = once
    b.respond = once
    expect(stage.ask('GET /shop/1', [], '', 300).body).toBe('second')
    expect([a.count, b.count]).toEqual([1, 1])
  })

  test('to connect, to the first byte and between two bytes is limited each', async () => {
    const timeouts = { connect: '50ms', firstByte: '100ms', bodyIdle: '150ms' } as const
    const { stage, origin } = await shop({ upstream: { timeouts } })
    silent(origin)
    const client = stage.send('GET /shop/1')
    stage.run(95)
    expect(client.received).toBe('')
    stage.run(15)
    expect(parseAnswers(client.received)[0]?.status).toBe(504)
    origin.respond = ({ exchange }) => {
      exchange.sendHead(200, exchange.request.fields, { kind: 'chunked' })
      exchange.sendData(Buffer.from('x'))
    }
    const stream = stage.send('GET /shop/1')
    stage.run(140)
    expect(stream.isOpen).toBe(true)
    stage.run(30)
    expect(stream.isOpen).toBe(false)
    stage.network.setFaults('gateway', 'shop', { blackHoleRatio: 1 })
    const answer = stage.ask('GET /shop/1', [], '', 70)
    expect(answer.status).toBe(504)
    expect(codeOf(answer.body)).toBe('BW_HTTP_UPSTREAM_CONNECT_TIMEOUT')
  })
})

describe('a deadline that came with the request', () => {
  test.each(['-1', '1.5', '1e3', '0x10', '', '12345678901', 'soon'])(
    'is refused when it says %j',
    async (value) => {
      const { stage, origin } = await shop({ route: { deadline: true } })
      const answer = stage.ask('GET /shop/1', [`X-Request-Deadline-Ms: ${value}`])
      expect(answer.status).toBe(400)
      expect(origin.count).toBe(0)
    },
  )

  test('that has passed is answered without asking anybody', async () => {
    const { stage, origin } = await shop({ route: { deadline: true } })
    const answer = stage.ask('GET /shop/1', ['X-Request-Deadline-Ms: 0'])
    expect([answer.status, codeOf(answer.body)]).toEqual([504, 'BW_GATEWAY_DEADLINE_EXPIRED'])
    expect(origin.count).toBe(0)
  })

  test('is told to the upstream, smaller by what has passed, and never later than the route allows', async () => {
    const { stage, origin } = await pair({ route: { deadline: true, retry: true, timeout: '1s' } }).then(
      ({ stage: opened, a, b }) => ({ stage: opened, origin: [a, b] }),
    )
    for (const one of origin) one.respond = ({ exchange }) => reply(exchange, 503)
    stage.ask('GET /shop/1', ['X-Request-Deadline-Ms: 400'], '', 500)
    const seen = origin.flatMap((one) => one.seen).toSorted((x, y) => x.atMs - y.atMs)
    const told = seen.map(({ request }) => Number(request.fields.get('x-request-deadline-ms')))
    expect(told[0]).toBeLessThanOrEqual(400)
    expect(told[0]).toBeGreaterThan(390)
    for (let n = 1; n < told.length; n++) {
      const passedMs = (seen[n]?.atMs ?? 0) - (seen[n - 1]?.atMs ?? 0)
      expect(told[n]).toBeLessThanOrEqual((told[n - 1] ?? 0) - Math.floor(passedMs))
    }
    stage.ask('GET /shop/1', ['X-Request-Deadline-Ms: 99999'], '', 1500)
    const last = origin.flatMap((one) => one.seen).toSorted((x, y) => x.atMs - y.atMs)
    expect(Number(last[seen.length]?.request.fields.get('x-request-deadline-ms'))).toBeLessThanOrEqual(1000)
  })

  test('is only counted when the control is dark, and passed on as it came', async () => {
    const { stage, origin } = await shop({ route: { deadline: { mode: 'dark' } } })
    for (const value of ['soon', '0']) {
      expect(stage.ask('GET /shop/1', [`X-Request-Deadline-Ms: ${value}`]).status).toBe(200)
      expect(origin.last.request.fields.get('x-request-deadline-ms')).toBe(value)
    }
    expect(stage.metric('breakwater_route_events_total', 'event="deadline-')).toBe(2)
  })

  test('does not open the circuit for everybody when it is tiny', async () => {
    const { stage, origin } = await shop({
      upstream: { breaker: { minCalls: 5 } },
      route: { deadline: true },
    })
    origin.respond = ({ exchange }) => void stage.clock.schedule(50, () => reply(exchange, 200))
    expect(stage.ask('GET /shop/1').status).toBe(200)
    for (let n = 0; n < 20; n++) stage.ask('GET /shop/1', ['X-Request-Deadline-Ms: 5'])
    expect(stage.gateway.upstream('shop')?.breaker?.state(stage.clock.now()).kind).toBe('closed')
    // An upstream that hangs is found out all the same.
    silent(origin)
    for (let n = 0; n < 30; n++) stage.ask('GET /shop/1', ['X-Request-Deadline-Ms: 500'], '', 600)
    expect(stage.gateway.upstream('shop')?.breaker?.state(stage.clock.now()).kind).not.toBe('closed')
  })
})

describe('a client that goes away', () => {
  test('by a reset ends the work at the upstream within the time of the network', async () => {
    const { stage, origin } = await shop({ upstream: { breaker: { minCalls: 1, failureRatio: 0.1 } } })
    silent(origin)
    let cut = (): void => {}
    stage.host('client').connect(
      { host: 'gateway', port: 8080 },
      (transport) => {
        transport.write('GET /shop/1 HTTP/1.1\r\nHost: shop\r\n\r\n')
        cut = () => transport.destroy(true)
        return { onBytes() {}, onDrain() {}, onEnd() {}, onClose() {} }
      },
      () => {},
    )
    stage.run(20)
    const leftMs = stage.clock.now()
    cut()
    stage.run(20)
    expect((origin.last.abortedMs ?? Infinity) - leftMs).toBeLessThanOrEqual(2.1)
    expect(stage.gateway.upstream('shop')?.breaker?.state(stage.clock.now()).kind).toBe('closed')
    expect(stage.leftovers()).toMatchObject({ endpoints: 0, requests: 0 })
  })

  test('in peace ends it when the time for half-closed clients is over, and one that only stopped sending has it before', async () => {
    const { stage, origin } = await shop()
    silent(origin)
    const gone = stage.send('GET /shop/1')
    stage.run(10)
    gone.close()
    stage.run(4900)
    expect(origin.last.abortedMs).toBe(undefined)
    stage.run(200)
    expect(origin.last.abortedMs).toBeDefined()
    expect(stage.gateway.status().listeners[0]?.connections).toBe(0)
  })
})

describe('retries', () => {
  test('ask another endpoint first, after a random part of a bound that doubles', async () => {
    const delays: number[][] = []
    for (let seed = 1; seed <= 25; seed++) {
      const { stage, a, b } = await pair({ route: { retry: { backoff: { base: '100ms' } } } }, { seed })
      for (const one of [a, b]) one.respond = ({ exchange }) => reply(exchange, 503)
      expect(stage.ask('GET /shop/1', [], '', 1000).status).toBe(503)
      const seen = [...a.seen, ...b.seen].toSorted((x, y) => x.atMs - y.atMs)
      expect(seen).toHaveLength(3)
      expect(a.seen.includes(seen[0] as never)).not.toBe(a.seen.includes(seen[1] as never))
      delays.push(seen.slice(1).map(({ atMs }, n) => atMs - (seen[n]?.atMs ?? 0)))
    }
    const firsts = delays.map(([first]) => first ?? 0)
    const seconds = delays.map(([, second]) => second ?? 0)
    // Two trips through the network and a slot of the wheel come on top.
    expect(Math.max(...firsts)).toBeLessThan(100 + 20)
    expect(Math.min(...firsts)).toBeLessThan(30)
    expect(Math.max(...seconds)).toBeGreaterThan(110)
    expect(Math.max(...seconds)).toBeLessThan(200 + 20)
  })

  test('are for what is safe to repeat: never for a write that was sent, always for what never left', async () => {
    const { stage, origin } = await shop({ route: { retry: true } })
    origin.respond = ({ exchange }) => reply(exchange, 503)
    expect(stage.ask('POST /shop/1', [], 'x', 500).status).toBe(503)
    expect(origin.count).toBe(1)
    stage.ask('PUT /shop/1', [], 'x', 500)
    expect(origin.count).toBe(4)
    stage.ask('POST /shop/1', ['Idempotency-Key: k'], 'x', 500)
    expect(origin.count).toBe(7)
    origin.respond = ({ exchange }) => reply(exchange, 200, 'done')
    stage.network.setFaults('gateway', 'shop', { refuseRatio: 0.5, latencyMs: 1 })
    let isAllServed = true
    for (let n = 0; n < 10; n++) {
      const before = origin.count
      const { status } = stage.ask('POST /shop/1', ['Connection: close'], 'x', 500)
      isAllServed &&= status === 200 || origin.count === before
    }
    expect(isAllServed).toBe(true)
  })

  test('send the body again up to the limit and no further', async () => {
    const { stage, origin } = await shop({ route: { retry: { maxReplay: '1KiB' } } })
    origin.respond = ({ exchange }) => (origin.count % 2 === 1 ? reply(exchange, 503) : reply(exchange, 200))
    const small = 'abc'.repeat(300)
    expect(stage.ask('PUT /shop/1', [], small, 500).status).toBe(200)
    expect(origin.seen.map(({ body }) => body)).toEqual([small, small])
    expect(stage.ask('PUT /shop/1', [], 'x'.repeat(1025), 500).status).toBe(503)
    expect(origin.count).toBe(3)
    expect(stage.metric('breakwater_retries_suppressed_total', 'reason="not-replayable"')).toBe(1)
  })

  test('wait as long as the upstream asks for, and not at all when that is too long', async () => {
    const { stage, origin } = await shop({ route: { retry: { maxRetryAfter: '2s' } } })
    origin.respond = ({ exchange }) =>
      origin.count === 1 ? reply(exchange, 503, '', { 'retry-after': '1' }) : reply(exchange, 200)
    expect(stage.ask('GET /shop/1', [], '', 3000).status).toBe(200)
    expect((origin.seen[1]?.atMs ?? 0) - (origin.seen[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(1000)
    origin.respond = ({ exchange }) => reply(exchange, 503, '', { 'retry-after': '60' })
    const answer = stage.ask('GET /shop/1', [], '', 3000)
    expect(answer.fields.get('retry-after')).toBe('60')
    expect(origin.count).toBe(3)
  })

  test('stop when the budget is used up, and say so', async () => {
    const { stage, origin } = await shop({
      upstream: { retryBudget: { ratio: 0.1, min: '1/s' } },
      route: { retry: { backoff: { base: '1ms' } } },
    })
    origin.respond = ({ exchange }) => reply(exchange, 503)
    for (let n = 0; n < 50; n++) stage.ask('GET /shop/1', [], '', 20)
    expect(origin.count).toBeLessThan(50 + 20)
    expect(stage.metric('breakwater_retries_suppressed_total', 'reason="budget"')).toBeGreaterThan(30)
  })

  test('never follow once the client has seen the beginning of an answer', async () => {
    const stage = await Stage.open({ services: { shop: { route: { retry: true } } } })
    let count = 0
    await rawOrigin(stage, 'shop', (transport) => {
      count++
      transport.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')
      stage.clock.schedule(10, () => transport.destroy(true))
    })
    const client = stage.send('GET /shop/1')
    stage.run(500)
    expect(count).toBe(1)
    expect(parseAnswers(client.received)[0]).toMatchObject({ body: 'half', isWhole: false })
    expect(client.isOpen).toBe(false)
  })

  test('are only counted when they are dark', async () => {
    const { stage, origin } = await shop({ route: { retry: { mode: 'dark' } } })
    origin.respond = ({ exchange }) => reply(exchange, 503)
    stage.ask('GET /shop/1', [], '', 500)
    expect(origin.count).toBe(1)
    expect(stage.metric('breakwater_retries_suppressed_total', 'reason="dark"')).toBe(1)
  })
})
