import { generateKeyPairSync } from 'node:crypto'
import { mkdtempDisposableSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { AuthzRequest } from '../engine/request.ts'
import { isRefused } from '../guard/refused.ts'
import { ListGuard } from '../guard/list-guard.ts'
import { guard } from '../guard/guard.ts'
import { BundleFile } from './bundle-file.ts'
import { writeBundle } from './bundle.ts'
import { FollowedPolicies, type FollowedEvent } from './followed-policies.ts'
import { signBundle } from './signature.ts'

const HOUR = 3_600_000
const uid = (type: string, id: string): { type: string; id: string } => ({ type, id })
const ann: AuthzRequest = {
  principal: uid('User', 'ann'),
  action: uid('Action', 'view'),
  resource: uid('Doc', 'd'),
}
const SCHEMA = 'entity User, Doc; action view appliesTo { principal: [User], resource: [Doc] };'
const MAY = '@id("all") permit (principal, action, resource);'
const MAY_NOT = '@id("all") permit (principal == User::"bob", action, resource);'

function told(): { readonly events: string[]; readonly onEvent: (event: FollowedEvent) => void } {
  const events: string[] = []
  const onEvent = (event: FollowedEvent): void =>
    void events.push(event.kind === 'accepted' ? event.kind : `${event.kind} ${event.error.code}`)
  return { events, onEvent }
}

function folderWith(
  text: string,
): { readonly path: string; readonly write: (text: string) => void } & Disposable {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'breakwater-followed-'))
  const write = (cedar: string): void => writeFileSync(join(folder.path, 'a.cedar'), cedar)
  writeFileSync(join(folder.path, 'a.cedarschema'), SCHEMA)
  write(text)
  return { path: folder.path, write, [Symbol.dispose]: () => folder.remove() }
}

const decides = (policies: FollowedPolicies, nowMs = Date.now()): string =>
  policies.at(nowMs).decide(ann).decision

describe('policies of a folder', () => {
  test('are those that it holds at the next decision', () => {
    using folder = folderWith(MAY)
    const { events, onEvent } = told()
    const policies = new FollowedPolicies({ folder: folder.path }, { onEvent }, Date.now())
    for (const [text, decision] of [
      [MAY_NOT, 'deny'],
      [MAY, 'allow'],
      [MAY_NOT, 'deny'],
    ] as const) {
      folder.write(text)
      expect(decides(policies)).toBe(decision)
    }
    expect(events).toEqual(['accepted', 'accepted', 'accepted'])
  })

  test('are found changed in whatever way the file came', () => {
    using folder = folderWith(MAY)
    const policies = new FollowedPolicies({ folder: folder.path }, {}, Date.now())
    // Long after the last change, when a mark on the file is believed.
    const later = Date.now() + HOUR
    expect([decides(policies, later), decides(policies, later + 1)]).toEqual(['allow', 'allow'])
    writeFileSync(join(folder.path, 'b.cedar'), '@id("none") forbid (principal, action, resource);')
    expect(decides(policies, later + 2)).toBe('deny')
    rmSync(join(folder.path, 'b.cedar'))
    expect(decides(policies, later + 3)).toBe('allow')
    writeFileSync(join(folder.path, 'a.cedar.new'), MAY_NOT)
    renameSync(join(folder.path, 'a.cedar.new'), join(folder.path, 'a.cedar'))
    expect(decides(policies, later + 4)).toBe('deny')
  })

  test('are compiled only when they have changed', () => {
    using folder = folderWith(MAY)
    const policies = new FollowedPolicies({ folder: folder.path }, {}, Date.now())
    const first = policies.at(Date.now())
    folder.write(MAY)
    expect(policies.at(Date.now())).toBe(first)
    expect(policies.at(Date.now() + HOUR)).toBe(first)
  })

  test('stay as they were while what is there cannot be used, and that is told once', () => {
    using folder = folderWith(MAY)
    const { events, onEvent } = told()
    const policies = new FollowedPolicies({ folder: folder.path }, { onEvent }, Date.now())
    folder.write('permit (principal')
    expect([decides(policies), decides(policies)]).toEqual(['allow', 'allow'])
    folder.write('permit (principal, action == Action::"none", resource);')
    expect(decides(policies)).toBe('allow')
    rmSync(join(folder.path, 'a.cedar'))
    expect(decides(policies)).toBe('allow')
    folder.write(MAY)
    expect(decides(policies)).toBe('allow')
    expect(events).toEqual([
      'refused BW_AUTHZ_POLICY_INVALID',
      'refused BW_AUTHZ_POLICY_REFUSED',
      'refused BW_AUTHZ_POLICY_INVALID',
      'accepted',
    ])
  })

  test('deny everything once they could not be used for too long, until they can again', async () => {
    using folder = folderWith(MAY)
    const { events, onEvent } = told()
    const started = Date.now()
    const policies = new FollowedPolicies({ folder: folder.path }, { maxAgeMs: HOUR, onEvent }, started)
    expect(decides(policies, started + 5 * HOUR)).toBe('allow')
    folder.write('permit (principal')
    expect(decides(policies, started + 6 * HOUR)).toBe('allow')
    const late = policies.at(started + 6 * HOUR + 1)
    expect(late.decide(ann)).toMatchObject({ decision: 'deny', failure: { code: 'BW_AUTHZ_BUNDLE_STALE' } })
    const who = { principal: ann.principal, context: {} }
    const hidden = await guard({ action: 'view', type: 'Doc' }, () => ({})).check(late, { who, id: 'd' })
    const list = new ListGuard('view', { entityType: 'Doc', id: 'id', attributes: {} }).check(late, who)
    expect([hidden, list].map((one) => (isRefused(one) ? one.status : 200))).toEqual([503, 503])
    expect(decides(policies, started + 7 * HOUR)).toBe('deny')
    folder.write(MAY)
    expect(decides(policies, started + 8 * HOUR)).toBe('allow')
    expect(events).toEqual(['refused BW_AUTHZ_POLICY_INVALID', 'stale BW_AUTHZ_BUNDLE_STALE', 'accepted'])
  })

  test('that cannot be used at the start are an error', () => {
    using folder = folderWith('permit (')
    const open = (path: string, maxAgeMs = HOUR) => new FollowedPolicies({ folder: path }, { maxAgeMs }, 0)
    const coded = (code: string): unknown => expect.objectContaining({ code })
    expect(() => open(folder.path)).toThrow(coded('BW_AUTHZ_POLICY_INVALID'))
    expect(() => open(join(folder.path, 'nothing'))).toThrow(coded('BW_AUTHZ_POLICY_INVALID'))
    expect(() => open(folder.path, 0)).toThrow(coded('BW_AUTHZ_OPTIONS_INVALID'))
  })
})

