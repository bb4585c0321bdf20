import { createRandom, VirtualClock } from '@breakwater/core'
import { describe, expect, test } from 'vitest'

import { sendClients } from '../drills/lab/clients.ts'
import { BARE_ROUTE, BARE_UPSTREAM, drillConfig } from '../drills/lab/config.ts'
import { peakWithin } from '../drills/lab/ledger.ts'
import type { Ledger } from '../drills/lab/ledger.ts'
import { SimService } from '../drills/lab/service.ts'
import { WorkerPool } from '../drills/lab/worker-pool.ts'
import { RawClient } from '../drills/lab/raw-client.ts'
import { SERVICE_PORT, SimWorld, exponential } from '../drills/lab/world.ts'

const worldOf = (seed = 1): SimWorld => new SimWorld({ seed, clock: new VirtualClock() })

/** One service with a capacity of 100 requests a second, under `perSecond`. */
async function loaded(perSecond: number, seed = 1): Promise<{ ledger: Ledger; service: SimService }> {
  const world = worldOf(seed)
  const service = await SimService.open(world, { name: 'catalog', workers: 10, serviceMs: 100 })
  const ledger = sendClients(world, {
    name: 'shoppers',
    service: 'catalog',
    perSecond,
    fromMs: 0,
    untilMs: 20_000,
    timeoutMs: 2_000,
  })
  await world.clock.advance(30_000)
  return { ledger, service }
}

describe('a simulated service', () => {
  test('is as fast as its work when there is little of it', async () => {
    const { ledger } = await loaded(30)
    expect(ledger.count).toBeGreaterThan(500)
    expect(ledger.goodRatio).toBe(1)
    // Exponential with a mean of 100 ms: half of them within 69 ms, plus two ways through the network.
    expect(ledger.quantileMs(0.5)).toBeGreaterThan(60)
    expect(ledger.quantileMs(0.5)).toBeLessThan(85)
  })

  test('becomes slow through load alone, and useless beyond its capacity', async () => {
    const [easy, busy, over] = [await loaded(50), await loaded(95), await loaded(200)]
    expect(busy.ledger.quantileMs(0.9)).toBeGreaterThan(1.2 * easy.ledger.quantileMs(0.9))
    expect(over.ledger.between(10_000, 20_000).goodRatio).toBeLessThan(0.05)
    // It is never idle all the while: it works for clients who have gone.
    expect(over.service.counters.wasted).toBeGreaterThan(1_000)
  })

  test('gives the same run for the same seed, and another one for another', async () => {
    const first = await loaded(80, 5)
    expect((await loaded(80, 5)).ledger.entries).toEqual(first.ledger.entries)
    expect((await loaded(80, 6)).ledger.entries).not.toEqual(first.ledger.entries)
  })

  test('refuses at once when its queue is bounded', async () => {
    const world = worldOf()
    await SimService.open(world, { name: 'catalog', workers: 1, serviceMs: 1_000, maxQueue: 1 })
    const ledger = sendClients(world, {
      name: 'shoppers',
      service: 'catalog',
      perSecond: 20,
      fromMs: 0,
      untilMs: 1_000,
      timeoutMs: 60_000,
    })
    await world.clock.advance(60_000)
    expect(ledger.statuses()).toMatchObject({ 503: expect.any(Number) as number })
  })

  test('takes its callers down with it when they wait without a limit that fits', async () => {
    const world = worldOf()
    const call = (service: string) => ({ service, timeoutMs: 30_000 })
    const common = { workers: 20, serviceMs: 5 }
    await SimService.open(world, { ...common, name: 'storefront', calls: [call('orders')] })
    await SimService.open(world, { ...common, name: 'orders', calls: [call('catalog')] })
    const catalog = await SimService.open(world, { ...common, name: 'catalog' })
    const ledger = sendClients(world, {
      name: 'shoppers',
      service: 'storefront',
      perSecond: 50,
      fromMs: 0,
      untilMs: 30_000,
      timeoutMs: 3_000,
    })
    world.clock.schedule(10_000, () => catalog.setWorkers(0))
    await world.clock.advance(40_000)
    expect(ledger.between(0, 9_000).goodRatio).toBe(1)
    expect(ledger.between(11_000, 30_000).goodRatio).toBe(0)
  })

  test('answers without an optional part and says so, through every hop', async () => {
    const world = worldOf()
    const common = { workers: 20, serviceMs: 5 }
    await SimService.open(world, {
      ...common,
      name: 'storefront',
      calls: [{ service: 'orders', timeoutMs: 1_000 }],
    })
    await SimService.open(world, {
      ...common,
      name: 'orders',
      calls: [{ service: 'catalog', timeoutMs: 1_000, isOptional: true }],
    })
    const ledger = sendClients(world, {
      name: 'shoppers',
      service: 'storefront',
      perSecond: 20,
      fromMs: 0,
      untilMs: 2_000,
      timeoutMs: 3_000,
    })
    await world.clock.advance(10_000)
    expect(ledger.goodRatio).toBe(1)
    expect(ledger.completeRatio).toBe(0)
    expect(ledger.entries[0]?.missing).toEqual(['catalog'])
  })
})

