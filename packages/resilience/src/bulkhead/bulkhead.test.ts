import { VirtualClock } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { createCall } from '../call.ts'
import { wait } from '../internal/wait.ts'
import { stack } from '../service.ts'
import { Bulkhead } from './bulkhead.ts'
import { BulkheadTicket } from './deadline-queue.ts'
import { bulkhead } from './layer.ts'

/** A full bulkhead with one slot, and a log of what is decided. */
function full(
  maxQueue = 10,
  maxWaitMs = 1_000,
): {
  limit: Bulkhead
  log: string[]
  queue: (name: string, deadlineMs: number, nowMs?: number) => BulkheadTicket
} {
  const limit = new Bulkhead({ maxConcurrent: 1, maxQueue, maxWaitMs })
  limit.tryAcquire()
  const log: string[] = []
  const queue = (name: string, deadlineMs: number, nowMs = 0): BulkheadTicket => {
    const ticket = new BulkheadTicket((isAdmitted) => log.push(`${name} ${isAdmitted ? 'runs' : 'expired'}`))
    if (!limit.enqueue(ticket, deadlineMs, nowMs)) log.push(`${name} refused`)
    return ticket
  }
  return { limit, log, queue }
}

describe('a bulkhead', () => {
  test('serves the earliest deadline first and equals in order of arrival', () => {
    const { limit, log, queue } = full()
    queue('late', 900)
    queue('soon', 300)
    queue('patient', Infinity)
    queue('soon too', 300)
    for (let round = 0; round < 4; round++) limit.release(10)
    expect(log).toEqual(['soon runs', 'soon too runs', 'late runs', 'patient runs'])
  })

  test('keeps the order of arrival among many that are equally urgent', () => {
    const { limit, log, queue } = full()
    const names = Array.from({ length: 10 }, (_, number) => `call ${number}`)
    for (const name of names) queue(name, 500)
    for (let round = 0; round < 10; round++) limit.release(10)
    expect(log).toEqual(names.map((name) => `${name} runs`))
  })

  test('drops whoever is out of time instead of serving it', () => {
    const { limit, log, queue } = full()
    queue('expired', 100)
    queue('alive', 500)
    limit.release(200)
    expect(log).toEqual(['expired expired', 'alive runs'])
    expect(limit.counters).toMatchObject({ admitted: 2, expired: 1 })
  })

  test('lets nobody starve behind a stream of urgent calls', () => {
    const { limit, log, queue } = full(10, 1_000)
    queue('patient', Infinity, 0)
    for (let nowMs = 0; nowMs < 1_000; nowMs += 100) {
      queue(`urgent ${nowMs}`, nowMs + 150, nowMs)
      limit.release(nowMs)
    }
    expect(log).toContain('patient runs')
  })

  test('gives a freed slot to the queue, not to a newcomer', () => {
    const { limit, log, queue } = full()
    queue('waiting', 500)
    limit.release(10)
    expect(limit.tryAcquire()).toBe(false)
    expect(log).toEqual(['waiting runs'])
  })

  test('refuses when the queue is full of live calls, and makes room by dropping dead ones', () => {
    const { limit, log, queue } = full(1)
    queue('first', 100)
    queue('second', 500)
    queue('third', 500, 200)
    expect(log).toEqual(['second refused', 'first expired'])
    expect(limit.queued).toBe(1)
  })

  test('refuses a call that has no time left', () => {
    const { log, queue } = full()
    queue('dead', 5, 5)
    expect(log).toEqual(['dead refused'])
  })

  test('says when it next has somebody to drop', () => {
    const { limit, log, queue } = full()
    expect(limit.nextExpiryMs()).toBe(Infinity)
    queue('a', 300)
    queue('b', 200)
    expect(limit.nextExpiryMs()).toBe(200)
    expect(limit.expire(250)).toBe(1)
    expect(log).toEqual(['b expired'])
  })

  test('takes a cancelled ticket out, once', () => {
    const { limit, log, queue } = full()
    const ticket = queue('leaving', 500)
    expect(limit.cancel(ticket)).toBe(true)
    expect(limit.cancel(ticket)).toBe(false)
    limit.release(1)
    expect(log).toEqual([])
    expect(limit.inFlight).toBe(0)
  })

  test('takes a ticket again after it was decided', () => {
    const { limit, log, queue } = full()
    const ticket = queue('twice', 500)
    limit.release(1)
    limit.enqueue(ticket, 500, 2)
    limit.release(3)
    expect(log).toEqual(['twice runs', 'twice runs'])
  })

  test('in dark mode counts whom it would refuse and lets them through', () => {
    const limit = new Bulkhead({ maxConcurrent: 1, dark: true })
    expect([limit.tryAcquire(), limit.tryAcquire()]).toEqual([true, true])
    expect(limit.counters.wouldRefuse).toBe(1)
    expect(limit.inFlight).toBe(2)
  })

  test('says all that is wrong with its options at once', () => {
    expect(() => new Bulkhead({ maxConcurrent: 0, maxQueue: -1, maxWaitMs: Infinity })).toThrow(
      /maxConcurrent must be a whole number.*maxQueue must be a whole number.*maxWaitMs must be above 0 and finite/,
    )
  })
})

