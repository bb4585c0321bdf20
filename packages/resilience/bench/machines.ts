import { Bulkhead, CircuitBreaker, Guard, HedgeDelay, RetryBudget } from '@breakwater/resilience/machines'
import type { BenchCase } from './case.ts'

const breaker = new CircuitBreaker()
const slowAware = new CircuitBreaker({ slowCallMs: 1_000 })
const budget = new RetryBudget()
const limit = new Bulkhead({ maxConcurrent: 100 })
const delay = new HedgeDelay()
const guard = new Guard({
  ratePerSecond: 100_000_000,
  maxInFlight: 1_000,
  breaker: new CircuitBreaker({ slowCallMs: 1_000 }),
  budget: new RetryBudget(),
  minRemainingMs: 1,
})

/** The synchronous machines, as the data path calls them: the clock is read once a turn and handed in. */
export const cases: BenchCase[] = [
  {
    name: 'breaker: admit and report',
    run(n) {
      for (let i = 0; i < n; i++) {
        const nowMs = i * 0.01
        breaker.onSuccess(breaker.admit(nowMs), 5, nowMs)
      }
    },
  },
  {
    name: 'breaker with slow calls: admit and report',
    run(n) {
      for (let i = 0; i < n; i++) {
        const nowMs = i * 0.01
        slowAware.onSuccess(slowAware.admit(nowMs), i % 7, nowMs)
      }
    },
  },
  {
    name: 'retry budget: deposit and withdraw',
    run(n) {
      for (let i = 0; i < n; i++) {
        const nowMs = i * 0.01
        budget.deposit(nowMs)
        if (i % 10 === 0) budget.withdraw(nowMs)
      }
    },
  },
  {
    name: 'bulkhead: acquire and release',
    run(n) {
      for (let i = 0; i < n; i++) if (limit.tryAcquire()) limit.release(i * 0.01)
    },
  },
  {
    name: 'hedge delay: record and ask',
    run(n) {
      for (let i = 0; i < n; i++) {
        const nowMs = i * 0.01
        delay.record('GET /products', 1 + (i % 97), nowMs)
        delay.delayMs('GET /products', nowMs)
      }
    },
  },
  {
    name: 'all policies: guard',
    run(n) {
      for (let i = 0; i < n; i++) {
        const nowMs = i * 0.01
        const permit = guard.enter(nowMs, nowMs + 1_000)
        if (permit >= 0) guard.leave(permit, 'success', 5, nowMs)
      }
    },
  },
]
