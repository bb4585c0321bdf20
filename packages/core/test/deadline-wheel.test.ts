import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Deadline, DeadlineWheel } from '@breakwater/core'

type Step =
  | { readonly kind: 'arm'; readonly index: number; readonly inMs: number }
  | { readonly kind: 'disarm'; readonly index: number }
  | { readonly kind: 'advance'; readonly byMs: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('arm' as const), index: fc.nat(7), inMs: fc.integer({ min: 0, max: 400 }) }),
  fc.record({ kind: fc.constant('disarm' as const), index: fc.nat(7) }),
  fc.record({ kind: fc.constant('advance' as const), byMs: fc.integer({ min: 0, max: 600 }) }),
)

describe('the deadline wheel', () => {
  test('expires exactly what a plain list of times would expire, and nothing twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const wheel = new DeadlineWheel(0, { slotMs: 4, slots: 16 })
        const expired: number[] = []
        const deadlines = Array.from({ length: 8 }, (_, index) => new Deadline(() => expired.push(index)))
        const model = new Map<number, number>()
        let nowMs = 0
        for (const move of steps) {
          if (move.kind === 'arm') {
            wheel.arm(deadlines[move.index] as Deadline, nowMs + move.inMs)
            model.set(move.index, nowMs + move.inMs)
          } else if (move.kind === 'disarm') {
            wheel.disarm(deadlines[move.index] as Deadline)
            model.delete(move.index)
          } else {
            nowMs += move.byMs
            expired.length = 0
            wheel.advance(nowMs)
            const due = [...model].filter(([, atMs]) => atMs <= nowMs).map(([index]) => index)
            for (const index of due) model.delete(index)
            expect(new Set(expired)).toEqual(new Set(due))
            expect(expired).toHaveLength(due.length)
          }
          expect(wheel.size).toBe(model.size)
          expect(wheel.nextDueMs()).toBe(Math.min(Infinity, ...model.values()))
        }
      }),
    )
  })

  test('lets a callback postpone itself and call another one off', () => {
    const wheel = new DeadlineWheel(0)
    const seen: string[] = []
    const victim = new Deadline(() => seen.push('victim'))
    const killer: Deadline = new Deadline((nowMs) => {
      seen.push('killer')
      wheel.disarm(victim)
      if (seen.length === 1) wheel.arm(killer, nowMs + 50)
    })
    wheel.arm(victim, 10)
    wheel.arm(killer, 10)
    wheel.advance(16)
    wheel.advance(80)
    expect(seen).toEqual(['killer', 'killer'])
    expect(wheel.size).toBe(0)
  })

  test('keeps a deadline that lies many turns ahead until its time', () => {
    const wheel = new DeadlineWheel(0, { slotMs: 1, slots: 8 })
    let expiredAtMs = -1
    wheel.arm(new Deadline((nowMs) => (expiredAtMs = nowMs)), 1000)
    for (let nowMs = 0; nowMs <= 1100 && expiredAtMs < 0; nowMs++) wheel.advance(nowMs)
    expect(expiredAtMs).toBe(1000)
  })

  test('expires everything after a pause of the process longer than a turn', () => {
    const wheel = new DeadlineWheel(0, { slotMs: 1, slots: 8 })
    let expired = 0
    for (let atMs = 1; atMs <= 40; atMs++) wheel.arm(new Deadline(() => expired++), atMs)
    wheel.advance(10_000)
    expect(expired).toBe(40)
  })

  test('whoever looks only when told to misses nothing by more than a slot', () => {
    const inMs = fc.integer({ min: 0, max: 900 })
    const pushes = fc.array(fc.record({ index: fc.nat(7), inMs, restMs: fc.nat(40) }), {
      maxLength: 80,
      size: 'max',
    })
    fc.assert(
      fc.property(pushes, (steps) => {
        const slotMs = 4
        const wheel = new DeadlineWheel(0, { slotMs, slots: 32 })
        const due = new Map<number, number>()
        const lateMs: number[] = []
        const deadlines = Array.from(
          { length: 8 },
          (_, index) => new Deadline((nowMs) => lateMs.push(nowMs - (due.get(index) ?? Number.NaN))),
        )
        let nowMs = 0
        let lookMs = Infinity
        const goTo = (atMs: number): void => {
          while (lookMs <= atMs) {
            nowMs = lookMs
            wheel.advance(nowMs)
            lookMs = wheel.nextLookMs()
          }
          nowMs = atMs
        }
        for (const { index, inMs: aheadMs, restMs } of steps) {
          due.set(index, nowMs + aheadMs)
          wheel.arm(deadlines[index] as Deadline, nowMs + aheadMs)
          lookMs = Math.min(lookMs, nowMs + aheadMs + slotMs)
          goTo(nowMs + restMs)
        }
        goTo(nowMs + 2_000)
        expect(wheel.size).toBe(0)
        for (const late of lateMs) expect(late).toSatisfy((ms: number) => ms >= 0 && ms <= slotMs)
      }),
    )
  })

  test('who holds a thousand deadlines that are far off looks about once a second', () => {
    const wheel = new DeadlineWheel(0)
    for (let at = 0; at < 1_000; at++) wheel.arm(new Deadline(() => undefined), 60_000 + at * 17)
    let looks = 0
    for (let atMs = wheel.nextLookMs(); atMs < 50_000; atMs = wheel.nextLookMs()) {
      wheel.advance(atMs)
      looks++
    }
    expect(looks).toBeLessThan(60)
  })

  test('refuses a slot count that is not a power of two', () => {
    expect(() => new DeadlineWheel(0, { slots: 12 })).toThrow('power of two, 2 or more, got 12')
    expect(() => new DeadlineWheel(0, { slots: Number.NaN })).toThrow('got NaN')
    expect(() => new DeadlineWheel(0, { slotMs: 0 })).toThrow('above 0, got 0')
  })
})
