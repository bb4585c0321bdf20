import fc from 'fast-check'
import { VirtualClock } from '@breakwater/core'
import { createCall, deadline, stack } from '@breakwater/resilience'
import type { Call, Service } from '@breakwater/resilience'
import { DeadlineGate, decodeDeadline, encodeDeadline } from '@breakwater/resilience/machines'
import { describe, expect, test } from 'vitest'
import { failureOf, sleep } from '../support/calls.ts'

interface Hop {
  readonly ownTimeoutMs: number
  readonly worksMs: number
}

interface Visit {
  readonly hop: number
  readonly header: string | undefined
  readonly leftMs: number
}

/** Services that call each other over a wire: only the header value crosses, and each machine has its own clock zero. */
function chain(clock: VirtualClock, hops: readonly Hop[], trace: Visit[]): Service<undefined, string> {
  let next: ((header: string | undefined) => Promise<string>) | undefined
  for (const [hop, { ownTimeoutMs, worksMs }] of [...hops.entries()].reverse()) {
    const gate = new DeadlineGate({ ownTimeoutMs })
    const inner = next
    const onward: Service<undefined, string> = stack<undefined, string>(
      async (_request, call) =>
        inner === undefined ? 'answer' : inner(encodeDeadline(call.deadlineMs, clock.now())),
      [deadline()],
    )
    next = async (header) => {
      const deadlineMs = gate.arrive(header, clock.now())
      trace.push({ hop, header, leftMs: deadlineMs - clock.now() })
      using call = createCall({ deadlineMs }, { clock })
      await sleep(call, worksMs)
      return onward(undefined, call)
    }
  }
  const first = next ?? ((): Promise<string> => Promise.resolve('answer'))
  return (_request, call: Call) => first(encodeDeadline(call.deadlineMs, clock.now()))
}

describe('deadlines over hops', () => {
  test('three hops see the time shrink, and the one with none left is not called', async () => {
    const clock = new VirtualClock()
    const trace: Visit[] = []
    const hops = [
      { ownTimeoutMs: 5_000, worksMs: 40 },
      { ownTimeoutMs: 5_000, worksMs: 50 },
      { ownTimeoutMs: 5_000, worksMs: 20 },
      { ownTimeoutMs: 5_000, worksMs: 1 },
    ]
    using call = createCall({ timeoutMs: 100 }, { clock })
    const failure = failureOf(chain(clock, hops, trace)(undefined, call))
    await clock.advance(1_000)
    expect(await failure).toMatchObject({ code: 'BW_RESILIENCE_DEADLINE_EXCEEDED' })
    expect(trace).toEqual([
      { hop: 0, header: '100', leftMs: 100 },
      { hop: 1, header: '60', leftMs: 60 },
      { hop: 2, header: '10', leftMs: 10 },
    ])
  })

  test('no hop ever has more time than the one before it, or than its own limit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 500 }),
        fc.array(
          fc.record({
            ownTimeoutMs: fc.integer({ min: 1, max: 300 }),
            worksMs: fc.integer({ min: 0, max: 100 }),
          }),
          { minLength: 1, maxLength: 6 },
        ),
        async (timeoutMs, hops) => {
          const clock = new VirtualClock()
          const trace: Visit[] = []
          using call = createCall({ timeoutMs }, { clock })
          const outcome = chain(clock, hops, trace)(undefined, call).catch(() => 'late')
          await clock.advance(2_000)
          await outcome
          let earlierMs = timeoutMs
          for (const { hop, leftMs } of trace) {
            expect(leftMs).toBeGreaterThan(0)
            expect(leftMs).toBeLessThanOrEqual(Math.min(earlierMs, hops[hop]?.ownTimeoutMs ?? 0))
            earlierMs = leftMs
          }
        },
      ),
    )
  })

  test('a value survives the wire without ever gaining time', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (leftMs, here, there) => {
          const received = decodeDeadline(encodeDeadline(here + leftMs, here), there) - there
          expect(received).toBeLessThanOrEqual(leftMs + 1e-6)
          expect(received).toBeGreaterThan(leftMs - 1 - 1e-6)
        },
      ),
    )
  })

  test('whatever else comes over the wire is refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        fc.pre(!/^\d{1,10}$/.test(value))
        expect(decodeDeadline(value, 0)).toBeNaN()
      }),
    )
  })
})
