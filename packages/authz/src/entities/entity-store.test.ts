import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Authorizer } from '../engine/authorizer.ts'
import { EntityStore } from './entity-store.ts'
import type { EntityUid } from './uid.ts'

const uid = (id: string, type = 'Node'): { type: string; id: string } => ({ type, id })

/** Ancestors the slow way. */
function walked(entity: EntityUid): Set<string> {
  const found = new Set<string>()
  const open = [...(entity.record?.parents ?? [])]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next.key)) continue
    found.add(next.key)
    open.push(...(next.record?.parents ?? []))
  }
  return found
}

describe('an entity store', () => {
  test('keeps every ancestor set right through any sequence of changes', () => {
    const change = fc.record({
      id: fc.integer({ min: 0, max: 11 }),
      parents: fc.array(fc.integer({ min: 0, max: 11 }), { maxLength: 3 }),
      remove: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 25 }), (transactions) => {
        const store = new EntityStore()
        for (const changes of transactions) {
          const before = store.version
          const images = [...store.entities()].map((entity) => [entity, entity.record] as const)
          const latest = [...new Map(changes.map((one) => [one.id, one])).values()]
          try {
            store.apply({
              upsert: latest
                .filter((one) => !one.remove)
                .map((one) => ({ uid: uid(`${one.id}`), parents: one.parents.map((p) => uid(`${p}`)) })),
              remove: latest.filter((one) => one.remove).map((one) => uid(`${one.id}`)),
            })
          } catch {
            // A cycle: nothing may have changed.
            expect(store.version).toBe(before)
            for (const [entity, record] of images) expect(entity.record).toBe(record)
          }
          for (const entity of store.entities()) {
            expect(new Set([...(entity.record?.ancestors ?? [])].map((a) => a.key))).toEqual(walked(entity))
          }
        }
      }),
      { numRuns: 150, seed: 42 },
    )
  })

  test('refuses a cycle, an entity in itself, and one entity twice, and changes nothing', () => {
    const store = new EntityStore()
    store.apply({ upsert: [{ uid: uid('a'), parents: [uid('b')] }] })
    const refused = (upsert: object[]): void =>
      expect(() => store.apply({ upsert: upsert as never })).toThrow(
        expect.objectContaining({ code: 'BW_AUTHZ_ENTITY_CONFLICT' }),
      )
    refused([{ uid: uid('c') }, { uid: uid('b'), parents: [uid('a')] }])
    refused([{ uid: uid('d'), parents: [uid('d')] }])
    refused([
      { uid: uid('e'), attrs: { n: 1 } },
      { uid: uid('e'), attrs: { n: 2 } },
    ])
    expect([store.size, store.version]).toEqual([1, 1])
  })

  test('denies at the next decision after a membership is revoked, however far up', () => {
    const authorizer = new Authorizer({
      policies: 'permit (principal in Team::"top", action, resource);',
      entities: [
        { uid: uid('ann', 'User'), parents: [uid('red', 'Team')] },
        { uid: uid('red', 'Team'), parents: [uid('top', 'Team')] },
      ],
    })
    const request = {
      principal: uid('ann', 'User'),
      action: uid('view', 'Action'),
      resource: uid('d', 'Doc'),
    }
    const prepared = authorizer.prepare(request)
    expect(authorizer.decide(prepared).decision).toBe('allow')
    authorizer.store.apply({ upsert: [{ uid: uid('red', 'Team') }] })
    expect([authorizer.decide(prepared).decision, authorizer.decide(request).decision]).toEqual([
      'deny',
      'deny',
    ])
  })

  test('keeps names like __proto__ and constructor as ordinary attributes', () => {
    const authorizer = new Authorizer({
      policies:
        'permit (principal, action, resource) when { principal["__proto__"].admin && !(principal has "constructor") };',
      entities:
        '[{"uid":{"type":"User","id":"__proto__"},"attrs":{"__proto__":{"admin":true}},"parents":[]}]',
    })
    const request = {
      principal: uid('__proto__', 'User'),
      action: uid('view', 'Action'),
      resource: uid('d', 'Doc'),
    }
    expect(authorizer.decide(request).decision).toBe('allow')
    expect(authorizer.decide({ ...request, principal: uid('constructor', 'User') }).decision).toBe('deny')
    expect(Reflect.get({}, 'admin')).toBe(undefined)
  })

  test('shows a snapshot the store as it was', () => {
    const authorizer = new Authorizer({
      policies: 'permit (principal in Team::"red", action, resource) when { principal.level > 1 };',
      entities: [{ uid: uid('ann', 'User'), attrs: { level: 2 }, parents: [uid('red', 'Team')] }],
    })
    const request = {
      principal: uid('ann', 'User'),
      action: uid('view', 'Action'),
      resource: uid('d', 'Doc'),
    }
    using before = authorizer.store.snapshot()
    authorizer.store.apply({
      upsert: [{ uid: uid('ann', 'User'), attrs: { level: 2 } }, { uid: uid('bob', 'User') }],
    })
    authorizer.store.apply({ remove: [uid('ann', 'User')] })
    expect(authorizer.decide(request).decision).toBe('deny')
    expect(authorizer.decide(request, { at: before }).decision).toBe('allow')
  })

  test('forgets identities that nothing names any more', () => {
    const store = new EntityStore()
    for (let round = 0; round < 40; round += 1) {
      const ids = Array.from({ length: 100 }, (_, index) => uid(`${round}-${index}`))
      store.apply({
        upsert: ids.map((one) => ({ uid: one, attrs: { friend: { __entity: uid(`friend-${one.id}`) } } })),
      })
      store.apply({ remove: ids })
    }
    expect(store.size).toBe(0)
    expect(store.uids.size).toBeLessThan(2500)
  })

  test('lets a request bring entities of its own, but not replace or reparent stored ones', () => {
    const authorizer = new Authorizer({
      policies: 'permit (principal in Team::"red", action, resource) when { resource.owner == principal };',
      entities: [
        { uid: uid('ann', 'User'), parents: [uid('red', 'Team')] },
        { uid: uid('x', 'User'), parents: [uid('later', 'Team')] },
      ],
    })
    const doc = (owner: string): object => ({
      uid: uid('d', 'Doc'),
      attrs: { owner: { __entity: uid(owner, 'User') } },
    })
    const ask = (principal: string, entities: object[]): unknown => {
      const { decision, failure } = authorizer.decide({
        principal: uid(principal, 'User'),
        action: uid('view', 'Action'),
        resource: uid('d', 'Doc'),
        entities: entities as never,
      })
      return failure?.code ?? decision
    }
    expect(ask('ann', [doc('ann')])).toBe('allow')
    expect(ask('ann', [doc('bob')])).toBe('deny')
    expect(ask('new', [doc('new'), { uid: uid('new', 'User'), parents: [uid('red', 'Team')] }])).toBe('allow')
    expect(ask('ann', [doc('ann'), { uid: uid('ann', 'User') }])).toBe('BW_AUTHZ_ENTITY_CONFLICT')
    expect(ask('x', [doc('x'), { uid: uid('later', 'Team'), parents: [uid('red', 'Team')] }])).toBe(
      'BW_AUTHZ_ENTITY_CONFLICT',
    )
  })
})
