import { generateKeyPairSync } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPolicyFolder, signBundle, writeBundle } from '@breakwater/authz/operate'
import type { PolicyContent } from '@breakwater/authz/operate'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { as } from './people.ts'
import { ask, startService, stopService } from './processes.ts'
import type { RunningService } from './processes.ts'

const shopPolicies = join(import.meta.dirname, '../policies')
const NO_CUSTOMERS = '@id("no-customers")\nforbid (principal in Role::"customer", action, resource);\n'

let folder: string
let billing: RunningService | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shop-policies-'))
})
afterEach(async () => {
  if (billing !== undefined) await stopService(billing)
  rmSync(folder, { recursive: true, force: true })
})

const INVOICE = { orderId: 'ord_0123456789abcdef', userId: 'usr_ada', amountCents: 500, currency: 'EUR' }

/** Whether a customer gets an invoice, the same each time. */
async function mayBuy(): Promise<boolean> {
  const { status } = await ask(`${billing?.url}/invoices`, {
    headers: as('usr_ada', 'orders'),
    body: INVOICE,
  })
  return status === 201
}

describe('a change of the policies', () => {
  test('counts for the next request of a service, and back', async () => {
    cpSync(shopPolicies, folder, { recursive: true })
    const file = join(folder, 'shop.cedar')
    const own = readFileSync(file, 'utf8')
    billing = await startService('billing', { SHOP_POLICIES: folder })
    const seen = [await mayBuy()]
    for (const text of [own + NO_CUSTOMERS, own, own + NO_CUSTOMERS]) {
      writeFileSync(`${file}.new`, text)
      renameSync(`${file}.new`, file)
      seen.push(await mayBuy())
    }
    expect(seen).toEqual([true, false, true, false])
  })

  test('that cannot be used is told, and leaves those before in force', async () => {
    cpSync(shopPolicies, folder, { recursive: true })
    billing = await startService('billing', { SHOP_POLICIES: folder })
    let said = ''
    billing.child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    writeFileSync(join(folder, 'entities.json'), '[{')
    expect([await mayBuy(), await mayBuy()]).toEqual([true, true])
    expect(said.match(/^billing: policies refused: BW_AUTHZ_/gm)).toHaveLength(1)
  })

  test('comes as a signed bundle too, and from nobody who may not sign', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const stranger = generateKeyPairSync('ed25519')
    const file = join(folder, 'shop.bundle')
    const put = (version: number, content: PolicyContent, key = privateKey): void => {
      const bundle = writeBundle({ name: 'shop', version, issuedAtMs: Date.now(), content })
      writeFileSync(`${file}.new`, signBundle(bundle, key))
      renameSync(`${file}.new`, file)
    }
    const content = readPolicyFolder(shopPolicies)
    const without = { ...content, policies: [...content.policies, { file: 'no.cedar', text: NO_CUSTOMERS }] }
    put(1, content)
    const { x = '' } = publicKey.export({ format: 'jwk' })
    billing = await startService('billing', { SHOP_BUNDLE: file, SHOP_BUNDLE_KEYS: x })
    const seen = [await mayBuy()]
    put(2, without, stranger.privateKey)
    seen.push(await mayBuy())
    put(2, without)
    seen.push(await mayBuy())
    put(1, content)
    seen.push(await mayBuy())
    expect(seen).toEqual([true, true, false, false])
  })
})
