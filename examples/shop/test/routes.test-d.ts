import { guard } from '@breakwater/authz/guard'
import { expectTypeOf, test } from 'vitest'
import { Decisions } from '../src/kit/decisions.ts'
import { Routes } from '../src/kit/routes.ts'
import type { ServiceRoute } from '../src/kit/service.ts'

interface Parcel {
  readonly id: string
  readonly weightGrams: number
}

const parcel = guard<Parcel>({ action: 'viewOrder', type: 'Order' }, (id) => ({ id, weightGrams: 1 }))
const routes = new Routes(new Decisions({ env: {}, name: 'orders' }))

test('a route is made with a guard or not at all', () => {
  // @ts-expect-error a handler by itself is no route
  const bare: ServiceRoute = {
    method: 'GET',
    path: '/parcels/{id}',
    body: undefined,
    handle: () => ({ status: 200, body: {} }),
  }
  // @ts-expect-error the guard is missing
  routes.object({ method: 'GET', path: '/parcels/{id}', what: 'parcel' }, () => ({ status: 200, body: bare }))
})

test('a guarded handler gets the checked object and no id to look up another by', () => {
  routes.object({ method: 'GET', path: '/parcels/{id}', guard: parcel, what: 'parcel' }, (checked, call) => {
    expectTypeOf(checked.weightGrams).toBeNumber()
    // @ts-expect-error the path is not for the handler
    return { status: 200, body: call.params }
  })
})
