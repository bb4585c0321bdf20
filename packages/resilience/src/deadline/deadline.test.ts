import { VirtualClock } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { createCall } from '../call.ts'
import { stack } from '../service.ts'
import { deadline } from './deadline.ts'
import { DEADLINE_HEADER, DeadlineGate, decodeDeadline, encodeDeadline } from './header.ts'

describe('the deadline header', () => {
  test('is x-request-deadline-ms, whole milliseconds that remain', () => {
    expect(DEADLINE_HEADER).toBe('x-request-deadline-ms')
    expect(encodeDeadline(1_500.9, 1_000)).toBe('500')
    expect(encodeDeadline(1_500, 1_000, 100)).toBe('400')
    expect(encodeDeadline(Infinity, 1_000)).toBeUndefined()
    expect(encodeDeadline(900, 1_000)).toBe('0')
    expect(encodeDeadline(1e15, 0)).toBe('9999999999')
  })

  test('is read against the clock of the machine that receives it', () => {
    expect(decodeDeadline('500', 77_000)).toBe(77_500)
    expect(decodeDeadline(undefined, 77_000)).toBe(Infinity)
  })

  test.each(['', ' 5', '5 ', '+5', '-5', '1.5', '1e3', '0x10', '5ms', '12345678901', '٣', '5,5'])(
    'refuses %j',
    (value) => {
      expect(decodeDeadline(value, 0)).toBeNaN()
      const gate = new DeadlineGate({ ownTimeoutMs: 1_000 })
      expect(() => gate.arrive(value, 0)).toThrow(
        expect.objectContaining({ code: 'BW_RESILIENCE_DEADLINE_MALFORMED' }),
      )
      expect(gate.counters.malformed).toBe(1)
    },
  )
})

describe('a deadline gate', () => {
  test('takes the earlier of the two limits', () => {
    const gate = new DeadlineGate({ ownTimeoutMs: 1_000 })
    expect(gate.arrive('300', 10)).toBe(310)
    expect(gate.arrive('3000', 10)).toBe(1_010)
    expect(gate.arrive(undefined, 10)).toBe(1_010)
  })

  test('refuses expired work on arrival', () => {
    const gate = new DeadlineGate({ ownTimeoutMs: 1_000, minRemainingMs: 20 })
    for (const value of ['0', '19'])
      expect(() => gate.arrive(value, 5)).toThrow(
        expect.objectContaining({ code: 'BW_RESILIENCE_DEADLINE_EXPIRED' }),
      )
    expect(gate.arrive('20', 5)).toBe(25)
    expect(gate.counters.expired).toBe(2)
  })

  test('in dark mode counts and lets everything through on its own limit', () => {
    const gate = new DeadlineGate({ ownTimeoutMs: 1_000, dark: true })
    expect(gate.arrive('0', 0)).toBe(1_000)
    expect(gate.arrive('soon', 0)).toBe(1_000)
    expect(gate.counters).toEqual({ malformed: 1, expired: 1, wouldRefuse: 2 })
  })

  test('refuses a limit that is none', () => {
    expect(() => new DeadlineGate({ ownTimeoutMs: 0 })).toThrow('ownTimeoutMs must be above 0, got 0')
  })
})

describe('the deadline layer', () => {
  test('does not begin work whose time has passed', async () => {
    const clock = new VirtualClock()
    let reached = 0
    const service = stack<string, number>(async () => ++reached, [deadline({ minRemainingMs: 10 })])
    using call = createCall({ timeoutMs: 100 }, { clock })
    expect(await service('', call)).toBe(1)
    await clock.advance(91)
    await expect(service('', call)).rejects.toMatchObject({ code: 'BW_RESILIENCE_DEADLINE_EXPIRED' })
    expect(reached).toBe(1)
  })

  test('in dark mode begins it all the same', async () => {
    const clock = new VirtualClock()
    const service = stack<string, string>(async () => 'answer', [deadline({ dark: true })])
    using call = createCall({ deadlineMs: 0 }, { clock })
    expect(await service('', call)).toBe('answer')
  })
})
