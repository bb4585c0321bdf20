import { generateKeyPairSync } from 'node:crypto'
import { mkdtempDisposableSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signBundle, writeBundle } from '@breakwater/authz/operate'
import { resolveText } from '@breakwater/contract'
import { expect, test } from 'vitest'

import { POLICIES, SCHEMA, entitiesJson } from '../../drills/authz/policies.ts'
import { BundlePoint } from './bundle-point.ts'

const BUNDLE = { name: 'breakwater', version: 1, issuedAtMs: 0 }

test('no reload to other settings takes an older bundle than the one in force', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  using folder = mkdtempDisposableSync(join(tmpdir(), 'breakwater-bundle-'))
  const gateway = resolveText('listeners: { a: { port: 0 } }\nupstreams: {}\nroutes: {}\n')
  if (!gateway.ok) throw new Error(JSON.stringify(gateway.error))
  const { config } = gateway.value
  const trustedKeys = [String(publicKey.export({ format: 'jwk' }).x)]
  const settingsOf = (version: number): Parameters<typeof BundlePoint.open>[0] => {
    const bundleFile = join(folder.path, `${version}.bundle`)
    const content = { policies: [{ file: 'shop.cedar', text: POLICIES }], schema: SCHEMA }
    writeFileSync(bundleFile, signBundle(writeBundle({ ...BUNDLE, version, content }), privateKey))
    return { bundleFile, trustedKeys, staleAfterMs: 1000, replay: 0 }
  }
  const point = BundlePoint.open(settingsOf(2), config, () => 0, undefined)
  expect(() => BundlePoint.open(settingsOf(1), config, () => 0, point)).toThrow('version 1, at least 2')
  expect(BundlePoint.open(settingsOf(3), config, () => 0, point).state?.version).toBe(3)
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
