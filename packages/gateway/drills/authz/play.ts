import type { ControlState, SimLab } from '@breakwater/drill'

import { SimWorld } from '../lab/world.ts'
import type { Person } from './policies.ts'
import { Shop } from './shop.ts'
import type { ShopOptions } from './shop.ts'

/** The world of an authorization drill. */
export interface Play {
  readonly lab: SimLab
  readonly world: SimWorld
}

export function arrange(lab: SimLab): Play {
  return { lab, world: new SimWorld(lab) }
}

/** Opens the shop; with the control off, `authorization` is off. */
export async function openShop(
  { lab, world }: Play,
  { control }: { readonly control: ControlState },
  options: ShopOptions = {},
): Promise<Shop> {
  const shop = await Shop.open(world, control === 'on' ? options : { ...options, authorization: false })
  lab.defer(() => shop.close())
  return shop
}

/** What honest people do all day: the share of it that works. */
export async function honestRatio(shop: Shop): Promise<number> {
  const asks: readonly (readonly [method: string, path: string, person: Person | undefined])[] = [
    ['GET', '/products', undefined],
    ['GET', '/orders/o1', 'ada'],
    ['GET', '/orders/o3', 'edsger'],
    ['HEAD', '/invoices/i2', 'grace'],
    ['PATCH', '/users/ada', 'ada'],
    ['GET', '/tenants/acme/orders', 'sue'],
    ['GET', '/admin/numbers', 'olga'],
  ]
  let good = 0
  for (const [method, path, person] of asks) {
    const { status } = await shop.ask(method, path, person === undefined ? {} : { person })
    if (status === 200) good++
  }
  shop.deeds.length = 0 // what follows is the attack alone
  return good / asks.length
}

export const honestLimit = (
  value: number,
): readonly [{ name: string; value: number; unit: 'ratio'; atLeast: number }] => [
  { name: 'honest requests served', value, unit: 'ratio', atLeast: 1 },
]
