import { expectTypeOf, test } from 'vitest'
import { Authorizer } from '../index.ts'
import { GuardedRouter, ListGuard, acceptOnly, guard, isRefused } from '../guard.ts'
import type { Checked } from '../guard.ts'

interface Order {
  readonly id: string
  readonly owner: string
}

const viewOrder = guard<Order>(
  { action: 'viewOrder', type: 'Order', entity: ({ owner }) => ({ attrs: { owner } }) },
  (id) => ({ id, owner: 'ada' }),
)
const router = new GuardedRouter<string>(new Authorizer({ policies: '' }))

test('a handler gets the checked object and not the id', () => {
  router.object('GET', '/orders/{id}', viewOrder, (order, call) => {
    expectTypeOf(order).toEqualTypeOf<Checked<Order>>()
    // @ts-expect-error there is no id to look up another object by
    return String(call.id)
  })
})

test('a handler without a guard is refused', () => {
  const handler = (order: Order): string => order.id
  const yes = (): boolean => true
  // @ts-expect-error a handler where the guard must stand
  router.object('GET', '/orders/{id}', handler)
  // @ts-expect-error a function is no guard
  router.object('GET', '/orders/{id}', yes, handler)
})

test('an object that nobody has checked is not a checked one', () => {
  const store = (order: Checked<Order>): string => order.id
  // @ts-expect-error loaded, but not checked
  store({ id: 'o1', owner: 'ada' })
})

test('a list handler gets a condition, and has no rows before it uses it', () => {
  router.list(
    'GET',
    '/orders',
    new ListGuard('listOrders', { entityType: 'Order', id: 'id', attributes: {} }),
    (rows) => {
      expectTypeOf(rows.where('sqlite').text).toBeString()
      // @ts-expect-error no rows without the condition
      return String(rows.length)
    },
  )
})

test('a body has the fields that were named and no others', () => {
  const body = acceptOnly(['name', 'email'])({ name: 'Ada' })
  if (isRefused(body)) return
  expectTypeOf(body.name).toBeUnknown()
  // @ts-expect-error not one of them
  expectTypeOf(body.role).toBeUnknown()
})
