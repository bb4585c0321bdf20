import { afterEach, expect, test, vi } from 'vitest'
import type { Downstream } from '../src/kit/downstream.ts'
import { Invoicing } from '../src/orders/invoicing.ts'
import type { OrderStore } from '../src/orders/order-store.ts'

afterEach(() => void vi.useRealTimers())

test('a store that fails ends a round, not the service, and the next round asks it again', async () => {
  vi.useFakeTimers()
  const told = vi.spyOn(console, 'error').mockImplementation(() => {})
  let asked = 0
  const store: Pick<OrderStore, 'withoutInvoice'> = {
    withoutInvoice() {
      asked += 1
      throw new Error('disk full')
    },
  }
  const invoicing = new Invoicing(store as OrderStore, {} as Downstream)
  await vi.advanceTimersByTimeAsync(30_000)
  invoicing.stop()
  expect(asked).toBeGreaterThan(2)
  expect(told.mock.calls.flat().join(' ')).toContain('invoices are not caught up: Error: disk full')
})
