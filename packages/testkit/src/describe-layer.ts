import { VirtualClock } from '@breakwater/core'
import { createCall } from '@breakwater/resilience'
import type { Call, Layer, OwnedCall, Service } from '@breakwater/resilience'
import { describe, expect, test } from 'vitest'

/** What a layer is given to pass on. Compared by identity. */
export interface Parcel {
  readonly what: string
}

export interface LayerConformance {
  /** A fresh layer with fresh state, on this clock. */
  readonly make: (clock: VirtualClock) => Layer<Parcel, Parcel>
  /** `false` for layers that answer in place of a failure (fallback, stale answers). Default: `true`. */
  readonly passesErrors?: boolean
  /**
   * When the layer itself makes a call wait. `failing`: after the inner service has failed (a retry's pause).
   * `after-hanging`: once this many calls hang inside (a bulkhead's queue). Left out: it never does.
   */
  readonly waits?: { readonly failing: true } | { readonly afterHanging: number }
}

/**
 * What every layer promises, whatever it does: run it over each with `describeLayer('timeout', { make: … })`.
 * Nothing is swallowed, nothing is changed, every wait ends with the caller, nothing is left behind.
 */
export function describeLayer(name: string, conformance: LayerConformance): void {
  const { make, passesErrors = true, waits } = conformance
  describe(`${name} as a layer`, () => {
    test('hands the request on and the response back, the very same, with one call', async () => {
      const world = worldOf(make)
      const response: Parcel = { what: 'response' }
      const request: Parcel = { what: 'request' }
      const seen: Parcel[] = []
      const service = world.around(async (given) => {
        seen.push(given)
        return Promise.resolve(response)
      })
      const answer = world.settled(service(request, world.call))
      await world.clock.advance(0)
      expect(seen).toHaveLength(1)
      expect(seen[0]).toBe(request)
      expect(answer.value()).toBe(response)
    })

    if (passesErrors) testErrors(make)

    test('tells the inner service who calls, and never gives it more time than the caller has', async () => {
      const world = worldOf(make, { timeoutMs: 5_000 })
      let seen: Call | undefined
      const service = world.around(async (request, call) => {
        seen = call
        return Promise.resolve(request)
      })
      world.settled(service(anything, world.call))
      await world.clock.advance(0)
      expect(seen).toMatchObject({ tenant: 'acme', principal: 'ada', priority: 1 })
      expect(seen?.deadlineMs).toBeLessThanOrEqual(world.call.deadlineMs)
    })

    test('aborts the inner call when the caller goes away, and fails with the caller’s reason at once', async () => {
      const world = worldOf(make)
      const reason = new Error('the caller has gone')
      const answer = world.settled(world.around(hanging)(anything, world.call))
      await world.clock.advance(1)
      world.call.abort(reason)
      await world.clock.advance(0)
      expect(answer.error()).toBe(reason)
    })

    test('does not keep a caller who has already gone', async () => {
      const world = worldOf(make)
      const reason = new Error('gone before the start')
      world.call.abort(reason)
      const answer = world.settled(world.around(hanging)(anything, world.call))
      await world.clock.advance(0)
      expect(answer.error()).toBe(reason)
    })

    test('leaves no timer behind, neither after an answer nor after an abort', async () => {
      const answered = worldOf(make)
      answered.settled(answered.around(async (request) => Promise.resolve(request))(anything, answered.call))
      await answered.clock.advance(0)
      expect(answered.clock.nextDueMs()).toBe(Infinity)

      const aborted = worldOf(make)
      aborted.settled(aborted.around(hanging)(anything, aborted.call))
      await aborted.clock.advance(1)
      aborted.call.abort(new Error('gone'))
      await aborted.clock.advance(0)
      expect(aborted.clock.nextDueMs()).toBe(Infinity)
    })

    test('leaves no rejection unhandled when the inner service fails after the caller has gone', async () => {
      const strays: unknown[] = []
      const collect = (stray: unknown): void => void strays.push(stray)
      process.on('unhandledRejection', collect)
      try {
        const world = worldOf(make)
        const late = Promise.withResolvers<Parcel>()
        const answer = world.settled(world.around(async () => late.promise)(anything, world.call))
        await world.clock.advance(1)
        world.call.abort(new Error('gone'))
        await world.clock.advance(0)
        late.reject(new Error('too late'))
        await world.clock.advance(120_000)
        await new Promise((resolve) => setImmediate(resolve))
        expect(answer.isSettled()).toBe(true)
        expect(strays).toEqual([])
      } finally {
        process.off('unhandledRejection', collect)
      }
    })

    if (waits !== undefined) testWaits(make, waits)
  })
}

