import { FieldList } from '@breakwater/http'
import { describe, expect, test } from 'vitest'

import { parseAnswers } from './support/answers.ts'
import { Origin, Stage, reply } from './support/stage.ts'

type Route = NonNullable<Parameters<typeof Stage.open>[0]['services']['x']>['route']

async function shop(route: Route = {}) {
  const stage = await Stage.open({ services: { shop: { route } } })
  const origin = await Origin.open(stage, 'shop')
  return { stage, origin }
}

/** An origin that answers after `ms`, with its count as body. */
function slowly(stage: Stage, origin: Origin, ms: number, fields: Readonly<Record<string, string>> = {}) {
  origin.respond = ({ exchange }) => {
    const n = origin.count
    stage.clock.schedule(ms, () => reply(exchange, 200, `answer ${n}`, fields))
  }
}

describe('equal reads in flight', () => {
  test('share one call, each with an id of its own', async () => {
    const { stage, origin } = await shop({ coalesce: true })
    slowly(stage, origin, 50, { 'x-made': 'once' })
    const clients = Array.from({ length: 5 }, () => stage.send('GET /shop/1'))
    stage.run(100)
    const answers = clients.map((client) => parseAnswers(client.received)[0])
    expect(answers.map((answer) => answer?.body)).toEqual(Array.from({ length: 5 }, () => 'answer 1'))
    expect(answers.map((answer) => answer?.fields.get('x-made'))).toEqual(
      Array.from({ length: 5 }, () => 'once'),
    )
    expect(new Set(answers.map((answer) => answer?.fields.get('x-request-id'))).size).toBe(5)
    expect(origin.count).toBe(1)
    expect(stage.metric('breakwater_route_events_total', 'event="coalesced"')).toBe(4)
  })

  test('are not equal when path, query, credentials or the wanted form differ', async () => {
    const { stage, origin } = await shop({ coalesce: true })
    slowly(stage, origin, 50)
    const all = [
      stage.send('GET /shop/1'),
      stage.send('GET /shop/2'),
      stage.send('GET /shop/1?a'),
      stage.send('GET /shop/1', ['Authorization: Bearer a']),
      stage.send('GET /shop/1', ['Cookie: a=1']),
      stage.send('GET /shop/1', ['Accept: text/html']),
      stage.send('HEAD /shop/1'),
      stage.send('POST /shop/1', [], 'x'),
    ]
    stage.run(100)
    expect(origin.count).toBe(all.length)
  })

  test.each([
    'If-None-Match: "a"',
    'If-Modified-Since: Tue, 15 Nov 1994 12:45:26 GMT',
    'If-Match: "a"',
    'Range: bytes=0-1',
  ])('with a condition of their own are not shared: %s', async (condition) => {
    const { stage, origin } = await shop({ coalesce: true })
    origin.respond = ({ exchange, request }) =>
      void stage.clock.schedule(50, () =>
        request.fields.has(condition.slice(0, condition.indexOf(':')))
          ? reply(exchange, 304)
          : reply(exchange, 200, 'whole'),
      )
    stage.send('GET /shop/1', [condition])
    const plain = stage.send('GET /shop/1')
    stage.run(100)
    expect(parseAnswers(plain.received)[0]).toMatchObject({ status: 200, body: 'whole' })
    expect(origin.count).toBe(2)
  })

  test.each([
    ['a cookie', { 'set-cookie': 'session=1' }],
    ['a private answer', { 'cache-control': 'max-age=5, private' }],
    ['an answer that nobody may store', { 'cache-control': 'no-store' }],
    ['a second field that says so', { 'x-vary': 'cache-control', 'cache-control': 'private' }],
    ['an answer that depends on a field outside the key', { vary: 'accept, x-user' }],
    ['an answer that depends on everything', { vary: '*' }],
  ])('get an answer each when the first gets %s', async (_what, fields) => {
    const { stage, origin } = await shop({ coalesce: true })
    slowly(stage, origin, 50, Object.fromEntries(Object.entries(fields)))
    const clients = Array.from({ length: 3 }, () => stage.send('GET /shop/1'))
    stage.run(200)
    const bodies = clients.map((client) => parseAnswers(client.received)[0]?.body)
    expect(new Set(bodies).size).toBe(3)
    expect(origin.count).toBe(3)
  })

  test('get an answer each when a failure is private too', async () => {
    const { stage, origin } = await shop({ coalesce: true })
    origin.respond = ({ exchange }) => {
      const n = origin.count
      stage.clock.schedule(20, () => reply(exchange, 404, `${n}`, { 'cache-control': 'private' }))
    }
    const clients = Array.from({ length: 2 }, () => stage.send('GET /shop/1'))
    stage.run(200)
    expect(new Set(clients.map((client) => parseAnswers(client.received)[0]?.body)).size).toBe(2)
  })

  test('get an answer each when it is too long to be shared', async () => {
    const { stage, origin } = await shop({ coalesce: { maxAnswer: '1KiB' } })
    origin.respond = ({ exchange }) =>
      void stage.clock.schedule(20, () => reply(exchange, 200, 'x'.repeat(5000)))
    const clients = Array.from({ length: 3 }, () => stage.send('GET /shop/1'))
    stage.run(200)
    for (const client of clients) expect(parseAnswers(client.received)[0]?.body.length).toBe(5000)
    expect(origin.count).toBe(3)
  })

  test('are answered although the one who asked first went away, even one that had stopped reading', async () => {
    const { stage, origin } = await shop({ coalesce: true })
    origin.respond = ({ exchange }) => {
      exchange.sendHead(200, new FieldList(), { kind: 'length', bytes: 600_000 })
      let left = 60
      const more = (): void => {
        if (left-- === 0) return exchange.sendEnd()
        if (exchange.sendData(Buffer.alloc(10_000, 'x'))) stage.clock.schedule(1, more)
        else
          exchange.onWritable = () => {
            exchange.onWritable = undefined
            more()
          }
      }
      more()
    }
    const first = stage.send('GET /shop/1')
    first.pauseAfter(1)
    stage.run(10)
    const second = stage.send('GET /shop/1')
    stage.run(500)
    expect(second.received).toBe('')
    first.close()
    stage.run(1000)
    expect(parseAnswers(second.received)[0]).toMatchObject({ status: 200, isWhole: true })
    expect(origin.count).toBe(1)
  })

  test('are called off when the last of them has gone, not before', async () => {
    const { stage, origin } = await shop({ coalesce: true })
    origin.respond = () => {}
    const [first, second] = [stage.send('GET /shop/1'), stage.send('GET /shop/1')]
    stage.run(20)
    first.close()
    stage.run(20)
    stage.run(2_000)
    expect(origin.last.abortedMs).toBe(undefined)
    second.close()
    stage.run(5_100)
    expect(origin.last.abortedMs).toBeDefined()
    expect(stage.leftovers()).toMatchObject({ endpoints: 0, requests: 0 })
  })

  test('do not fail because the first had little time: another one goes on', async () => {
    const { stage, origin } = await shop({ coalesce: true, deadline: true })
    slowly(stage, origin, 100)
    const hasty = stage.send('GET /shop/1', ['X-Request-Deadline-Ms: 30'])
    stage.run(5)
    const patient = [stage.send('GET /shop/1'), stage.send('GET /shop/1')]
    stage.run(500)
    expect(parseAnswers(hasty.received)[0]?.status).toBe(504)
    for (const client of patient)
      expect(parseAnswers(client.received)[0]).toMatchObject({ status: 200, body: 'answer 2' })
    expect(origin.count).toBe(2)
  })

  test('share a failure of the upstream instead of repeating it', async () => {
    const { stage, origin } = await shop({ coalesce: true })
    origin.respond = ({ exchange }) => void stage.clock.schedule(20, () => exchange.abort())
    const clients = Array.from({ length: 4 }, () => stage.send('GET /shop/1'))
    stage.run(100)
    for (const client of clients) expect(parseAnswers(client.received)[0]?.status).toBe(502)
    expect(origin.count).toBe(1)
  })

  test('all ask for themselves when the control is dark or off', async () => {
    for (const coalesce of [false, { mode: 'dark' as const }]) {
      const { stage, origin } = await shop({ coalesce })
      slowly(stage, origin, 20)
      for (let n = 0; n < 3; n++) stage.send('GET /shop/1')
      stage.run(100)
      expect(origin.count).toBe(3)
    }
  })
})

