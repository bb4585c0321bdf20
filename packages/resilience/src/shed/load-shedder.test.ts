import { describe, expect, test } from 'vitest'
import { overload, percentile, CAPACITY_PER_SECOND } from '../../test/support/overload.ts'
import type { Tally } from '../../test/support/overload.ts'
import { LoadShedder } from './load-shedder.ts'
import type { LoadShedderOptions } from './load-shedder.ts'
import { Waiter } from './waiter.ts'

const SHARES = [0.05, 0.15, 0.5, 0.3]
const goodputOf = (tallies: readonly Tally[], ms: number): number =>
  tallies.reduce((sum, { good }) => sum + good, 0) / ((ms / 1000) * CAPACITY_PER_SECOND)

function shedder(options: LoadShedderOptions = {}): { queue: LoadShedder; shed: Waiter[] } {
  const shed: Waiter[] = []
  return { queue: new LoadShedder(options, { seed: 1, onShed: (waiter) => shed.push(waiter) }), shed }
}

function waiter(priority = 2, tenant = 0, deadlineMs = Infinity): Waiter {
  return Object.assign(new Waiter(), { priority, tenant, deadlineMs })
}

describe('goodput under overload', () => {
  test('collapses without the shedder: every answer comes too late', () => {
    const { byPriority } = overload({ load: 1.4, shares: SHARES, control: false })
    expect(goodputOf(byPriority, 3000)).toBeLessThan(0.05)
  })

  test.each([1.4, 2, 10])('stays flat at %s times the capacity', (load) => {
    const measureToMs = load === 10 ? 2000 : 4000
    const { byPriority } = overload({ load, shares: SHARES, control: true, measureToMs })
    expect(goodputOf(byPriority, measureToMs - 1000)).toBeGreaterThan(0.95)
    const late = byPriority.reduce((sum, tally) => sum + tally.late, 0)
    expect(late).toBeLessThan(0.01 * CAPACITY_PER_SECOND)
  })

  test.each([1.4, 2, 10])(
    'keeps the top priority as quick as without load at %s times the capacity',
    (load) => {
      const calm = overload({ load: 0.5, shares: SHARES, control: true }).byPriority[0]
      const top = overload({ load, shares: SHARES, control: true, measureToMs: 2500 }).byPriority[0]
      expect(top?.refused).toBe(0)
      const calmMs = percentile(calm?.latenciesMs ?? [], 0.99)
      expect(percentile(top?.latenciesMs ?? [], 0.99)).toBeLessThan(1.2 * calmMs)
    },
  )

  test('is reached within a fifth of a second of the load stepping to ten times the capacity', () => {
    const { byPriority } = overload({
      load: 10,
      shares: SHARES,
      control: true,
      measureFromMs: 150,
      measureToMs: 400,
    })
    expect(goodputOf(byPriority, 250)).toBeGreaterThan(0.95)
  })

  test('sheds nothing of a load the server can carry', () => {
    const { byPriority } = overload({ load: 0.9, shares: SHARES, control: true })
    expect(byPriority.map(({ refused }) => refused)).toEqual([0, 0, 0, 0])
  })

  test('serves modest tenants while a greedy one floods the same priority', () => {
    const { byTenant } = overload({
      load: 3,
      shares: [0, 0, 1],
      control: true,
      tenantOf: (random) => (random() < 0.8 ? 'greedy' : `modest-${Math.floor(random() * 8)}`),
    })
    const shareOf = (tally: Tally | undefined): number => (tally?.good ?? 0) / (tally?.offered ?? 1)
    for (let index = 0; index < 8; index++)
      expect(shareOf(byTenant.get(`modest-${index}`))).toBeGreaterThan(0.85)
    expect(shareOf(byTenant.get('greedy'))).toBeLessThan(0.3)
  })
})

