import { ok, VirtualClock } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { createCall } from '../call.ts'
import { errors } from '../errors.ts'
import { wait } from '../internal/wait.ts'
import { stack } from '../service.ts'
import { idempotency } from './idempotency.ts'
import type { IdempotencyOptions } from './idempotency.ts'
import { IdempotencyStore } from './store.ts'

interface Payment {
  readonly key?: string
  readonly amount: number
  readonly ms?: number
  readonly failure?: Error
}

function payments(options: Partial<IdempotencyOptions<Payment, string>> = {}): {
  clock: VirtualClock
  booked: number[]
  store: IdempotencyStore<string>
  pay: (payment: Payment, tenant?: string) => Promise<unknown>
} {
  const clock = new VirtualClock()
  const booked: number[] = []
  const store = options.store ?? new IdempotencyStore<string>({ ttlMs: 60_000, inFlightTtlMs: 5_000 })
  const service = stack<Payment, string>(
    async (payment, call) => {
      if (payment.ms !== undefined) await wait(call, payment.ms)
      if (payment.failure !== undefined) throw payment.failure
      return `payment ${booked.push(payment.amount)}`
    },
    [
      idempotency<Payment, string>({
        keyOf: (payment) => payment.key,
        fingerprintOf: (payment) => String(payment.amount),
        ...options,
        store,
      }),
    ],
  )
  const pay = async (payment: Payment, tenant = 'acme'): Promise<unknown> => {
    try {
      return await service(payment, createCall({ tenant }, { clock }))
    } catch (error) {
      return error
    }
  }
  return { clock, booked, store, pay }
}

describe('idempotency keys', () => {
  test('a repeated request has one effect and the same answer', async () => {
    const { pay, booked } = payments()
    expect([await pay({ key: 'k1', amount: 5 }), await pay({ key: 'k1', amount: 5 })]).toEqual([
      'payment 1',
      'payment 1',
    ])
    expect(booked).toEqual([5])
  })

  test('a repeat during the first waits for its answer', async () => {
    const { pay, booked, clock } = payments()
    const answers = [1, 2, 3].map(() => pay({ key: 'k1', amount: 5, ms: 100 }))
    await clock.advance(100)
    expect(await Promise.all(answers)).toEqual(['payment 1', 'payment 1', 'payment 1'])
    expect(booked).toEqual([5])
  })

  test('or is refused, if so configured', async () => {
    const { pay, clock } = payments({ ifInFlight: 'refuse' })
    const first = pay({ key: 'k1', amount: 5, ms: 100 })
    expect(await pay({ key: 'k1', amount: 5 })).toMatchObject({ code: 'BW_RESILIENCE_IDEMPOTENCY_IN_FLIGHT' })
    await clock.advance(100)
    expect(await first).toBe('payment 1')
  })

  test('the key of another request is refused, finished or not', async () => {
    const { pay, clock } = payments()
    const first = pay({ key: 'k1', amount: 5, ms: 100 })
    expect(await pay({ key: 'k1', amount: 6 })).toMatchObject({
      code: 'BW_RESILIENCE_IDEMPOTENCY_KEY_REUSED',
    })
    await clock.advance(100)
    await first
    expect(await pay({ key: 'k1', amount: 6 })).toMatchObject({
      code: 'BW_RESILIENCE_IDEMPOTENCY_KEY_REUSED',
    })
  })

  test('the same key of two tenants is two keys', async () => {
    const { pay, booked } = payments()
    await pay({ key: 'b:c', amount: 1 }, 'a')
    await pay({ key: 'c', amount: 2 }, 'a:b')
    expect(booked).toEqual([1, 2])
  })

  test('a request without a key passes, one without a tenant does not', async () => {
    const { booked, pay, clock, store } = payments()
    await pay({ amount: 1 })
    await pay({ amount: 1 })
    expect(booked).toEqual([1, 1])
    const service = stack<Payment, string>(
      async () => 'never',
      [idempotency<Payment, string>({ store, keyOf: (payment) => payment.key, fingerprintOf: () => '' })],
    )
    await expect(service({ key: 'k', amount: 1 }, createCall({}, { clock }))).rejects.toMatchObject({
      code: 'BW_RESILIENCE_TENANT_MISSING',
    })
  })

  test.each(['', 'a b', 'ä', 'x'.repeat(256), 'a\n'])('the key %j is refused', async (key) => {
    const { pay } = payments()
    expect(await pay({ key, amount: 1 })).toMatchObject({ code: 'BW_RESILIENCE_IDEMPOTENCY_KEY_INVALID' })
  })

  test('a failure that may have had its effect is remembered', async () => {
    const { pay, booked } = payments()
    const failure = new Error('connection lost')
    expect(await pay({ key: 'k1', amount: 5, failure })).toBe(failure)
    expect(await pay({ key: 'k1', amount: 5 })).toBe(failure)
    expect(booked).toEqual([])
  })

  test.each([
    errors.BW_RESILIENCE_CIRCUIT_OPEN('open'),
    errors.BW_RESILIENCE_BULKHEAD_FULL('full'),
    errors.BW_RESILIENCE_DEADLINE_EXCEEDED('never sent', { details: { bytesSent: false } }),
  ])('a failure that surely had none is forgotten (%s)', async (failure) => {
    const { pay, booked } = payments()
    await pay({ key: 'k1', amount: 5, failure })
    expect(await pay({ key: 'k1', amount: 5 })).toBe('payment 1')
    expect(booked).toEqual([5])
  })

  test('a waiting repeat goes on when the first was refused', async () => {
    const { pay, booked, clock } = payments()
    const first = pay({ key: 'k1', amount: 5, ms: 100, failure: errors.BW_RESILIENCE_BULKHEAD_FULL('full') })
    const second = pay({ key: 'k1', amount: 5 })
    await clock.advance(100)
    expect(await first).toMatchObject({ code: 'BW_RESILIENCE_BULKHEAD_FULL' })
    expect(await second).toBe('payment 1')
    expect(booked).toEqual([5])
  })

  test('a waiting caller that goes away leaves nothing behind', async () => {
    const { pay, clock, store } = payments()
    const first = pay({ key: 'k1', amount: 5, ms: 100 })
    const service = stack<Payment, string>(
      async () => 'never',
      [idempotency<Payment, string>({ store, keyOf: (payment) => payment.key, fingerprintOf: () => '5' })],
    )
    using call = createCall({ tenant: 'acme' }, { clock })
    const second = service({ key: 'k1', amount: 5 }, call).catch((error: unknown) => error)
    await clock.advance(10)
    call.abort('gone')
    expect(await second).toBe('gone')
    await clock.advance(100)
    await first
    expect(clock.nextDueMs()).toBe(Infinity)
  })

  test('in dark mode decides, counts and lets everything through', async () => {
    const store = new IdempotencyStore<string>({ dark: true })
    const { pay, booked } = payments({ store })
    await pay({ key: 'k1', amount: 5 })
    await pay({ key: 'k1', amount: 5 })
    expect(booked).toEqual([5, 5])
    expect(store.counters.replay).toBe(1)
  })
})

