import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { signBundle, writeBundle } from '@breakwater/authz/operate'
import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { ControlState, Drill } from '@breakwater/drill'
import type { DecisionPoint } from '@breakwater/gateway'

import { failClosed } from '../controls-authz.ts'
import { arrange, honestLimit } from './play.ts'
import type { Play } from './play.ts'
import { POLICIES, SCHEMA, entitiesJson } from './policies.ts'
import { EPOCH_MS, Shop } from './shop.ts'

/** Half of the decisions go wrong in one way or another, the rest are an allow for what is one's own. */
async function openBroken(
  { lab, world }: Play,
  { control }: { readonly control: ControlState },
  decide: DecisionPoint['decide'],
): Promise<Shop> {
  // Dark mode is what fails open: it decides, tells, and lets everything pass.
  const shop = await Shop.open(world, {
    authorization: { mode: control === 'on' ? 'enforce' : 'dark' },
    deps: { decisionPoint: { decide } },
  })
  lab.defer(() => shop.close())
  return shop
}

const ALLOW: ReturnType<DecisionPoint['decide']> = {
  decision: 'allow',
  reasons: ['owner'],
  errors: [],
  policyVersion: '1',
  obligations: [],
  engine: 'compiled',
}

export const panicInCheck: Drill = defineDrill({
  id: 'panic-in-check',
  title: 'The check throws, returns nonsense or nothing',
  threat: threats.panicInCheck,
  controls: [failClosed],
  lab: 'sim',
  arrange,
  async attack(play, options) {
    const failures: readonly (() => unknown)[] = [
      () => {
        throw new TypeError("Cannot read properties of undefined (reading 'roles')")
      },
      () => {
        throw 'a string' // oxlint-disable-line no-throw-literal -- what badly behaved code does
      },
      () => undefined,
      () => ({}),
      () => ({ decision: 'maybe', reasons: [], errors: [], obligations: [] }),
      () => ({ ...ALLOW, obligations: undefined }),
      () => Promise.resolve(ALLOW),
    ]
    let at = -1
    const shop = await openBroken(play, options, () =>
      at < 0 ? ALLOW : (failures[at]?.() as ReturnType<DecisionPoint['decide']>),
    )
    const before = await shop.ask('GET', '/orders/o1', { person: 'ada' })
    shop.deeds.length = 0
    for (at = 0; at < failures.length; at++) await shop.ask('GET', '/orders/o3', { person: 'ada' })
    const passed = shop.deeds.length
    at = -1
    const after = await shop.ask('GET', '/orders/o1', { person: 'ada' })
    return { passed, honest: [before, after].filter(({ status }) => status === 200).length / 2 }
  },
  judge: ({ passed, honest }) => ({
    outcome: passed === 0 ? 'contained' : 'breached',
    because: [{ name: 'requests that passed a broken check', value: passed, unit: 'requests', atMost: 0 }],
    honest: honestLimit(honest),
  }),
})

const HOUR_MS = 3_600_000

/** The bundle was signed, and then nobody signed another one. */
export const staleBundle: Drill = defineDrill({
  id: 'stale-bundle',
  title: 'The policies are older than they may be: nobody can say any more what is right',
  threat: threats.policyEngineDown,
  controls: [failClosed],
  lab: 'sim',
  arrange,
  async attack({ lab, world }, { control }) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const content = {
      policies: [{ file: 'shop.cedar', text: POLICIES }],
      schema: SCHEMA,
      entities: entitiesJson(),
    }
    const bundle = writeBundle({ name: 'breakwater', version: 1, issuedAtMs: EPOCH_MS, content })
    const folder = mkdtempSync(join(tmpdir(), 'breakwater-bundle-'))
    lab.defer(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'shop.bundle')
    writeFileSync(file, signBundle(bundle, privateKey))
    const shop = await Shop.open(world, {
      policySource: {
        bundle: file,
        trustedKeys: [String(publicKey.export({ format: 'jwk' }).x)],
        staleAfter: '1h',
      },
      // Dark mode is what fails open: it decides, tells, and lets everything pass.
      authorization: { mode: control === 'on' ? 'enforce' : 'dark' },
    })
    lab.defer(() => shop.close())
    const asked = await shop.ask('GET', '/orders/o1', { person: 'ada' })
    world.clock.runUntil(HOUR_MS + 60_000)
    shop.deeds.length = 0
    for (const person of ['ada', 'edsger', 'sue'] as const)
      for (const path of ['/orders/o1', '/orders/o2', '/invoices/i3']) await shop.ask('GET', path, { person })
    const passed = shop.deeds.length
    const open = await shop.ask('GET', '/products')
    return { passed, honest: [asked, open].filter(({ status }) => status === 200).length / 2 }
  },
  judge: ({ passed, honest }) => ({
    outcome: passed === 0 ? 'contained' : 'breached',
    because: [
      {
        name: 'requests let through although nobody could decide',
        value: passed,
        unit: 'requests',
        atMost: 0,
      },
    ],
    honest: honestLimit(honest),
  }),
})