describe('an old answer', () => {
  const down = (origin: Origin): void => {
    origin.respond = ({ exchange }) => exchange.abort()
  }

  test('is served when the upstream fails, with its age and a word that it is one', async () => {
    const { stage, origin } = await shop({ staleIfError: true })
    expect(stage.ask('GET /shop/1').body).toBe('ok')
    stage.run(9_900)
    down(origin)
    const answer = stage.ask('GET /shop/1')
    expect([answer.status, answer.body]).toEqual([200, 'ok'])
    expect(answer.fields.get('age')).toBe('10')
    expect(answer.fields.get('breakwater-degraded')).toBe('stale')
  })

  test('is served instead of an answer that says the upstream is broken, not instead of a plain refusal', async () => {
    const { stage, origin } = await shop({ staleIfError: true })
    stage.ask('GET /shop/1')
    origin.respond = ({ exchange }) => reply(exchange, 500, 'broken')
    expect(stage.ask('GET /shop/1').status).toBe(200)
    origin.respond = ({ exchange }) => reply(exchange, 404, 'gone')
    expect(stage.ask('GET /shop/1').status).toBe(404)
  })

  test('is never served to another tenant, another caller or for another path', async () => {
    const { stage, origin } = await shop({
      staleIfError: true,
      tenant: { header: 'x-tenant', required: false },
    })
    expect(stage.ask('GET /shop/1', ['X-Tenant: a', 'Authorization: Bearer a']).status).toBe(200)
    down(origin)
    const others = [
      ['X-Tenant: b', 'Authorization: Bearer a'],
      ['X-Tenant: a', 'Authorization: Bearer b'],
      ['Authorization: Bearer a'],
      ['X-Tenant: a'],
    ]
    for (const fields of others) expect(stage.ask('GET /shop/1', fields).status).toBe(502)
    expect(stage.ask('GET /shop/2', ['X-Tenant: a', 'Authorization: Bearer a']).status).toBe(502)
    expect(stage.ask('GET /shop/1', ['X-Tenant: a', 'Authorization: Bearer a']).status).toBe(200)
  })

  test.each([
    { 'cache-control': 'private' },
    { 'cache-control': 'no-store' },
    { 'cache-control': 'no-cache' },
    { 'cache-control': 'max-age=1, must-revalidate' },
    { 'set-cookie': 'a=1' },
    { vary: 'x-user' },
    { 'x-names': 'cache-control', 'cache-control': 'private' },
  ])('is not kept when it says %j', async (fields) => {
    const { stage, origin } = await shop({ staleIfError: true })
    origin.respond = ({ exchange }) =>
      reply(exchange, 200, 'mine', Object.fromEntries(Object.entries(fields)))
    stage.ask('GET /shop/1')
    down(origin)
    expect(stage.ask('GET /shop/1').status).toBe(502)
  })

  test('is too old after its time, and only counted when the control is dark', async () => {
    const { stage, origin } = await shop({ staleIfError: { ttl: '10s' } })
    stage.ask('GET /shop/1')
    down(origin)
    stage.run(10_000)
    expect(stage.ask('GET /shop/1').status).toBe(502)
    const dark = await shop({ staleIfError: { mode: 'dark' } })
    dark.stage.ask('GET /shop/1')
    down(dark.origin)
    expect(dark.stage.ask('GET /shop/1').status).toBe(502)
    expect(dark.stage.metric('breakwater_route_events_total', 'event="degraded"')).toBe(1)
  })
})

