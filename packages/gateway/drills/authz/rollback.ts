import { generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { signBundle, writeBundle } from '@breakwater/authz/operate'
import { threats } from '@breakwater/contract'
import { isBreakwaterError } from '@breakwater/core'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { signedBundles } from '../controls-authz.ts'
import { SimWorld } from '../lab/world.ts'
import { arrange, honestLimit } from './play.ts'
import { POLICIES, SCHEMA, entitiesJson } from './policies.ts'
import { EPOCH_MS, Shop } from './shop.ts'
import type { ShopOptions } from './shop.ts'

/** Once operators ran the shop; then the rule was taken back. */
const OLD = POLICIES
const NEW = POLICIES.replace(/@id\("operators-run-the-shop"\)[^;]*;/, '')

/** Where policies lie, and how they get there. */
interface Place {
  readonly source: NonNullable<ShopOptions['policySource']>
  /** The owner's way: number `version` of the policies. */
  publish(text: string, version: number): void
  /** The attacker's: the genuine file of before, and the same with another number. */
  putBack(): void
  forge(): void
  /** All that an attacker can send. */
  readonly sendable: readonly Uint8Array[]
}

function plainFolder(folder: string): Place {
  const policies = join(folder, 'policies')
  mkdirSync(policies)
  writeFileSync(join(policies, 'shop.cedarschema'), SCHEMA)
  writeFileSync(join(policies, 'entities.json'), entitiesJson())
  const write = (text: string): void => writeFileSync(join(policies, 'shop.cedar'), text)
  return {
    source: { policies },
    publish: write,
    putBack: () => write(OLD),
    forge: () => write(OLD),
    sendable: [],
  }
}

function signedFile(folder: string): Place {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const bundle = join(folder, 'shop.bundle')
  const signed = (text: string, version: number, key: KeyObject): Uint8Array => {
    const content = { policies: [{ file: 'shop.cedar', text }], schema: SCHEMA, entities: entitiesJson() }
    return signBundle(writeBundle({ name: 'breakwater', version, issuedAtMs: EPOCH_MS, content }), key)
  }
  const old = signed(OLD, 1, privateKey)
  const forged = signed(OLD, 3, generateKeyPairSync('ed25519').privateKey)
  return {
    source: { bundle, trustedKeys: [String(publicKey.export({ format: 'jwk' }).x)] },
    publish: (text, version) => writeFileSync(bundle, signed(text, version, privateKey)),
    putBack: () => writeFileSync(bundle, old),
    forge: () => writeFileSync(bundle, forged),
    sendable: [old, forged],
  }
}

/** Reads what lies there now. A gateway that refuses it goes on with what it has. */
async function reload({ gateway }: Shop): Promise<void> {
  try {
    await gateway.reload(gateway.config)
  } catch (error) {
    if (!isBreakwaterError(error)) throw error
  }
}

/** A process that begins anew; undefined when it does not start with what lies there. */
async function restarted(shop: Shop, open: () => Promise<Shop>): Promise<Shop | undefined> {
  await shop.close()
  try {
    return await open()
  } catch (error) {
    if (isBreakwaterError(error)) return undefined
    throw error
  }
}

export const policyRollback: Drill = defineDrill({
  id: 'policy-rollback',
  title: 'The policies of last week are put back: in their place, sent, forged, and before a restart',
  threat: threats.policyRollback,
  controls: [signedBundles],
  lab: 'sim',
  arrange,
  async attack({ lab }, { control }) {
    const folder = mkdtempSync(join(tmpdir(), 'breakwater-rollback-'))
    lab.defer(() => rmSync(folder, { recursive: true, force: true }))
    const place = control === 'on' ? signedFile(folder) : plainFolder(folder)
    const open = async (): Promise<Shop> => {
      const shop = await Shop.open(new SimWorld(lab), { policySource: place.source })
      lab.defer(() => shop.close())
      return shop
    }
    const honest: number[] = []
    let passed = 0
    /** The operator that was dismissed tries again. */
    const tryAgain = async (shop: Shop): Promise<void> => {
      const { status } = await shop.ask('POST', '/admin/flags', { person: 'olga' })
      if (status === 200) passed += 1
    }
    const serve = async (shop: Shop): Promise<void> => {
      honest.push((await shop.ask('GET', '/orders/o1', { person: 'ada' })).status)
    }

    place.publish(OLD, 1)
    const shop = await open()
    honest.push((await shop.ask('POST', '/admin/flags', { person: 'olga' })).status)
    place.publish(NEW, 2)
    await reload(shop)
    await serve(shop)
    for (const put of [() => place.putBack(), () => place.forge()]) {
      put()
      await reload(shop)
      await tryAgain(shop)
    }
    for (const bundle of place.sendable) {
      await shop.gateway.pushBundle(bundle)
      await tryAgain(shop)
    }
    await serve(shop)
    place.putBack()
    const again = await restarted(shop, open)
    if (again !== undefined) await tryAgain(again)
    place.publish(NEW, 2)
    const last = await restarted(again ?? shop, open)
    if (last !== undefined) await serve(last)
    return { passed, honest: honest.filter((status) => status === 200).length / 4 }
  },
  judge: ({ passed, honest }) => ({
    outcome: passed === 0 ? 'contained' : 'breached',
    because: [{ name: 'deeds by a right that was taken away', value: passed, unit: 'deeds', atMost: 0 }],
    honest: honestLimit(honest),
  }),
})