describe('the idempotency store', () => {
  const begin = (store: IdempotencyStore<string>, key: string, nowMs = 0, tenant = 'acme'): string =>
    store.begin(tenant, key, 'f', nowMs).kind

  test('refuses new keys rather than forgetting live ones', () => {
    const store = new IdempotencyStore<string>({ maxEntries: 2, maxPerTenant: 2 })
    expect(['a', 'b', 'c', 'a'].map((key) => begin(store, key))).toEqual([
      'first',
      'first',
      'full',
      'in-flight',
    ])
  })

  test('keeps one tenant from filling it', () => {
    const store = new IdempotencyStore<string>({ maxEntries: 10, maxPerTenant: 2 })
    expect(['a', 'b', 'c'].map((key) => begin(store, key))).toEqual(['first', 'first', 'full'])
    expect(begin(store, 'a', 0, 'other')).toBe('first')
  })

  test('lets the tenant in again when a request is abandoned', () => {
    const store = new IdempotencyStore<string>({ maxPerTenant: 1 })
    for (const key of ['a', 'b', 'c']) {
      const first = store.begin('acme', key, 'f', 0)
      if (first.kind !== 'first') throw new Error(first.kind)
      store.abandon(first.claim)
    }
    expect(store.size).toBe(0)
  })

  test('forgets outcomes after their time and lets the tenant in again', () => {
    const store = new IdempotencyStore<string>({ ttlMs: 100, maxPerTenant: 1 })
    const first = store.begin('acme', 'a', 'f', 0)
    if (first.kind !== 'first') throw new Error(first.kind)
    store.complete(first.claim, ok('answer'), 10)
    expect(begin(store, 'a', 109)).toBe('replay')
    expect(begin(store, 'b', 110)).toBe('first')
    expect(store.size).toBe(1)
  })

  test('hands the work to the next when the first never reports, and ignores it from then on', () => {
    const store = new IdempotencyStore<string>({ inFlightTtlMs: 100 })
    const lost = store.begin('acme', 'a', 'f', 0)
    if (lost.kind !== 'first') throw new Error(lost.kind)
    expect(begin(store, 'a', 99)).toBe('in-flight')
    expect(begin(store, 'a', 100)).toBe('first')
    store.complete(lost.claim, ok('late'), 150)
    expect(begin(store, 'a', 150)).toBe('in-flight')
    expect(store.counters['leases-lost']).toBe(1)
  })

  test('never replays an expired outcome, however many wait to be dropped', () => {
    const store = new IdempotencyStore<string>({ ttlMs: 100, maxEntries: 100, maxPerTenant: 100 })
    for (let number = 0; number < 100; number++) {
      const first = store.begin('acme', `k${number}`, 'f', 0)
      if (first.kind === 'first') store.complete(first.claim, ok('answer'), 0)
    }
    expect(begin(store, 'k99', 100)).toBe('first')
    expect(begin(store, 'k99', 100)).toBe('in-flight')
    for (let number = 0; number < 99; number++) expect(begin(store, `new ${number}`, 101)).toBe('first')
    expect(begin(store, 'one too many', 101)).toBe('full')
    expect(store.size).toBe(100)
  })
})
