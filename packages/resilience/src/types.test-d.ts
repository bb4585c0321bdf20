/** What must and what must not compile. `@ts-expect-error` fails the type check when the line below it is accepted. */
import { RetryBudget } from './retry/budget.ts'
import { retry } from './retry/retry.ts'
import { protect } from './protect.ts'
import { stack } from './service.ts'
import type { Layer, Service } from './service.ts'
import { createCall } from './call.ts'
import type { Call } from './call.ts'
import { timeout } from './timeout/timeout.ts'
import type { BreakerState } from './breaker/state.ts'
import { fallback } from './fallback/fallback.ts'
import { errors } from './errors.ts'

interface Order {
  readonly id: string
}

export const orders: Service<Order, number> = async (order) => order.id.length

// A stack keeps the types of its service.
export const protectedOrders: Service<Order, number> = stack(orders, [
  timeout({ timeoutMs: 100 }),
  retry({ budget: new RetryBudget(), retryable: (_error, order: Order) => order.id !== '' }),
])

// @ts-expect-error a retry without a budget has no bound
export const unbounded: Layer<Order, number> = retry({ retryable: () => true })

// @ts-expect-error a limit has a number
export const endless: Layer<Order, number> = timeout({})

export const wrongAnswer: Layer<Order, number> = fallback<Order, number>({
  key: 'orders',
  // @ts-expect-error a fallback answers with what the service answers with
  serve: () => 'none',
})

// @ts-expect-error there is no policy of this name
export const misspelt: Service<Order, number> = protect(orders, { retyr: timeout({ timeoutMs: 1 }) })

export function readOnly(call: Call): void {
  // @ts-expect-error a deadline is set where the call begins
  call.deadlineMs = 0
  // @ts-expect-error the list grows through markDegraded only
  call.degraded.push('catalog')
}

// @ts-expect-error priorities are 0 to 3
createCall({ priority: 4 })

/** Every state is told apart by `kind`, and none is forgotten. */
export function headline(state: BreakerState): string {
  switch (state.kind) {
    case 'closed':
      return `${state.failures} of ${state.calls}`
    case 'open':
      return `until ${state.untilMs}`
    case 'half-open':
      return state.probe === undefined ? 'waiting for a probe' : 'probing'
    case 'forced-open':
    case 'forced-closed':
      return state.by
  }
}

export const code: 'BW_RESILIENCE_CIRCUIT_OPEN' = errors.BW_RESILIENCE_CIRCUIT_OPEN('open').code
// @ts-expect-error no such code
errors.BW_RESILIENCE_CIRCUIT_AJAR('open')
