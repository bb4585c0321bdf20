import fc from 'fast-check'
import { VirtualClock } from '@breakwater/core'
import { circuitBreaker, errors, stack } from '@breakwater/resilience'
import { CircuitBreaker, REFUSED } from '@breakwater/resilience/machines'
import type { BreakerState } from '@breakwater/resilience/machines'
import { describe, expect, test } from 'vitest'
import { callOn, pass, sleep, touchy } from '../support/calls.ts'

type Step =
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'admit' }
  | {
      readonly do: 'report'
      readonly which: number
      readonly as: 'success' | 'failure' | 'ignored'
      readonly tookMs: number
    }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 3_000 }) }),
    fc.record({ do: fc.constant('admit' as const) }),
    fc.record({
      do: fc.constant('report' as const),
      which: fc.nat(),
      as: fc.constantFrom('success' as const, 'failure' as const, 'ignored' as const),
      tookMs: fc.integer({ min: 0, max: 500 }),
    }),
  ),
  { maxLength: 200, size: 'max' },
)

/** Plays steps and calls `look` after each, with the permits still out. */
function play(
  breaker: CircuitBreaker,
  script: readonly Step[],
  look: (nowMs: number, state: BreakerState) => void,
): number {
  const out: number[] = []
  let nowMs = 0
  for (const step of script) {
    if (step.do === 'pass') nowMs += step.ms
    else if (step.do === 'admit') {
      const permit = breaker.admit(nowMs)
      if (permit !== REFUSED) out.push(permit)
    } else if (out.length > 0) {
      const [permit = REFUSED] = out.splice(step.which % out.length, 1)
      if (step.as === 'success') breaker.onSuccess(permit, step.tookMs, nowMs)
      else if (step.as === 'failure') breaker.onFailure(permit, step.tookMs, nowMs)
      else breaker.onIgnored(permit)
    }
    look(nowMs, breaker.state(nowMs))
  }
  return nowMs
}

const options = {
  consecutiveFailures: 2,
  minCalls: 4,
  slowCallMs: 400,
  openMs: 1_000,
  probes: 3,
  probeSuccesses: 2,
  probeLeaseMs: 2_000,
}

describe('a breaker, whatever happens', () => {
  test('has at most one probe out at any time', () => {
    let looked = 0
    fc.assert(
      fc.property(steps, (script) => {
        const breaker = new CircuitBreaker(options, { random: () => 0.5 })
        play(breaker, script, (nowMs, state) => {
          if (state.kind !== 'half-open' || state.probe === undefined) return
          looked++
          expect(breaker.admit(nowMs)).toBe(REFUSED)
        })
      }),
    )
    expect(looked).toBeGreaterThan(0)
  })

  test('never gets stuck: left alone and then served well, it closes', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const breaker = new CircuitBreaker(options, { random: () => 0.5 })
        let nowMs = play(breaker, script, () => {})
        for (let round = 0; round < 10 && breaker.state(nowMs).kind !== 'closed'; round++) {
          nowMs += 60_000
          pass(breaker, nowMs, true)
        }
        expect(breaker.state(nowMs).kind).toBe('closed')
      }),
    )
  })

  test('opens only for a reason: without failures and slow calls it stays closed', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const breaker = new CircuitBreaker(options, { random: () => 0.5 })
        const harmless = script.map((step) =>
          step.do === 'report'
            ? { ...step, as: step.as === 'failure' ? ('ignored' as const) : step.as, tookMs: 0 }
            : step,
        )
        play(breaker, harmless, (_nowMs, state) => expect(state.kind).toBe('closed'))
      }),
    )
  })

  test('is never open beyond its cap', () => {
    fc.assert(
      fc.property(steps, fc.double({ min: 0, max: 1, noNaN: true }), (script, luck) => {
        const breaker = new CircuitBreaker({ ...options, maxOpenMs: 4_000 }, { random: () => luck })
        play(breaker, script, (nowMs) => expect(breaker.retryAfterMs(nowMs)).toBeLessThanOrEqual(4_000))
      }),
    )
  })

  test('goes on the same after an export and an import', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const breaker = new CircuitBreaker(options, { random: () => 0.5 })
        const nowMs = play(breaker, script, () => {})
        const successor = new CircuitBreaker(options, { random: () => 0.5 })
        successor.restore(JSON.parse(JSON.stringify(breaker.export(nowMs))), 0)
        expect(successor.export(0)).toEqual(breaker.export(nowMs))
      }),
    )
  })
})

describe('a breaker shared by a hundred callers', () => {
  test('sends exactly one probe when its time has come, and refuses the ninety-nine', async () => {
    const clock = new VirtualClock()
    const breaker = touchy({ key: 'catalog' })
    let reached = 0
    const service = stack<string, string>(
      async (_request, call) => {
        reached++
        await sleep(call, 50)
        return 'answer'
      },
      [circuitBreaker({ breaker })],
    )
    pass(breaker, 0, false)
    await clock.advance(1_000)
    const answers = Array.from({ length: 100 }, () => service('', callOn(clock)))
    const settled = Promise.allSettled(answers)
    await clock.advance(50)
    const refused = (await settled).filter((answer) => answer.status === 'rejected')
    expect(reached).toBe(1)
    expect(refused).toHaveLength(99)
    expect(breaker.state(1_050).kind).toBe('closed')
  })

  test('stays closed through any mixture of client errors and aborted calls', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(400, 401, 404, 409, 422, 429, 'abort', 'tenant'), {
          minLength: 30,
          maxLength: 60,
        }),
        async (mixture) => {
          const clock = new VirtualClock()
          const breaker = new CircuitBreaker({ consecutiveFailures: 2, minCalls: 5 })
          const service = stack<number | string, string>(
            async (kind) => {
              if (kind === 'abort') throw new DOMException('gone', 'AbortError')
              if (kind === 'tenant') throw errors.BW_RESILIENCE_TENANT_MISSING('none')
              throw Object.assign(new Error(`HTTP ${kind}`), { status: kind })
            },
            [circuitBreaker({ breaker })],
          )
          await Promise.allSettled(mixture.map((kind) => service(kind, callOn(clock))))
          expect(breaker.state(0)).toMatchObject({ kind: 'closed', failures: 0 })
        },
      ),
    )
  })
})