function testErrors(make: LayerConformance['make']): void {
  test('hands the error of the inner service on, the very same', async () => {
    const world = worldOf(make)
    const error = new Error('the upstream is down')
    const answer = world.settled(world.around(async () => Promise.reject(error))(anything, world.call))
    await world.clock.advance(120_000)
    expect(answer.error()).toBe(error)
  })

  test('turns a synchronous throw into a rejection', async () => {
    const world = worldOf(make)
    const error = new Error('thrown before the first await')
    const throwing = (): Promise<Parcel> => {
      throw error
    }
    const answer = world.settled(world.around(throwing)(anything, world.call))
    await world.clock.advance(120_000)
    expect(answer.error()).toBe(error)
  })
}

function testWaits(make: LayerConformance['make'], waits: NonNullable<LayerConformance['waits']>): void {
  test('gives up its own waiting the moment the caller goes away', async () => {
    const world = worldOf(make)
    let calls = 0
    const inner: Service<Parcel, Parcel> =
      'failing' in waits
        ? async () => {
            calls++
            return Promise.reject(new Error('the upstream is down'))
          }
        : async (request, call) => {
            calls++
            return hanging(request, call)
          }
    const service = world.around(inner)
    const hangers = 'failing' in waits ? 0 : waits.afterHanging
    for (let hanger = 0; hanger < hangers; hanger++)
      world.settled(service(anything, createCall({ tenant: 'acme' }, { clock: world.clock })))
    const answer = world.settled(service(anything, world.call))
    await world.clock.advance(0)
    const callsBefore = calls
    expect(answer.isSettled(), 'the layer makes this call wait').toBe(false)
    const reason = new Error('the caller has gone')
    world.call.abort(reason)
    await world.clock.advance(0)
    expect(answer.error()).toBe(reason)
    await world.clock.advance(120_000)
    expect(calls).toBe(callsBefore)
  })
}

const anything: Parcel = { what: 'anything' }

/** An inner service that does nothing but honour its call. */
const hanging: Service<Parcel, Parcel> = async (_request, call) => {
  const { promise, reject } = Promise.withResolvers<Parcel>()
  call.onAbort(reject)
  return promise
}

interface World {
  readonly clock: VirtualClock
  readonly call: OwnedCall
  around(inner: Service<Parcel, Parcel>): Service<Parcel, Parcel>
  settled(answer: Promise<Parcel>): Settled
}

interface Settled {
  isSettled(): boolean
  value(): Parcel | undefined
  error(): unknown
}

function worldOf(make: LayerConformance['make'], options: { readonly timeoutMs?: number } = {}): World {
  const clock = new VirtualClock(1_000)
  const call = createCall({ tenant: 'acme', principal: 'ada', priority: 1, ...options }, { clock })
  return { clock, call, around: make(clock), settled: watch }
}

function watch(answer: Promise<Parcel>): Settled {
  let settled: { readonly value?: Parcel; readonly error?: unknown } | undefined
  answer.then(
    (value) => (settled = { value }),
    (error: unknown) => (settled = { error }),
  )
  return {
    isSettled: () => settled !== undefined,
    value: () => settled?.value,
    error: () => settled?.error,
  }
}