describe('LoadShedder', () => {
  test('serves the most important first, and tenants in turn', () => {
    const { queue } = shedder()
    const low = waiter(3, 1)
    const [first, second, other] = [waiter(1, 5), waiter(1, 5), waiter(1, 6)]
    for (const each of [low, first, second, other]) expect(queue.offer(each, 0)).toBe(true)
    expect([queue.next(1), queue.next(1), queue.next(1), queue.next(1)]).toEqual([first, other, second, low])
    expect(queue.next(1)).toBeUndefined()
  })

  test('pushes out the least important for a more important one when it is full', () => {
    const { queue, shed } = shedder({ maxQueued: 2 })
    const [normal, background, critical] = [waiter(2), waiter(3), waiter(0)]
    queue.offer(normal, 0)
    queue.offer(background, 0)
    expect(queue.offer(critical, 0)).toBe(true)
    expect(shed).toEqual([background])
    expect(queue.offer(waiter(3), 0)).toBe(false)
    expect(queue.queued).toBe(2)
  })

  test('pushes out a tenant above its share for one that has nothing waiting', () => {
    const { queue, shed } = shedder({ maxQueued: 4 })
    const greedy = Array.from({ length: 4 }, () => waiter(2, 1))
    for (const each of greedy) queue.offer(each, 0)
    expect(queue.offer(waiter(2, 1), 0)).toBe(false)
    expect(queue.offer(waiter(2, 2), 0)).toBe(true)
    expect(shed).toEqual([greedy[3]])
  })

  test('refuses on arrival what cannot be served before its deadline', () => {
    const { queue } = shedder()
    for (let index = 0; index < 10; index++) queue.offer(waiter(), 0)
    queue.next(10)
    queue.next(20)
    expect(queue.offer(waiter(2, 0, 21), 20)).toBe(false)
    expect(queue.offer(waiter(2, 0, 1000), 20)).toBe(true)
    queue.workMs = 990
    expect(queue.offer(waiter(2, 0, 1000), 20)).toBe(false)
  })

  test('refuses on arrival once nothing leaves the queue any more', () => {
    const { queue } = shedder({ maxDelayMs: 100 })
    queue.offer(waiter(), 0)
    queue.offer(waiter(), 1)
    expect(queue.offer(waiter(), 300)).toBe(false)
  })

  test('drops what has waited too long and then serves the newest', () => {
    const { queue, shed } = shedder({ maxDelayMs: 100 })
    const [old, middle, fresh] = [waiter(), waiter(), waiter()]
    queue.offer(old, 0)
    queue.offer(middle, 30)
    queue.offer(fresh, 31)
    expect(queue.next(120)).toBe(fresh)
    expect(shed).toEqual([old])
    expect(queue.dropped).toBe(1)
    expect(queue.next(121)).toBe(middle)
  })

  test('forgets a waiter whose caller has gone', () => {
    const { queue } = shedder()
    const [gone, stays] = [waiter(), waiter()]
    queue.offer(gone, 0)
    queue.offer(stays, 0)
    expect(queue.cancel(gone)).toBe(true)
    expect(queue.cancel(gone)).toBe(false)
    expect(queue.next(1)).toBe(stays)
    expect(queue.queued).toBe(0)
  })

  test('takes an odd priority for the nearest there is', () => {
    const { queue } = shedder({ priorities: 2 })
    for (const priority of [-1, 99, 0.5, Number.NaN]) expect(queue.offer(waiter(priority), 0)).toBe(true)
    expect(queue.queued).toBe(4)
  })

  test('sheds nothing but the excess over maxQueued in dark mode, and counts the rest', () => {
    const { queue, shed } = shedder({ dark: true, maxQueued: 3 })
    const all = [waiter(), waiter(), waiter(2, 0, 5)]
    for (const [index, each] of all.entries()) expect(queue.offer(each, index * 200)).toBe(true)
    expect(queue.rejected).toBe(2)
    expect(queue.offer(waiter(3), 500)).toBe(false)
    expect(queue.offer(waiter(2, 77), 500)).toBe(false)
    expect([queue.next(900), queue.next(900), queue.next(900)]).toEqual(all)
    expect(shed).toEqual([])
    expect(queue.dropped).toBeGreaterThan(0)
  })

  test('names every wrong option at once', () => {
    expect(() => shedder({ maxQueued: 0, overloadDelayMs: 1, tenantBuckets: 3 })).toThrow(
      /maxQueued.*overloadDelayMs.*tenantBuckets/,
    )
  })
})