describe('policies of a bundle', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const stranger = generateKeyPairSync('ed25519')

  function bundleFile() {
    const folder = mkdtempDisposableSync(join(tmpdir(), 'breakwater-followed-'))
    const path = join(folder.path, 'shop.bundle')
    const put = (version: number, text: string, issuedAtMs: number, key = privateKey): void => {
      const content = { policies: [{ file: 'a.cedar', text }], schema: SCHEMA }
      writeFileSync(path, signBundle(writeBundle({ name: 'shop', version, issuedAtMs, content }), key))
    }
    return { path, put, [Symbol.dispose]: () => folder.remove() }
  }
  const follow = (bundle: string, nowMs: number, onEvent?: (event: FollowedEvent) => void) =>
    new FollowedPolicies(
      { bundle, name: 'shop', trustedKeys: [publicKey] },
      { maxAgeMs: HOUR, ...(onEvent !== undefined && { onEvent }) },
      nowMs,
    )

  test('are those of the newest one that is good, at the next decision', () => {
    using file = bundleFile()
    const { events, onEvent } = told()
    const now = Date.now()
    file.put(2, MAY, now)
    const policies = follow(file.path, now, onEvent)
    expect(decides(policies, now)).toBe('allow')
    file.put(3, MAY_NOT, now, stranger.privateKey)
    expect(decides(policies, now)).toBe('allow')
    file.put(1, MAY_NOT, now)
    expect(decides(policies, now)).toBe('allow')
    file.put(3, MAY_NOT, now)
    expect([decides(policies, now), policies.version]).toEqual(['deny', 'shop@3'])
    expect(events).toEqual(['refused BW_AUTHZ_BUNDLE_REFUSED', 'refused BW_AUTHZ_BUNDLE_REFUSED', 'accepted'])
    file.put(2, MAY, now)
    expect(() => follow(file.path, now)).toThrow('version 2, at least 3')
  })

  test('are never older than what another process has taken from the same file', () => {
    using file = bundleFile()
    const now = Date.now()
    file.put(2, MAY, now)
    const policies = follow(file.path, now)
    new BundleFile(file.path).keep({ name: 'shop', version: 5 })
    file.put(4, MAY_NOT, now)
    expect([decides(policies, now), policies.version]).toEqual(['allow', 'shop@2'])
  })

  test('deny everything once its signature is too old, until it is signed anew', () => {
    using file = bundleFile()
    const { events, onEvent } = told()
    const now = Date.now()
    file.put(1, MAY, now)
    const policies = follow(file.path, now, onEvent)
    expect([decides(policies, now + HOUR), decides(policies, now + HOUR + 1)]).toEqual(['allow', 'deny'])
    file.put(1, MAY, now + HOUR)
    expect(decides(policies, now + HOUR + 2)).toBe('allow')
    expect(events).toEqual(['stale BW_AUTHZ_BUNDLE_STALE'])
  })
})
