import { VirtualClock } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { createCall } from '../call.ts'
import type { Call } from '../call.ts'
import { wait } from '../internal/wait.ts'
import { stack } from '../service.ts'
import { timeout } from './timeout.ts'
import type { TimeoutOptions } from './timeout.ts'

const outcomeOf = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)

/** A service that ignores its abort. */
const deaf =
  (ms: number) =>
  (_request: string, call: Call): Promise<string> =>
    new Promise((resolve) => call.clock.schedule(ms, () => resolve('late answer')))

function run(
  ms: number,
  options: TimeoutOptions<string>,
  isDeaf = false,
): { clock: VirtualClock; outcome: Promise<unknown> } {
  const clock = new VirtualClock()
  const polite = async (_request: string, call: Call): Promise<string> => {
    await wait(call, ms)
    return 'answer'
  }
  const service = stack(isDeaf ? deaf(ms) : polite, [timeout(options)])
  return { clock, outcome: outcomeOf(service('', createCall({}, { clock }))) }
}

describe('timeout', () => {
  test('fails a call that takes too long, at the limit', async () => {
    const { clock, outcome } = run(1_000, { timeoutMs: 100 })
    await clock.advance(100)
    expect(await outcome).toMatchObject({
      code: 'BW_RESILIENCE_DEADLINE_EXCEEDED',
      message: 'no answer within 100 ms',
      details: { timeoutMs: 100 },
    })
    expect(clock.now()).toBe(100)
  })

  test('lets an answer in time through', async () => {
    const { clock, outcome } = run(99, { timeoutMs: 100 })
    await clock.advance(99)
    expect(await outcome).toBe('answer')
  })

  test('waits for a service that ignores its abort, and keeps its answer', async () => {
    const { clock, outcome } = run(1_000, { timeoutMs: 100 }, true)
    await clock.advance(1_000)
    expect(await outcome).toBe('late answer')
  })

  test('abandons one if told to, and hands the late answer over', async () => {
    const late: string[] = []
    const { clock, outcome } = run(
      1_000,
      { timeoutMs: 100, ifIgnored: 'abandon', onLate: (answer) => late.push(answer) },
      true,
    )
    await clock.advance(100)
    expect(await outcome).toMatchObject({ code: 'BW_RESILIENCE_DEADLINE_EXCEEDED' })
    expect(late).toEqual([])
    await clock.advance(900)
    expect(late).toEqual(['late answer'])
  })

  test('passes the reason of a caller that aborts first on, untouched', async () => {
    const clock = new VirtualClock()
    using call = createCall({}, { clock })
    const service = stack<string, void>(
      (_request, inner) => wait(inner, 1_000),
      [timeout({ timeoutMs: 100 })],
    )
    const outcome = outcomeOf(service('', call))
    const reason = { because: 'the tab was closed' }
    call.abort(reason)
    expect(await outcome).toBe(reason)
  })

  test('gives the caller its own reason even when the service makes another error of the abort', async () => {
    const clock = new VirtualClock()
    using call = createCall({}, { clock })
    const service = stack<string, string>(
      (_request, inner) =>
        new Promise((_resolve, reject) => inner.onAbort(() => reject(new Error('socket closed')))),
      [timeout({ timeoutMs: 100 })],
    )
    const outcome = outcomeOf(service('', call))
    call.abort('gone')
    expect(await outcome).toBe('gone')
  })

  test('does not take the blame for the deadline of a call above', async () => {
    const clock = new VirtualClock()
    using call = createCall({ timeoutMs: 50 }, { clock })
    const service = stack<string, void>(
      (_request, inner) => wait(inner, 1_000),
      [timeout({ timeoutMs: 100 })],
    )
    const outcome = outcomeOf(service('', call))
    await clock.advance(50)
    expect(await outcome).toMatchObject({ message: 'the time for this call has passed' })
  })

  test('leaves an error that came in time as it is', async () => {
    const service = stack<string, string>(
      async () => Promise.reject(new Error('refused')),
      [timeout({ timeoutMs: 100 })],
    )
    using call = createCall({}, { clock: new VirtualClock() })
    await expect(service('', call)).rejects.toThrow('refused')
  })

  test('in dark mode aborts nothing', async () => {
    const { clock, outcome } = run(1_000, { timeoutMs: 100, dark: true })
    await clock.advance(1_000)
    expect(await outcome).toBe('answer')
  })

  test.each([0, -1, NaN, Infinity])('refuses a limit of %d', (timeoutMs) => {
    expect(() => timeout({ timeoutMs })).toThrow(`timeoutMs must be above 0 and finite, got ${timeoutMs}`)
  })
})
