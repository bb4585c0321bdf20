import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VirtualClock } from '@breakwater/core'
import { afterEach } from 'vitest'

import { Shop } from '../../drills/authz/shop.ts'
import type { ShopOptions } from '../../drills/authz/shop.ts'
import { SimWorld } from '../../drills/lab/world.ts'

const open: Shop[] = []
const folders: string[] = []
afterEach(async () => {
  for (const shop of open.splice(0)) await shop.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A world in which time moves only when told to. */
export function newWorld(): SimWorld {
  return new SimWorld({ seed: 1, clock: new VirtualClock() })
}

/** A guarded shop in that world, closed after the test. */
export async function shopIn(world: SimWorld, options: ShopOptions = {}): Promise<Shop> {
  const shop = await Shop.open(world, options)
  open.push(shop)
  return shop
}

/** A guarded shop in a world of its own, closed after the test. */
export async function shopWith(options: ShopOptions = {}): Promise<Shop> {
  return shopIn(newWorld(), options)
}

/** A folder that is gone after the test, when all shops are closed. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-authz-'))
  folders.push(folder)
  return folder
}

/** The code of a problem document. */
export const codeOf = ({ text }: { readonly text: string }): string =>
  /"code":"([A-Z_]+)"/.exec(text)?.[1] ?? 'none'
