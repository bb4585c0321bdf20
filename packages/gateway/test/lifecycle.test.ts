import { FieldList } from '@breakwater/http'
import { describe, expect, test } from 'vitest'

import { GATEWAY_PORT, drillConfig } from '../drills/lab/config.ts'
import type { DrillConfig } from '../drills/lab/config.ts'
import { parseAnswers } from './support/answers.ts'
import { Origin, Stage, reply } from './support/stage.ts'

const SERVICES = { shop: { upstream: { breaker: { minCalls: 3 } } }, pay: {} } as const

async function open(config: Partial<DrillConfig> = {}) {
  const stage = await Stage.open({ services: SERVICES, ...config })
  const shop = await Origin.open(stage, 'shop')
  const pay = await Origin.open(stage, 'pay')
  const reload = (next: Partial<DrillConfig>): Promise<void> =>
    stage.gateway.reload(drillConfig({ services: SERVICES, ...next }))
  return { stage, shop, pay, reload }
}

/** Lets promises and virtual time go on together until `done`. */
async function settle(stage: Stage, done: Promise<unknown>, forMs = 60_000): Promise<void> {
  let isDone = false
  const ended = done.finally(() => (isDone = true))
  const untilMs = stage.clock.now() + forMs
  while (!isDone && stage.clock.now() < untilMs) await stage.clock.advance(20)
  await ended
}

describe('a reload', () => {
  test('keeps what the controls of an unchanged upstream have learnt, and forgets that of a changed one', async () => {
    const { stage, shop, reload } = await open()
    shop.respond = ({ exchange }) => reply(exchange, 500)
    for (let n = 0; n < 3; n++) stage.ask('GET /shop/1')
    expect(stage.ask('GET /shop/1').status).toBe(503)
    const before = stage.gateway.upstream('shop')
    await reload({ services: { ...SERVICES, pay: { route: { timeout: '1s' } } } })
    expect(stage.gateway.upstream('shop')).toBe(before)
    expect(stage.ask('GET /shop/1').status).toBe(503)
    await reload({ services: { ...SERVICES, shop: {} } })
    expect(stage.gateway.upstream('shop')).not.toBe(before)
    expect(stage.ask('GET /shop/1').status).toBe(500)
  })

  test('lets streams live on and takes the route away from everybody else', async () => {
    const { stage, shop, reload } = await open()
    shop.respond = ({ exchange }) => exchange.sendHead(200, new FieldList(), { kind: 'chunked' })
    const stream = stage.send('GET /shop/events')
    stage.run(20)
    await reload({ services: { pay: {} } })
    expect(stage.ask('GET /shop/1').status).toBe(404)
    shop.last.exchange.sendData(Buffer.from('still here'))
    stage.run(5_000)
    shop.last.exchange.sendEnd()
    stage.run(20)
    expect(parseAnswers(stream.received)[0]).toMatchObject({ body: 'still here', isWhole: true })
    expect(stage.network.openConnections('shop')).toBe(0)
  })

  test('lets requests that wait for a place or a retry end as they began', async () => {
    const bulkhead = { maxConcurrent: 1, maxQueue: 5, maxWait: '5s' } as const
    const services = { shop: { upstream: { bulkhead }, route: { retry: true } } } as const
    const { stage, shop, reload } = await open({ services })
    shop.respond = ({ exchange }) => void stage.clock.schedule(100, () => reply(exchange, 200))
    const clients = [1, 2, 3].map((n) => stage.send(`GET /shop/${n}`))
    stage.run(20)
    await reload({ services: { shop: {} } })
    stage.run(1_000)
    expect(clients.map(({ received }) => received.slice(9, 12))).toEqual(['200', '200', '200'])
  })

  test('keeps the answers to idempotency keys', async () => {
    const services = { pay: { route: { idempotencyKey: true } } } as const
    const { stage, pay, reload } = await open({ services })
    stage.ask('POST /pay/1', ['Idempotency-Key: k'], 'x')
    await reload({ services: { pay: { route: { idempotencyKey: true, timeout: '3s' } } } })
    expect(stage.ask('POST /pay/1', ['Idempotency-Key: k'], 'x').fields.get('idempotent-replayed')).toBe(
      'true',
    )
    expect(pay.count).toBe(1)
  })

  test('opens listeners on other ports and lets the old ones finish', async () => {
    const { stage, reload } = await open()
    const old = stage.client()
    old.write('GET /shop/1 HTTP/1.1\r\nHost: shop\r\n\r\n')
    stage.run(20)
    await reload({ listener: { port: GATEWAY_PORT + 1 } })
    const late = stage.client('late')
    stage.run(20)
    expect(late.isRefused).toBe(true)
    const next = stage.client('next', GATEWAY_PORT + 1)
    next.write('GET /shop/1 HTTP/1.1\r\nHost: shop\r\n\r\n')
    stage.run(20)
    expect(parseAnswers(next.received)[0]?.status).toBe(200)
    stage.run(400)
    expect(old.isOpen).toBe(false)
  })

  test('that cannot open a listener changes nothing, not even on an address it had given up', async () => {
    const { stage, reload } = await open()
    const blocked = await stage.host('gateway').listen({ host: '0.0.0.0', port: 9999 }, () => ({
      onBytes() {},
      onDrain() {},
      onEnd() {},
      onClose() {},
    }))
    const extra = { host: '0.0.0.0', port: 9999 }
    const config = drillConfig({ services: { pay: {} }, listener: { limits: { maxConnections: 5 } } })
    const other = drillConfig({ services: { pay: {} }, listener: extra }).listeners.map((one) => ({
      ...one,
      name: 'x',
    }))
    await expect(
      stage.gateway.reload({ ...config, listeners: [...config.listeners, ...other] }),
    ).rejects.toMatchObject({
      code: 'BW_GATEWAY_START_FAILED',
      // Without the fix: whoever shows an error adds that of its code.
      message: expect.stringMatching(/^listener x cannot open: .*[^.]$/),
    })
    expect(stage.ask('GET /shop/1').status).toBe(200)
    await blocked.close()
    await reload({ services: { pay: {} } })
    expect(stage.ask('GET /shop/1').status).toBe(404)
  })

  test('waits for the one before it', async () => {
    const { stage, reload } = await open()
    await Promise.all([reload({ services: { pay: {} } }), reload({}), reload({ services: { shop: {} } })])
    expect(stage.ask('GET /shop/1').status).toBe(200)
    expect(stage.ask('GET /pay/1').status).toBe(404)
    expect(stage.gateway.upstream('pay')).toBe(undefined)
  })
})

