import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { signBundle, writeBundle } from '@breakwater/authz/operate'
import type { GatewayConfig } from '@breakwater/contract'
import { isBreakwaterError } from '@breakwater/core'
import type { Driver, Listener } from '@breakwater/http'
import { describe, expect, test } from 'vitest'

import { POLICIES, SCHEMA, entitiesJson } from '../drills/authz/policies.ts'
import { EPOCH_MS } from '../drills/authz/shop.ts'
import type { Shop, ShopOptions } from '../drills/authz/shop.ts'
import { newFolder, newWorld, shopIn } from './support/guarded-shop.ts'

const olga = { uid: { type: 'User', id: 'olga' }, attrs: { tenant: { type: 'Tenant', id: 'acme' } } }

/** A shop whose next port opens only when it is let. */
async function shopWithSlowPorts(options: ShopOptions = {}): Promise<{
  readonly shop: Shop
  /** No port opens any more. */
  failPorts(): void
  /** Begins a reload to other policies that also opens a port, and stops within it. */
  reload(policies: string): { readonly finish: () => Promise<void> }
}> {
  const world = newWorld()
  const own = world.host('gateway')
  let gate: Promise<void> | undefined
  let isTaken = false
  const driver: Driver = {
    clock: own.clock,
    wheel: own.wheel,
    listen: async (options, accept): Promise<Listener> => {
      await gate
      if (isTaken) throw new Error('the port is taken')
      return own.listen(options, accept)
    },
    connect: (options, onOpen, onError) => own.connect(options, onOpen, onError),
  }
  const shop = await shopIn(world, { ...options, deps: { driver } })
  return {
    shop,
    failPorts: () => void (isTaken = true),
    reload(policies) {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      writeFileSync(join(shop.folder, 'shop.cedar'), policies)
      const { config } = shop.gateway
      const [main] = config.listeners
      if (main === undefined) throw new Error('there is no listener')
      const listeners = [main, { ...main, name: 'other', port: main.port + 1 }]
      const reloaded = shop.gateway.reload({ ...config, listeners })
      return {
        finish: async () => {
          resolve()
          await reloaded
        },
      }
    },
  }
}

const OTHER_POLICIES = `${POLICIES}\n// other words\n`

describe('a right that is taken away', () => {
  test('while a reload is under way stays so afterwards', async () => {
    const { shop, reload } = await shopWithSlowPorts()
    const watch = async (): Promise<number> =>
      (await shop.ask('GET', '/admin/flags', { person: 'olga' })).status
    expect(await watch()).toBe(200)
    const { finish } = reload(OTHER_POLICIES)
    await new Promise((resolve) => void setImmediate(resolve)) // the new policies are read
    shop.gateway.entities?.apply({ upsert: [olga] })
    expect(await watch()).toBe(403)
    await finish()
    expect(await watch()).toBe(403)
  })

  test('stays so when nobody has asked about it for a while', async () => {
    const { shop } = await shopWithSlowPorts()
    const { config } = shop.gateway
    const watch = async (): Promise<number> =>
      (await shop.ask('GET', '/admin/flags', { person: 'olga' })).status
    shop.gateway.entities?.apply({ upsert: [olga] })
    const off: GatewayConfig = { ...config, authorization: { mode: 'off' } }
    await shop.gateway.reload(off)
    await shop.gateway.reload(off)
    expect([await watch(), shop.gateway.entities]).toEqual([200, undefined])
    await shop.gateway.reload(config)
    expect(await watch()).toBe(403)
  })

  test('and does not fit the policies that come refuses these, and the port that was opened for them closes', async () => {
    const { shop, reload } = await shopWithSlowPorts()
    const schema = join(shop.folder, 'shop.cedarschema')
    const before = readFileSync(schema, 'utf8')
    writeFileSync(schema, `${before}\nentity Extra;`)
    await shop.gateway.reload(shop.gateway.config)
    writeFileSync(schema, before)
    const { finish } = reload(OTHER_POLICIES)
    await new Promise((resolve) => void setImmediate(resolve))
    shop.gateway.entities?.apply({ upsert: [{ uid: { type: 'Extra', id: 'e' } }] })
    const refusal: unknown = await finish().catch((error: unknown) => error)
    expect(isBreakwaterError(refusal) && refusal.message).toContain('Extra')
    expect([...shop.gateway.addresses.keys()]).toEqual(['main'])
    writeFileSync(schema, `${before}\nentity Extra;`)
    await reload(OTHER_POLICIES).finish()
    expect([...shop.gateway.addresses.keys()]).toEqual(['main', 'other'])
  })

  test('through a handle that is older than the policies counts for these', async () => {
    const { shop, reload } = await shopWithSlowPorts()
    const { entities } = shop.gateway
    await reload(OTHER_POLICIES).finish()
    entities?.apply({ upsert: [olga] })
    expect((await shop.ask('GET', '/admin/flags', { person: 'olga' })).status).toBe(403)
  })
})

describe('a reload that fails', () => {
  test.each<readonly [string, (config: GatewayConfig, folder: string) => GatewayConfig]>([
    [
      'on its listeners',
      (config) => ({
        ...config,
        listeners: config.listeners.flatMap((one) => [one, { ...one, name: 'other', port: one.port + 1 }]),
      }),
    ],
    [
      'on its decision log',
      ({ authorization, ...config }, folder) => {
        if (authorization.mode === 'off') throw new Error('there is no authorization')
        return { ...config, authorization: { ...authorization, decisionLogDir: join(folder, 'shop.bundle') } }
      },
    ],
  ])('%s leaves the signed policies as they were, and the next one takes them', async (_, spoilt) => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const folder = newFolder()
    const bundle = join(folder, 'shop.bundle')
    const release = (version: number, text: string): void => {
      const content = { policies: [{ file: 'shop.cedar', text }], schema: SCHEMA, entities: entitiesJson() }
      const manifest = { name: 'breakwater', version, issuedAtMs: EPOCH_MS }
      writeFileSync(bundle, signBundle(writeBundle({ ...manifest, content }), privateKey))
    }
    release(1, POLICIES)
    const trustedKeys = [String(publicKey.export({ format: 'jwk' }).x)]
    const { shop, failPorts } = await shopWithSlowPorts({ policySource: { bundle, trustedKeys } })
    const { gateway } = shop
    const watch = async (): Promise<number> =>
      (await shop.ask('GET', '/admin/flags', { person: 'olga' })).status
    release(2, `${POLICIES}\n@id("closed") forbid (principal, action, resource);`)
    failPorts()
    const refusal: unknown = await gateway
      .reload(spoilt(gateway.config, folder))
      .catch((error: unknown) => error)
    expect(isBreakwaterError(refusal) && refusal.code).toBe('BW_GATEWAY_START_FAILED')
    expect(await watch()).toBe(200)
    expect(gateway.bundle?.version).toBe(1)
    expect(readFileSync(`${bundle}.min-version`, 'utf8')).toContain('"version":1')
    await gateway.reload(gateway.config)
    expect(await watch()).toBe(403)
    expect(gateway.bundle?.version).toBe(2)
  })
})
