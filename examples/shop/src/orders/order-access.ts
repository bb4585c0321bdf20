import { ListGuard, guard } from '@breakwater/authz/guard'
import type { Guard, GuardOptions } from '@breakwater/authz/guard'
import { belongsTo, tenantOf } from '../kit/decisions.ts'
import type { Order, OrderStore } from './order-store.ts'

/** An order as the policies see it. */
function asked(action: string): GuardOptions<Order> {
  const entity = ({ tenantId, owner, status }: Order) => ({
    attrs: { ...belongsTo(tenantId, owner), status },
  })
  return { action, type: 'Order', entity }
}

export const viewedOrder: GuardOptions<Order> = asked('viewOrder')

/** The same order as a row of the table. */
export const visibleOrders: ListGuard = new ListGuard('viewOrder', {
  entityType: 'Order',
  id: 'id',
  attributes: {
    tenant: { column: 'tenant_id', type: 'entity', entityType: 'Tenant' },
    owner: { column: 'user_id', type: 'entity', entityType: 'User' },
    status: { column: 'status', type: 'string' },
  },
})

/** Guards one order by an action; it is looked for within the tenant of whoever asks. */
export function orderGuard(action: 'viewOrder' | 'cancelOrder', store: OrderStore): Guard<Order> {
  // An owner may not cancel what is paid, and knows that it is there: 403, for what is not there as well.
  const hides = action === 'viewOrder'
  return guard({ ...asked(action), hides }, (id, who) => store.find(tenantOf(who), id))
}
