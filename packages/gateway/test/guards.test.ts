import { describe, expect, test } from 'vitest'

import { parseAnswers } from './support/answers.ts'
import { codeOf, pair, shop, silent } from './support/scenes.ts'
import type { Settings } from './support/scenes.ts'
import { Stage, reply } from './support/stage.ts'

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
