import { generateKeyPairSync } from 'node:crypto'
import { mkdtempDisposableSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signBundle, writeBundle } from '@breakwater/authz/operate'
import { resolveText } from '@breakwater/contract'
import type { GatewayConfig } from '@breakwater/contract'
import { expect, test } from 'vitest'

import { POLICIES, SCHEMA, entitiesJson } from '../../drills/authz/policies.ts'
import { BundlePoint } from './bundle-point.ts'

const BUNDLE = { name: 'breakwater', version: 1, issuedAtMs: 0 }

/** A folder and a key; `settings` puts the bundle of a version into a file there. */
function release(folder: string): {
  readonly config: GatewayConfig
  settings(version: number, file?: string): Parameters<typeof BundlePoint.open>[0]
} {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const gateway = resolveText('listeners: { a: { port: 0 } }\nupstreams: {}\nroutes: {}\n')
  if (!gateway.ok) throw new Error(JSON.stringify(gateway.error))
  const trustedKeys = [String(publicKey.export({ format: 'jwk' }).x)]
  const content = { policies: [{ file: 'shop.cedar', text: POLICIES }], schema: SCHEMA }
  return {
    config: gateway.value.config,
    settings(version, file = 'shop.bundle') {
      const bundleFile = join(folder, file)
      writeFileSync(bundleFile, signBundle(writeBundle({ ...BUNDLE, version, content }), privateKey))
      return { bundleFile, trustedKeys, staleAfterMs: 1000, replay: 0 }
    },
  }
}

test('no reload to other settings takes an older bundle than the one in force', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'breakwater-bundle-'))
  const { config, settings } = release(folder.path)
  const point = BundlePoint.open(settings(2), config, () => 0, undefined)
  const older = settings(1, 'other.bundle')
  expect(() => BundlePoint.open(older, config, () => 0, point)).toThrow('version 1, at least 2')
  expect(BundlePoint.open(settings(3, 'other.bundle'), config, () => 0, point).state?.version).toBe(3)
})

test('no reload takes an older bundle than another process has taken from the same file', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'breakwater-bundle-'))
  const { config, settings } = release(folder.path)
  const [one, other] = [1, 2].map(() => BundlePoint.open(settings(1), config, () => 0, undefined))
  expect(BundlePoint.open(settings(3), config, () => 0, other).state?.version).toBe(3)
  expect(BundlePoint.open(settings(2), config, () => 0, one).state?.version).toBe(1)
  expect(BundlePoint.open(settings(3), config, () => 0, one).state?.version).toBe(3)
})

test('a bundle that the entities at hand do not fit is not put on record', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'breakwater-bundle-'))
  const { config, settings } = release(folder.path)
  const point = BundlePoint.open(settings(1), config, () => 0, undefined)
  const other = { ...settings(2), staleAfterMs: 2000 }
  const live = { upsert: [{ uid: { type: 'Stranger', id: 's' } }] }
  expect(() => BundlePoint.open(other, config, () => 0, point, live)).toThrow('Stranger')
  expect(readFileSync(join(folder.path, 'shop.bundle.min-version'), 'utf8')).toContain('"version":1')
  const removal = { remove: [{ type: 'Tenant', id: 'none' }] }
  expect(BundlePoint.open(other, config, () => 0, point, removal).live).toEqual({ upsert: [], remove: [] })
})

test('decisions of a bundle are repeated by the official engine, as those of a folder are', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-bundle-'))
  const bundleFile = join(folder, 'shop.bundle')
  const content = {
    policies: [{ file: 'shop.cedar', text: POLICIES }],
    schema: SCHEMA,
    entities: entitiesJson(),
  }
  writeFileSync(bundleFile, signBundle(writeBundle({ ...BUNDLE, content }), privateKey))
  const gateway = resolveText('listeners: { a: { port: 0 } }\nupstreams: {}\nroutes: {}\n')
  if (!gateway.ok) throw new Error(JSON.stringify(gateway.error))
  const trustedKeys = [String(publicKey.export({ format: 'jwk' }).x)]
  const settings = { bundleFile, trustedKeys, staleAfterMs: 1000, replay: 1 }
  const point = BundlePoint.open(settings, gateway.value.config, () => 0, undefined)
  try {
    const uid = (type: string, id: string): { type: string; id: string } => ({ type, id })
    const decision = point.decide({
      principal: uid('User', 'ada'),
      action: uid('Action', 'viewOrder'),
      resource: uid('Order', 'o1'),
      context: {
        workload: { __entity: uid('Workload', 'web') },
        tenant: { __entity: uid('Tenant', 'acme') },
      },
    })
    expect(decision.decision).toBe('allow')
    await expect.poll(() => point.replays?.compared, { timeout: 20_000 }).toBe(1)
    expect(point.replays).toMatchObject({ mismatches: 0, failures: 0 })
  } finally {
    point.close()
    rmSync(folder, { recursive: true })
  }
})
