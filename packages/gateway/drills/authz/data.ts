import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Authorizer } from '@breakwater/authz'
import { ListGuard, acceptOnly as accept, isRefused } from '@breakwater/authz/guard'
import { readLogFolder, verifyLog } from '@breakwater/authz/operate'
import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { acceptOnly, decisionLog, listGuard } from '../controls-authz.ts'
import { arrange, honestLimit, honestRatio } from './play.ts'
import { Shop } from './shop.ts'

/** A profile as a service keeps it. */
interface Profile {
  readonly name: string
  readonly role: string
  readonly tenant: string
  readonly owner: string
}

const PROFILE: Profile = { name: 'Ada', role: 'customer', tenant: 'acme', owner: 'ada' }
const BODIES: readonly string[] = [
  '{"name":"Ada","role":"operator"}',
  '{"role":"operator"}',
  '{"name":"Ada","tenant":"globex"}',
  '{"name":"Ada","owner":"edsger"}',
  '{"name":"Ada","ROLE":"operator","role":"operator"}',
  '{"name":{"role":"operator"},"tenant":"globex"}',
  '{"__proto__":{"role":"operator"},"role":"operator"}',
]

export const selfPromotion: Drill = defineDrill({
  id: 'self-promotion',
  title: 'A profile is saved with more fields than the form has',
  threat: threats.roleFromBody,
  controls: [acceptOnly],
  lab: 'sim',
  arrange,
  attack(_play, { control }) {
    const read = control === 'on' ? accept(['name']) : (body: unknown) => body
    const save = (body: string): Profile | undefined => {
      const accepted = read(JSON.parse(body))
      if (isRefused(accepted)) return undefined
      return { ...PROFILE, ...(accepted as Partial<Profile>) }
    }
    const saved = BODIES.map(save).filter((profile) => profile !== undefined)
    const isChanged = ({ role, tenant, owner }: Profile): boolean =>
      role !== PROFILE.role || tenant !== PROFILE.tenant || owner !== PROFILE.owner
    const honest = save('{"name":"Ada L."}')
    return { promoted: saved.filter(isChanged).length, honest: honest?.name === 'Ada L.' ? 1 : 0 }
  },
  judge: ({ promoted, honest }) => ({
    outcome: promoted === 0 ? 'contained' : 'breached',
    because: [
      { name: 'profiles with an assigned field changed', value: promoted, unit: 'profiles', atMost: 0 },
    ],
    honest: honestLimit(honest),
  }),
})

const PAGE = 5
const ORDERS = Array.from({ length: 60 }, (_, index) => ({
  id: `o${index}`,
  owner: index % 4 === 0 ? 'ada' : 'edsger',
}))

export const countedAway: Drill = defineDrill({
  id: 'counted-away',
  title: 'A competitor reads the length of a list of which it sees little',
  threat: threats.listLeak,
  controls: [listGuard],
  lab: 'sim',
  arrange,
  attack(_play, { control }) {
    const authorizer = new Authorizer({
      policies: `permit (principal, action == Action::"list", resource) when { resource.owner == principal };`,
    })
    const guard = new ListGuard('list', {
      entityType: 'Order',
      id: 'id',
      attributes: { owner: { column: 'owner', type: 'entity', entityType: 'User' } },
    })
    const visible = guard.check(authorizer, { principal: { type: 'User', id: 'ada' }, context: {} })
    const own = ORDERS.filter(({ owner }) => owner === 'ada')
    if (isRefused(visible)) return { leaked: 0, shown: 0, own: own.length }
    // Off: as it is usually done. The store gives a page, the page is filtered, the total is the store's.
    const page = (at: number): readonly { readonly owner: string }[] =>
      control === 'on' ? visible.of(ORDERS).slice(at, at + PAGE) : visible.of(ORDERS.slice(at, at + PAGE))
    const total = control === 'on' ? visible.of(ORDERS).length : ORDERS.length
    let shown = 0
    for (let at = 0; at < total; at += PAGE) shown += page(at).length
    return { leaked: total - own.length, shown, own: own.length }
  },
  judge: ({ leaked, shown, own }) => ({
    outcome: leaked === 0 ? 'contained' : 'breached',
    because: [{ name: 'orders of others that the count tells of', value: leaked, unit: 'orders', atMost: 0 }],
    honest: [{ name: 'own orders shown', value: shown / own, unit: 'ratio', atLeast: 1 }],
  }),
})

/** What an intruder does to a log: each on a fresh copy. */
const TAMPERINGS: readonly ((text: string) => string)[] = [
  (text) => text.replace('"result":"deny"', '"result":"allow"'),
  (text) => text.replace(/usr|ada|edsger/, 'nobody'),
  (text) => text.split('\n').toSpliced(2, 1).join('\n'),
  (text) => text.replace(/\{"seq":2,[^\n]*\n/, (line) => line + line),
  (text) => text.slice(0, Math.floor(text.length / 2)).replace(/[^\n]*$/, ''),
  () => '',
]

export const editedLog: Drill = defineDrill({
  id: 'edited-log',
  title: 'An intruder tries doors and then edits the record of it',
  threat: threats.decisionTampering,
  controls: [decisionLog],
  lab: 'sim',
  arrange,
  async attack({ lab, world }, { control }) {
    const folder = mkdtempSync(join(tmpdir(), 'breakwater-log-'))
    lab.defer(() => rmSync(folder, { recursive: true, force: true }))
    const shop = await Shop.open(world, { authorization: control === 'on' ? { decisionLog: folder } : {} })
    lab.defer(() => shop.close())
    const honest = await honestRatio(shop)
    for (const path of ['/orders/o3', '/invoices/i3', '/admin/flags'])
      await shop.ask('GET', path, { person: 'ada' })
    await shop.gateway.close()
    let unseen = 0
    if (readdirSync(folder).length === 0) return { honest, unseen: TAMPERINGS.length, records: 0 }
    const head = verifyLog(readLogFolder(folder))
    const [name = ''] = readdirSync(folder)
    const whole = readFileSync(join(folder, name), 'utf8')
    for (const tamper of TAMPERINGS) {
      const copy = mkdtempSync(join(tmpdir(), 'breakwater-log-'))
      writeFileSync(join(copy, name), tamper(whole))
      if (verifyLog(readLogFolder(copy), { heads: [head.head] }).ok) unseen++
      rmSync(copy, { recursive: true, force: true })
    }
    return { honest, unseen: head.ok ? unseen : TAMPERINGS.length, records: head.records }
  },
  judge: ({ honest, unseen, records }) => ({
    outcome: unseen === 0 && records > 0 ? 'contained' : 'breached',
    because: [
      { name: 'ways to hide a deed that nobody notices', value: unseen, unit: 'ways', atMost: 0 },
      { name: 'decisions on record', value: records, unit: 'records' },
    ],
    honest: honestLimit(honest),
  }),
})