describe('clients', () => {
  test('repeat what failed and count every try', async () => {
    const world = worldOf()
    const service = await SimService.open(world, { name: 'catalog', workers: 1, serviceMs: 1, maxQueue: 0 })
    service.setWorkers(0)
    const ledger = sendClients(world, {
      name: 'shoppers',
      service: 'catalog',
      perSecond: 10,
      fromMs: 0,
      untilMs: 1_000,
      timeoutMs: 1_000,
      attempts: 3,
      backoffMs: () => 100,
    })
    await world.clock.advance(10_000)
    expect(ledger.tries).toBe(3 * ledger.count)
    expect(service.counters.arrived).toBe(ledger.tries)
  })

  test('come at the same times whoever else is there', async () => {
    const wanted = async (others: boolean): Promise<number[]> => {
      const world = worldOf()
      await SimService.open(world, { name: 'catalog', workers: 5, serviceMs: 10 })
      const window = { service: 'catalog', fromMs: 0, untilMs: 2_000, timeoutMs: 1_000 }
      if (others) sendClients(world, { ...window, name: 'attackers', perSecond: 100 })
      const ledger = sendClients(world, { ...window, name: 'shoppers', perSecond: 20 })
      await world.clock.advance(5_000)
      return ledger.entries.map(({ wantedMs }) => wantedMs).sort((a, b) => a - b)
    }
    expect(await wanted(true)).toEqual(await wanted(false))
  })
})

test('exponential has its mean', () => {
  const random = createRandom(3)
  const sum = Array.from({ length: 20_000 }, () => exponential(50, random)).reduce(
    (total, gap) => total + gap,
    0,
  )
  expect(sum / 20_000).toBeCloseTo(50, -1)
})

test('peakWithin finds the highest wave', () => {
  expect(peakWithin([], 10)).toBe(0)
  expect(peakWithin([0, 1, 2, 50, 51, 52, 53, 60], 10)).toBe(4)
  expect(peakWithin([0, 10, 20], 10)).toBe(1)
})

test('a worker pool drops what nobody wants any more', () => {
  const pool = new WorkerPool(1, 10)
  const started: string[] = []
  const job = (name: string, isGone = false) => ({
    start: () => void started.push(name),
    isGone: () => isGone,
  })
  for (const next of [job('first'), job('gone', true), job('second')]) pool.take(next, 0)
  pool.release(1)
  expect(started).toEqual(['first', 'second'])
  expect(pool.queued).toBe(0)
})

describe('the configuration of a drill', () => {
  test('has every control off but those that the drill names', () => {
    const config = drillConfig({
      services: { catalog: { upstream: { breaker: { openFor: '2s' } } }, orders: { route: { retry: true } } },
    })
    const modes = (part: object | undefined): Record<string, string> =>
      Object.fromEntries(
        Object.entries(part ?? {}).flatMap(([key, value]: [string, { readonly mode?: string } | undefined]) =>
          value?.mode === undefined ? [] : [[key, value.mode]],
        ),
      )
    const upstream = (name: string): object | undefined =>
      config.upstreams.find((entry) => entry.name === name)
    const route = (name: string): object | undefined => config.routes.find((entry) => entry.name === name)
    const off = (keys: object): Record<string, string> =>
      Object.fromEntries(Object.keys(keys).map((key) => [key, 'off']))
    // Whatever control is added to the schema must be off here too, or drills measure two at once.
    expect(modes(upstream('orders'))).toEqual(off(BARE_UPSTREAM))
    expect(modes(upstream('catalog'))).toEqual({ ...off(BARE_UPSTREAM), breaker: 'enforce' })
    expect(modes(route('catalog'))).toEqual(off(BARE_ROUTE))
    expect(modes(route('orders'))).toEqual({ ...off(BARE_ROUTE), retry: 'enforce' })
    expect(modes(config)).toEqual({ authorization: 'off', shed: 'off', overload: 'off', admin: 'off' })
  })

  test('tells every mistake in it', () => {
    expect(() => drillConfig({ services: { catalog: { route: { timeout: 'soon' } } } })).toThrow('timeout')
  })
})

describe('a raw client', () => {
  test('writes what it likes and sees when it is cut off', async () => {
    const world = worldOf()
    await SimService.open(world, { name: 'catalog', workers: 1, serviceMs: 1 })
    const to = { host: 'catalog', port: SERVICE_PORT }
    const honest = RawClient.open(world, 'attacker', to)
    honest.write('GET / HTTP/1.1\r\nHost: catalog\r\n\r\n')
    const slow = RawClient.open(world, 'attacker', to)
    slow.trickle(`GET / HTTP/1.1\r\nHost: catalog\r\nX: ${'a'.repeat(1_000)}`, 1_000)
    const nobody = RawClient.open(world, 'attacker', { host: 'catalog', port: 81 })
    await world.clock.advance(60_000)
    expect(honest.received).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(honest.isOpen).toBe(true)
    // The engine's own limit for a head is 10 s.
    expect(slow.received).toMatch(/^HTTP\/1\.1 408 /)
    expect(slow.closedMs).toBeLessThan(12_000)
    expect(nobody.isRefused).toBe(true)
  })
})
