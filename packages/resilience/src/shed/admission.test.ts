import { VirtualClock } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { AdaptiveLimit } from '../adaptive/adaptive-limit.ts'
import { createCall } from '../call.ts'
import type { OwnedCall, Priority } from '../call.ts'
import { admission } from './admission.ts'

function setUp(maxQueued = 10) {
  const clock = new VirtualClock()
  const limit = new AdaptiveLimit({ initialLimit: 1, minLimit: 1, maxLimit: 1 }, 0)
  const order: string[] = []
  const service = admission<string, string>(
    { limit, queue: { maxQueued } },
    { seed: 1 },
  )(
    (request) =>
      new Promise((resolve) => {
        order.push(request)
        clock.schedule(10, () => resolve(request))
      }),
  )
  const caller = (priority: Priority = 2): OwnedCall => createCall({ priority }, { clock })
  const ask = (request: string, call = caller()) => {
    const outcome: { value?: string; error?: unknown } = {}
    service(request, call).then(
      (value) => (outcome.value = value),
      (error: unknown) => (outcome.error = error),
    )
    return outcome
  }
  return { clock, limit, order, ask, caller }
}

describe('admission', () => {
  test('runs as many as the limit allows, and the waiting by priority', async () => {
    const { clock, limit, order, ask, caller } = setUp()
    ask('first')
    ask('background', caller(3))
    ask('critical', caller(0))
    await clock.advance(100)
    expect(order).toEqual(['first', 'critical', 'background'])
    expect(limit.inflight).toBe(0)
  })

  test('refuses at once what finds the queue full', async () => {
    const { clock, ask } = setUp(1)
    ask('runs')
    ask('waits')
    const refused = ask('refused')
    await clock.advance(0)
    expect(refused.error).toMatchObject({
      code: 'BW_RESILIENCE_LOAD_SHED',
      details: { retryAfterMs: 1000 },
    })
  })

  test('tells the one who is pushed out', async () => {
    const { clock, ask, caller } = setUp(1)
    ask('runs')
    const background = ask('background', caller(3))
    const critical = ask('critical', caller(0))
    await clock.advance(50)
    expect(background.error).toMatchObject({ code: 'BW_RESILIENCE_LOAD_SHED' })
    expect(critical.value).toBe('critical')
  })

  test('takes a caller who goes away out of the queue with his own reason, and keeps no permit', async () => {
    const { clock, limit, order, ask, caller } = setUp()
    ask('runs')
    const call = caller()
    const gone = ask('gone', call)
    await clock.advance(1)
    call.abort(new Error('gone'))
    await clock.advance(100)
    expect(gone.error).toEqual(new Error('gone'))
    expect([order, limit.inflight]).toEqual([['runs'], 0])
  })
})