describe('the bulkhead layer', () => {
  const outcomeOf = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)

  test('keeps a slow dependency from slowing another one', async () => {
    const clock = new VirtualClock()
    const catalog = stack<number, string>(
      (ms, call) => wait(call, ms).then(() => 'catalog'),
      [bulkhead(new Bulkhead({ maxConcurrent: 2, maxQueue: 2, maxWaitMs: 100 }))],
    )
    const orders = stack<number, string>(
      (ms, call) => wait(call, ms).then(() => 'orders'),
      [bulkhead(new Bulkhead({ maxConcurrent: 2 }))],
    )
    const stuck = Array.from({ length: 10 }, () => outcomeOf(catalog(60_000, createCall({}, { clock }))))
    const quick = orders(5, createCall({}, { clock }))
    await clock.advance(5)
    expect(await quick).toBe('orders')
    await clock.advance(60_000)
    const outcomes = await Promise.all(stuck)
    const codes = outcomes.map((outcome) =>
      outcome instanceof Error && 'code' in outcome ? outcome.code : outcome,
    )
    expect(codes.filter((code) => code === 'BW_RESILIENCE_BULKHEAD_FULL')).toHaveLength(6)
    expect(codes.filter((code) => code === 'BW_RESILIENCE_BULKHEAD_WAIT_EXCEEDED')).toHaveLength(2)
    expect(codes.filter((code) => code === 'catalog')).toHaveLength(2)
  })

  test('frees the slot when the inner service throws', async () => {
    const limit = new Bulkhead({ maxConcurrent: 1 })
    const service = stack<string, string>(async () => Promise.reject(new Error('down')), [bulkhead(limit)])
    using call = createCall({}, { clock: new VirtualClock() })
    await expect(service('', call)).rejects.toThrow('down')
    expect(limit.inFlight).toBe(0)
  })

  test('ends the wait when the deadline of the call passes, and leaves no timer', async () => {
    const clock = new VirtualClock()
    const limit = new Bulkhead({ maxConcurrent: 1, maxQueue: 1, maxWaitMs: 1_000 })
    limit.tryAcquire()
    const service = stack<string, string>(async () => 'answer', [bulkhead(limit)])
    using call = createCall({ timeoutMs: 100 }, { clock })
    const outcome = outcomeOf(service('', call))
    await clock.advance(100)
    expect(await outcome).toMatchObject({ code: 'BW_RESILIENCE_DEADLINE_EXCEEDED' })
    expect(limit.queued).toBe(0)
    expect(clock.nextDueMs()).toBe(Infinity)
  })
})
