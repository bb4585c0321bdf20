import { describe, expect, test } from 'vitest'

import { parseAnswers } from './support/answers.ts'
import { Origin, Stage, rawOrigin, reply } from './support/stage.ts'

type Settings = NonNullable<Parameters<typeof Stage.open>[0]['services']['x']>

async function shop(settings: Settings = {}, more: Partial<Parameters<typeof Stage.open>[0]> = {}) {
  const stage = await Stage.open({ services: { shop: settings }, ...more })
  const origin = await Origin.open(stage, 'shop')
  return { stage, origin }
}

async function pair(settings: Settings = {}, more: Partial<Parameters<typeof Stage.open>[0]> = {}) {
  const upstream = { endpoints: ['a:80', 'b:80'], ...settings.upstream }
  const stage = await Stage.open({ services: { shop: { ...settings, upstream } }, ...more })
  return { stage, a: await Origin.open(stage, 'a'), b: await Origin.open(stage, 'b') }
}

const codeOf = (body: string): unknown => (JSON.parse(body) as { code: unknown }).code
const silent = (origin: Origin): void => {
  origin.respond = () => {}
}

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

  test('in peace ends it a second later; one that only stopped sending has its answer before', async () => {
    const { stage, origin } = await shop()
    silent(origin)
    const gone = stage.send('GET /shop/1')
    stage.run(10)
    gone.close()
    stage.run(900)
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

describe('the breaker', () => {
  const breaker = { minCalls: 4, openFor: '1s', probes: 1 } as const
  const stateOf = (stage: Stage) => stage.gateway.upstream('shop')?.breaker?.state(stage.clock.now()).kind

  test('opens, refuses with Retry-After, lets one probe through and closes again', async () => {
    const { stage, origin } = await shop({ upstream: { breaker } })
    origin.respond = ({ exchange }) => reply(exchange, 500)
    for (let n = 0; n < 4; n++) stage.ask('GET /shop/1')
    const refused = stage.ask('GET /shop/1')
    expect([refused.status, codeOf(refused.body)]).toEqual([503, 'BW_GATEWAY_CIRCUIT_OPEN'])
    expect(Number(refused.fields.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(origin.count).toBe(4)
    stage.run(2000)
    origin.respond = ({ exchange }) => void stage.clock.schedule(100, () => reply(exchange, 200))
    const clients = Array.from({ length: 5 }, () => stage.send('GET /shop/1'))
    stage.run(200)
    expect(clients.map(({ received }) => received.slice(9, 12)).toSorted()).toEqual([
      '200',
      '503',
      '503',
      '503',
      '503',
    ])
    expect(origin.count).toBe(5)
    expect(stateOf(stage)).toBe('closed')
  })

  test('does not count what the caller did wrong, asked in vain or gave up', async () => {
    const { stage, origin } = await shop({ upstream: { breaker } })
    for (const status of [400, 404, 422, 429]) {
      origin.respond = ({ exchange }) =>
        reply(exchange, status, '', status === 429 ? { 'retry-after': '1' } : {})
      for (let n = 0; n < 10; n++) expect(stage.ask('GET /shop/1').status).toBe(status)
    }
    silent(origin)
    for (let n = 0; n < 10; n++) {
      stage.send('GET /shop/1').close()
      stage.run(10)
    }
    stage.run(2000)
    expect(stateOf(stage)).toBe('closed')
  })

  test('only counts when it is dark', async () => {
    const { stage, origin } = await shop({ upstream: { breaker: { ...breaker, mode: 'dark' } } })
    origin.respond = ({ exchange }) => reply(exchange, 500)
    for (let n = 0; n < 10; n++) expect(stage.ask('GET /shop/1').status).toBe(500)
    expect(origin.count).toBe(10)
  })
})

describe('a place at the upstream', () => {
  test('is waited for no longer than allowed, with and without shedding, although nobody leaves', async () => {
    for (const shed of [false, true]) {
      const bulkhead = { maxConcurrent: 1, maxQueue: 5, maxWait: '100ms' as const }
      const { stage, origin } = await shop({ upstream: { bulkhead } }, { rest: { shed } })
      silent(origin)
      stage.send('GET /shop/1')
      stage.run(10)
      const waiting = stage.send('GET /shop/2')
      stage.run(90)
      expect(waiting.received).toBe('')
      stage.run(30)
      expect(parseAnswers(waiting.received)[0]?.status).toBe(503)
      expect(stage.leftovers()).toMatchObject({ queued: 0, bulkheads: 1 })
    }
  })

  test('goes to the next in the queue, and is given up by those who leave it', async () => {
    const bulkhead = { maxConcurrent: 1, maxQueue: 2, maxWait: '5s' as const }
    const { stage, origin } = await shop({ upstream: { bulkhead } })
    origin.respond = ({ exchange }) => void stage.clock.schedule(100, () => reply(exchange, 200))
    const clients = [1, 2, 3].map((n) => stage.send(`GET /shop/${n}`))
    stage.run(20)
    expect(stage.ask('GET /shop/4', [], '', 20).status).toBe(503)
    clients[1]?.close()
    stage.run(3000)
    expect(origin.seen.map(({ request }) => request.path)).toContain('/shop/3')
    expect(stage.leftovers()).toMatchObject({ queued: 0, bulkheads: 0 })
  })

  test('is not needed when the bulkhead is dark', async () => {
    const bulkhead = { mode: 'dark', maxConcurrent: 1, maxQueue: 0 } as const
    const { stage, origin } = await shop({ upstream: { bulkhead } })
    silent(origin)
    for (let n = 0; n < 5; n++) stage.send('GET /shop/1')
    stage.run(20)
    expect(origin.count).toBe(5)
  })
})

describe('a hedge', () => {
  const route = { hedge: { minSamples: 10, minDelay: '10ms' as const, percentile: 0.9 } }

  async function warm(settings: Settings = { route }) {
    const world = await pair(settings)
    for (const one of [world.a, world.b]) one.respond = ({ exchange }) => reply(exchange, 200, 'quick')
    for (let n = 0; n < 20; n++) world.stage.ask('GET /shop/1', [], '', 20)
    const before = world.a.count + world.b.count
    return { ...world, before }
  }

  test('asks the other endpoint, the first answer wins, the other is called off', async () => {
    const { stage, a, b, before } = await warm()
    silent(a)
    silent(b)
    const client = stage.send('GET /shop/1')
    stage.run(60)
    expect(a.count + b.count).toBe(before + 2)
    const second = a.last.atMs > b.last.atMs ? a.last : b.last
    const first = second === a.last ? b.last : a.last
    reply(second.exchange, 200, 'hedge')
    stage.run(20)
    expect(parseAnswers(client.received)).toMatchObject([{ status: 200, body: 'hedge' }])
    expect(first.abortedMs).toBeDefined()
    expect(stage.leftovers()).toMatchObject({ endpoints: 0 })
  })

  test('gives way to a plain refusal that comes first, and outlives a failure', async () => {
    for (const [status, expected] of [
      [404, 404],
      [500, 200],
    ]) {
      const { stage, a, b } = await warm()
      silent(a)
      silent(b)
      const client = stage.send('GET /shop/1')
      stage.run(60)
      reply(a.last.exchange, status ?? 0)
      stage.run(20)
      reply(b.last.exchange, 200)
      stage.run(20)
      expect(parseAnswers(client.received)[0]?.status).toBe(expected)
    }
  })

  test('is never sent for a write, an upgrade, nor when it is dark', async () => {
    const upgrade = { protocols: ['websocket' as const] }
    const { stage, a, b, before } = await warm({ route: { ...route, upgrade } })
    silent(a)
    silent(b)
    stage.send('POST /shop/1', [], 'x')
    stage.send('GET /shop/1', [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Key: x',
      'Sec-WebSocket-Version: 13',
    ])
    stage.run(200)
    expect(a.count + b.count).toBe(before + 2)
    const dark = await warm({ route: { hedge: { ...route.hedge, mode: 'dark' } } })
    silent(dark.a)
    silent(dark.b)
    dark.stage.send('GET /shop/1')
    dark.stage.run(200)
    expect(dark.a.count + dark.b.count).toBe(dark.before + 1)
    expect(dark.stage.metric('breakwater_route_events_total', 'event="hedge"')).toBeGreaterThanOrEqual(1)
  })
})

describe('health checks', () => {
  const healthCheck = {
    interval: '100ms',
    timeout: '50ms',
    healthyThreshold: 2,
    unhealthyThreshold: 2,
  } as const

  test('take out what does not answer, bring it back, and readiness follows', async () => {
    const { stage, origin } = await shop({ upstream: { healthCheck } })
    let isUp = true
    origin.respond = ({ exchange }) => (isUp ? reply(exchange, 200) : reply(exchange, 500))
    stage.run(500)
    expect(origin.last.request.path).toBe('/healthz')
    expect(stage.gateway.isReady).toBe(true)
    isUp = false
    stage.run(500)
    expect(stage.gateway.isReady).toBe(false)
    const refused = stage.ask('GET /shop/1')
    expect([refused.status, codeOf(refused.body)]).toEqual([503, 'BW_GATEWAY_NO_ENDPOINT'])
    expect(refused.fields.has('retry-after')).toBe(true)
    isUp = true
    stage.run(500)
    expect(stage.gateway.isReady).toBe(true)
    expect(stage.ask('GET /shop/1').status).toBe(200)
  })

  test('of an optional upstream do not make the gateway unready; dark ones take nothing out', async () => {
    for (const upstream of [
      { healthCheck, optional: true },
      { healthCheck: { ...healthCheck, mode: 'dark' as const } },
    ]) {
      const { stage, origin } = await shop({ upstream })
      silent(origin)
      stage.run(1000)
      expect(stage.gateway.isReady).toBe(true)
      expect(stage.gateway.upstream('shop')?.isHealthy).toBe(!('optional' in upstream))
    }
  })
})

test('an endpoint that fails much is left out until its time is over', async () => {
  const outlierEjection = { consecutiveFailures: 3, baseEjection: '5s' } as const
  const { stage, a } = await pair({ upstream: { outlierEjection } })
  a.respond = ({ exchange }) => reply(exchange, 500)
  for (let n = 0; n < 30; n++) stage.ask('GET /shop/1')
  const failed = a.count
  for (let n = 0; n < 10; n++) expect(stage.ask('GET /shop/1', [], '', 10).status).toBe(200)
  expect(a.count).toBe(failed)
  a.respond = ({ exchange }) => reply(exchange, 200)
  stage.run(60_000)
  for (let n = 0; n < 60; n++) stage.ask('GET /shop/1', [], '', 10)
  expect(a.count).toBeGreaterThan(failed)
})
