import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BulkheadTicket, DeadlineQueue } from './deadline-queue.ts'

describe('the queue of a bulkhead', () => {
  test('stays in order of deadline, then of arrival, whoever leaves from its middle', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(20), { maxLength: 60, size: 'max' }),
        fc.array(fc.nat(59), { maxLength: 20, size: 'max' }),
        (deadlines, leaving) => {
          const queue = new DeadlineQueue()
          const tickets = deadlines.map((untilMs) => {
            const ticket = new BulkheadTicket(() => {})
            queue.push(ticket, untilMs)
            return ticket
          })
          for (const index of leaving) {
            const ticket = tickets[index]
            if (ticket !== undefined) queue.remove(ticket)
          }
          const expected = tickets
            .filter((ticket) => ticket.isQueued)
            .sort((a, b) => a.untilMs - b.untilMs || a.order - b.order)
          const served: BulkheadTicket[] = []
          for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
            queue.remove(next)
            served.push(next)
          }
          expect(served.map((ticket) => ticket.order)).toEqual(expected.map((ticket) => ticket.order))
        },
      ),
    )
  })

  test('removes a ticket once', () => {
    const queue = new DeadlineQueue()
    const ticket = new BulkheadTicket(() => {})
    queue.push(ticket, 1)
    expect([queue.remove(ticket), queue.remove(ticket), queue.size]).toEqual([true, false, 0])
  })
})
