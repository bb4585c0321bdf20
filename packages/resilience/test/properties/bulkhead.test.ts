import fc from 'fast-check'
import { Bulkhead, BulkheadTicket } from '@breakwater/resilience/machines'
import { describe, expect, test } from 'vitest'

type Step = readonly [kind: 'arrive' | 'release' | 'cancel' | 'expire', number: number, ms: number]

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(fc.constantFrom('arrive', 'arrive', 'release', 'cancel', 'expire'), fc.nat(2_000), fc.nat(50)),
  { maxLength: 300, size: 'max' },
)

describe('a bulkhead, whatever happens', () => {
  test('keeps its limits, decides every ticket once, serves nobody late and always the most urgent', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 4 }), fc.nat(30), (script, maxConcurrent, maxQueue) => {
        const limit = new Bulkhead({ maxConcurrent, maxQueue, maxWaitMs: 1_000 })
        const waiting = new Map<BulkheadTicket, number>()
        let running = 0
        let nowMs = 0
        for (const [kind, number, ms] of script) {
          nowMs += ms
          if (kind === 'arrive') {
            if (limit.tryAcquire()) running++
            else {
              const untilMs = Math.min(nowMs + number, nowMs + 1_000)
              const ticket: BulkheadTicket = new BulkheadTicket((isAdmitted, atMs) => {
                expect(waiting.has(ticket)).toBe(true)
                waiting.delete(ticket)
                if (!isAdmitted) return
                running++
                expect(untilMs).toBeGreaterThan(atMs)
                for (const other of waiting.values()) expect(other >= untilMs || other <= atMs).toBe(true)
              })
              if (limit.enqueue(ticket, nowMs + number, nowMs)) waiting.set(ticket, untilMs)
            }
          } else if (kind === 'release' && running > 0) {
            running--
            limit.release(nowMs)
          } else if (kind === 'cancel' && waiting.size > 0) {
            const ticket = [...waiting.keys()][number % waiting.size]
            if (ticket !== undefined && limit.cancel(ticket)) waiting.delete(ticket)
          } else if (kind === 'expire') limit.expire(nowMs)
          expect(limit.inFlight).toBe(running)
          expect(limit.queued).toBe(waiting.size)
          expect(running).toBeLessThanOrEqual(maxConcurrent)
          expect(waiting.size).toBeLessThanOrEqual(maxQueue)
          expect(running === maxConcurrent || waiting.size === 0).toBe(true)
        }
      }),
    )
  })
})
