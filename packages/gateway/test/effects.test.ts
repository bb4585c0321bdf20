import { describe, expect, test } from 'vitest'

import { parseAnswers } from './support/answers.ts'
import { Origin, Stage, reply } from './support/stage.ts'

const KEY = 'Idempotency-Key: 5a1ef1d2'

type Settings = NonNullable<Parameters<typeof Stage.open>[0]['services']['x']>

async function payments(route: Settings['route'] = {}, upstream: Settings['upstream'] = {}) {
  const settings = { route: { idempotencyKey: true, ...route }, upstream }
  const stage = await Stage.open({ services: { pay: settings } })
  const origin = await Origin.open(stage, 'pay')
  origin.respond = ({ exchange }) => reply(exchange, 201, `paid ${origin.count}`, { 'x-made': 'here' })
  return { stage, origin }
}

describe('a write with an idempotency key', () => {
  test('is carried out once and answered alike as often as it is sent', async () => {
    const { stage, origin } = await payments()
    const first = stage.ask('POST /pay/1', [KEY], 'amount=5')
    const second = stage.ask('POST /pay/1', [KEY], 'amount=5')
    expect([first.status, first.body]).toEqual([201, 'paid 1'])
    expect([second.status, second.body]).toEqual([201, 'paid 1'])
    expect(second.fields.get('x-made')).toBe('here')
    expect(second.fields.get('idempotent-replayed')).toBe('true')
    expect(second.fields.get('x-request-id')).not.toBe(first.fields.get('x-request-id'))
    expect(origin.count).toBe(1)
    expect(origin.last.body).toBe('amount=5')
  })

  test('is refused with 422 when the key came with another body, path or query before', async () => {
    const { stage, origin } = await payments()
    stage.ask('POST /pay/1', [KEY], 'amount=5')
    for (const [start, body] of [
      ['POST /pay/1', 'amount=6'],
      ['POST /pay/2', 'amount=5'],
      ['POST /pay/1?x=1', 'amount=5'],
      ['PATCH /pay/1', 'amount=5'],
    ] as const)
      expect(stage.ask(start, [KEY], body).status).toBe(422)
    expect(origin.count).toBe(1)
  })

  test('is refused with 409 and Retry-After while the first one is under way', async () => {
    const { stage, origin } = await payments()
    origin.respond = ({ exchange }) => void stage.clock.schedule(500, () => reply(exchange, 201, 'paid'))
    const first = stage.send('POST /pay/1', [KEY], 'x')
    stage.run(50)
    const second = stage.ask('POST /pay/1', [KEY], 'x')
    expect(second.status).toBe(409)
    expect(Number(second.fields.get('retry-after'))).toBeGreaterThanOrEqual(1)
    stage.run(1000)
    expect(parseAnswers(first.received)[0]?.status).toBe(201)
    expect(origin.count).toBe(1)
  })

  test('is not carried out again when nobody knows what became of the first: the time was up', async () => {
    const { stage, origin } = await payments({ timeout: '100ms' })
    origin.respond = () => {}
    expect(stage.ask('POST /pay/1', [KEY], 'x', 500).status).toBe(504)
    expect(stage.ask('POST /pay/1', [KEY], 'x').status).toBe(409)
    expect(origin.count).toBe(1)
  })

  test('is not carried out again when the client of the first went away', async () => {
    const { stage, origin } = await payments()
    origin.respond = () => {}
    const first = stage.send('POST /pay/1', [KEY], 'x')
    stage.run(20)
    first.close()
    stage.run(20)
    expect(stage.ask('POST /pay/1', [KEY], 'x').status).toBe(409)
    expect(origin.count).toBe(1)
  })

  test('is not carried out again when the answer was lost on the way', async () => {
    const { stage, origin } = await payments()
    origin.respond = ({ exchange }) => exchange.abort()
    expect(stage.ask('POST /pay/1', [KEY], 'x').status).toBe(502)
    expect(stage.ask('POST /pay/1', [KEY], 'x').status).toBe(409)
    expect(origin.count).toBe(1)
  })

  test('has its key free again when nothing of it was sent', async () => {
    const { stage, origin } = await payments({ timeout: '100ms' }, { timeouts: { connect: false } })
    stage.network.setFaults('gateway', 'pay', { blackHoleRatio: 1 })
    expect(stage.ask('POST /pay/1', [KEY], 'x', 500).status).toBe(504)
    stage.network.setFaults('gateway', 'pay', { refuseRatio: 1 })
    expect(stage.ask('POST /pay/1', [KEY], 'x').status).toBe(502)
    stage.network.setFaults('gateway', 'pay', { latencyMs: 1 })
    expect(stage.ask('POST /pay/1', [KEY], 'x').status).toBe(201)
    expect(origin.count).toBe(1)
  })

  test('does not meet the writes of another tenant', async () => {
    const { stage, origin } = await payments({ tenant: { header: 'x-tenant' } })
    expect(stage.ask('POST /pay/1', [KEY, 'X-Tenant: a'], 'x').body).toBe('paid 1')
    expect(stage.ask('POST /pay/1', [KEY, 'X-Tenant: b'], 'x').body).toBe('paid 2')
    expect(stage.ask('POST /pay/1', [KEY, 'X-Tenant: a'], 'x').body).toBe('paid 1')
    expect(origin.count).toBe(2)
  })

  test('needs a key that can be one, and needs one at all when the route says so', async () => {
    const { stage, origin } = await payments({ idempotencyKey: { required: true } })
    expect(stage.ask('POST /pay/1', [], 'x').status).toBe(400)
    expect(stage.ask('POST /pay/1', ['Idempotency-Key: two words'], 'x').status).toBe(400)
    expect(stage.ask('POST /pay/1', [`Idempotency-Key: ${'k'.repeat(256)}`], 'x').status).toBe(400)
    expect(stage.ask('GET /pay/1').status).toBe(201)
    expect(origin.count).toBe(1)
  })

  test('is only watched when the control is dark: carried out each time, whatever the key', async () => {
    const { stage, origin } = await payments({ idempotencyKey: { mode: 'dark', required: true } })
    for (const [key, body] of [
      [KEY, 'x'],
      [KEY, 'x'],
      [KEY, 'y'],
      ['Idempotency-Key: two words', 'x'],
      ['X-None: 1', 'x'],
    ] as const)
      expect(stage.ask('POST /pay/1', [key], body).status).toBe(201)
    expect(origin.count).toBe(5)
    expect(stage.metric('breakwater_route_events_total', 'event="replayed"')).toBe(1)
  })

  test('is remembered for as many keys as the route has room for, without tenants as with them', async () => {
    const { stage } = await payments({ idempotencyKey: { maxEntries: 20 } })
    const statuses = Array.from(
      { length: 21 },
      (_, n) => stage.ask('POST /pay/1', [`Idempotency-Key: key-${n}`], 'x').status,
    )
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 201), 503])
  })
})