describe('the ladder', () => {
  const steps = [
    { serve: 'stale' as const, parts: ['prices'] },
    { serve: 'upstream' as const, upstream: 'backup', parts: ['offers'] },
    { serve: 'static' as const, body: '{"items":[]}', parts: ['items'] },
  ]

  async function stairs(ladder: NonNullable<Route>['ladder'] = { steps }) {
    const stage = await Stage.open({
      services: { shop: { route: { ladder, staleIfError: true } }, backup: {} },
    })
    return { stage, shop: await Origin.open(stage, 'shop'), backup: await Origin.open(stage, 'backup') }
  }

  test('is taken step by step, and the answer names the lesser parts of that step alone', async () => {
    const { stage, shop: full, backup } = await stairs()
    expect(stage.ask('GET /shop/1').fields.has('breakwater-degraded')).toBe(false)
    down(full)
    expect(stage.ask('GET /shop/1').fields.get('breakwater-degraded')).toBe('prices')
    backup.respond = ({ exchange }) => reply(exchange, 200, 'from the backup')
    const second = stage.ask('GET /shop/2')
    expect([second.body, second.fields.get('breakwater-degraded')]).toEqual(['from the backup', 'offers'])
    down(backup)
    const last = stage.ask('GET /shop/2')
    expect([last.status, last.body, last.fields.get('breakwater-degraded')]).toEqual([
      200,
      '{"items":[]}',
      'items',
    ])
  })

  test('at its end leaves an error that claims no lesser form', async () => {
    const { stage, shop: full, backup } = await stairs({ steps: steps.slice(0, 2) })
    down(full)
    down(backup)
    const answer = stage.ask('GET /shop/1')
    expect(answer.status).toBe(502)
    expect(answer.fields.has('breakwater-degraded')).toBe(false)
  })

  test('never carries a write out a second time somewhere else', async () => {
    const { stage, shop: full, backup } = await stairs()
    down(full)
    expect(stage.ask('POST /shop/1', [], 'x').body).toBe('{"items":[]}')
    expect(stage.ask('DELETE /shop/1').body).toBe('{"items":[]}')
    expect(backup.count).toBe(0)
  })

  test('is only counted when it is dark', async () => {
    const { stage, shop: full, backup } = await stairs({ mode: 'dark', steps: steps.slice(1) })
    down(full)
    expect(stage.ask('GET /shop/1').status).toBe(502)
    expect(backup.count).toBe(0)
    expect(stage.metric('breakwater_route_events_total', 'event="degraded"')).toBe(1)
  })

  function down(origin: Origin): void {
    origin.respond = ({ exchange }) => exchange.abort()
  }
})