describe('draining', () => {
  const drain = { readinessDelay: '500ms', timeout: '2s' } as const

  test('is not ready first, then closes idle connections and finishes what is under way', async () => {
    const { stage, shop } = await open({ rest: { drain } })
    shop.respond = ({ exchange }) => void stage.clock.schedule(1500, () => reply(exchange, 200))
    const idle = stage.client('idle')
    const busy = stage.send('GET /shop/1')
    stage.run(20)
    const drained = stage.gateway.drain()
    expect(stage.gateway.isReady).toBe(false)
    await stage.clock.advance(400)
    const late = stage.send('GET /pay/1')
    await stage.clock.advance(20)
    expect(parseAnswers(late.received)[0]?.fields.get('connection')).toBe('close')
    await stage.clock.advance(400)
    expect(idle.isOpen).toBe(false)
    expect(stage.client('later').isOpen).toBe(false)
    await settle(stage, drained)
    const [answer] = parseAnswers(busy.received)
    expect(answer).toMatchObject({ status: 200 })
    expect(stage.clock.now()).toBeLessThan(2_000)
    await expect(stage.gateway.reload(stage.gateway.config)).rejects.toMatchObject({
      code: 'BW_GATEWAY_DRAINING',
    })
  })

  test('cuts what is not finished in time, connections of listeners from before a reload included', async () => {
    const { stage, shop, reload } = await open({ rest: { drain } })
    shop.respond = () => {}
    const client = stage.send('GET /shop/1')
    stage.run(20)
    await reload({ rest: { drain }, listener: { port: GATEWAY_PORT + 1 } })
    await settle(stage, Promise.all([stage.gateway.drain(), stage.gateway.drain()]))
    await stage.clock.advance(20)
    expect(client.isOpen).toBe(false)
    expect(shop.last.abortedMs).toBeDefined()
    await stage.clock.advance(20_000)
    expect(stage.host('gateway').wheel.size).toBe(0)
    expect(stage.clock.nextDueMs()).toBe(Infinity)
  })
})
