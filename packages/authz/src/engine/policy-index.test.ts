import { describe, expect, test } from 'vitest'
import { EntityStore } from '../entities/entity-store.ts'
import type { EntityRecord } from '../entities/entity-record.ts'
import type { EntityUid } from '../entities/uid.ts'
import { frameOf, type Frame } from './frame.ts'
import { CompiledPolicySet } from './policy-set.ts'
import { PolicyIndex } from './policy-index.ts'
import type { CompiledPolicy } from './policy.ts'

const TEXT = `
  permit (principal, action in Action::"read", resource);
  permit (principal, action == Action::"edit", resource);`

function setUp(text = TEXT) {
  const store = new EntityStore()
  const uid = (type: string, id: string): EntityUid => store.uids.uid(type, id)
  store.apply({
    upsert: [
      { uid: { type: 'Action', id: 'list' }, parents: [{ type: 'Action', id: 'read' }] },
      { uid: { type: 'User', id: 'ann' }, attrs: { tenant: 'acme' } },
    ],
  })
  const { policies } = new CompiledPolicySet({ text }, store.uids, undefined)
  let looks = 0
  const counted = policies.map((policy): CompiledPolicy => ({
    ...policy,
    get actions() {
      looks += 1
      return policy.actions
    },
  }))
  const index = new PolicyIndex(counted)
  const frame = (action: string): Frame => frameOf(uid('User', 'ann'), uid('Action', action), uid('Doc', 'd'))
  const found = (of: Frame): string[] => {
    const ids: string[] = []
    index.walk({ frame: of, each: ({ id }) => ids.push(id) })
    return ids
  }
  const looksOf = (of: Frame): number => {
    looks = 0
    found(of)
    return looks
  }
  return { store, frame, found, looksOf }
}

describe('a policy index', () => {
  test('sorts the policies for an action once', () => {
    const { frame, found, looksOf } = setUp()
    expect(found(frame('list'))).toEqual(['policy0'])
    expect(looksOf(frame('list'))).toBe(0)
  })

  test('goes through no policy for an action that nothing names', () => {
    const { frame, found, looksOf } = setUp()
    expect(looksOf(frame('unheard-of'))).toBe(0)
    expect(found(frame('unheard-of'))).toEqual([])
  })

  test('sorts once although every request brings entities of its own', () => {
    const { frame, looksOf } = setUp()
    const withEntities = (): Frame => ({ ...frame('edit'), overlay: new Map() })
    expect(looksOf(withEntities())).toBeGreaterThan(0)
    expect(looksOf(withEntities())).toBe(0)
  })

  test('keeps what a snapshot says of an action apart from what holds now', () => {
    const { frame, found } = setUp()
    const list = frame('list').action
    const overlay = new Map<EntityUid, EntityRecord | undefined>([[list, undefined]])
    expect(found({ ...frame('list'), overlay })).toEqual([])
    expect(found(frame('list'))).toEqual(['policy0'])
    expect(found({ ...frame('list'), overlay })).toEqual([])
  })

  test('leaves out policies that begin with a comparison that is false', () => {
    const tenants = ['acme', 'globex', 'initech', 'hooli']
    const text = tenants
      .map((tenant) => `permit (principal, action, resource) when { principal.tenant == "${tenant}" };`)
      .join('\n')
    const { store, frame, found } = setUp(text)
    expect(found(frame('list'))).toEqual(['policy0'])
    store.apply({ upsert: [{ uid: { type: 'User', id: 'ann' } }] })
    expect(found(frame('list'))).toHaveLength(tenants.length)
  })
})
