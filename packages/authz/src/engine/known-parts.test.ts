import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KnownUid } from '../entities/known-uid.ts'
import { Authorizer } from './authorizer.ts'
import { KnownContext } from './known-context.ts'
import type { AuthzRequest } from './request.ts'

const SCHEMA = `
entity Role;
entity Group;
entity Tenant in [Group];
entity Level enum ["low", "high"];
entity User in [Role] = { tenant: Tenant };
entity Doc = { tenant: Tenant };
type Call = { tenant: Tenant };
action view, edit appliesTo { principal: [User], resource: [Doc], context: Call };
action rate appliesTo { principal: [User], resource: [Doc], context: { tenant: Tenant, level?: Level } };
`
const POLICIES = `
@id("role") permit (principal in Role::"reader", action, resource);
@id("tenant") forbid (principal, action, resource) unless { resource.tenant == context.tenant && principal.tenant == context.tenant };
@id("closed") forbid (principal, action, resource) when { context.tenant in Group::"closed" };
`
const uid = (type: string, id: string): { readonly type: string; readonly id: string } => ({ type, id })
const tenant = (id: string): { readonly __entity: { readonly type: string; readonly id: string } } => ({
  __entity: uid('Tenant', id),
})
const user = (id: string, of: string, role?: string): object => ({
  uid: uid('User', id),
  attrs: { tenant: uid('Tenant', of) },
  parents: role === undefined ? [] : [uid('Role', role)],
})
const opened = (...entities: readonly object[]): Authorizer =>
  new Authorizer({
    policies: { text: POLICIES, ids: 'annotation' },
    schema: SCHEMA,
    forbidErrors: 'deny',
    entities: JSON.stringify(entities),
  })

const doc = (of: string): object => ({ uid: uid('Doc', 'd'), attrs: { tenant: uid('Tenant', of) } })
const known: AuthzRequest = {
  principal: new KnownUid('User', 'ann'),
  action: new KnownUid('Action', 'view'),
  resource: new KnownUid('Doc', 'd'),
  context: new KnownContext({ tenant: tenant('acme') }),
}
const plain: AuthzRequest = {
  principal: uid('User', 'ann'),
  action: uid('Action', 'view'),
  resource: uid('Doc', 'd'),
  context: { tenant: tenant('acme') },
}

/** So many that names are swept out of the table. */
const crowd = (mark: number, size: number): string =>
  JSON.stringify(Array.from({ length: size }, (_, at) => user(`n${mark}-${at}`, 'acme')))

describe('known parts of a request', () => {
  test('look like the plain objects that they stand for', () => {
    expect(JSON.stringify(known)).toBe(JSON.stringify(plain))
    expect({ ...(known.context as object) }).toEqual(plain.context)
  })

  test('see the very next change of the entities: one that comes, one that changes, one that goes', () => {
    const authorizer = opened(doc('acme'))
    const decided = (): string => authorizer.decide(known).decision
    expect(decided()).toBe('deny')
    authorizer.store.apply({ upsert: JSON.stringify([user('ann', 'acme', 'reader')]) })
    expect(decided()).toBe('allow')
    authorizer.store.apply({ upsert: JSON.stringify([doc('other')]) })
    expect(decided()).toBe('deny')
    authorizer.store.apply({ upsert: JSON.stringify([doc('acme')]) })
    expect(decided()).toBe('allow')
    authorizer.store.apply({ remove: [uid('User', 'ann')] })
    expect(decided()).toBe('deny')
  })

  test('see what becomes of an entity that only the context names', () => {
    const authorizer = opened(doc('acme'), user('ann', 'acme', 'reader'))
    const later = { ...known, context: new KnownContext({ tenant: tenant('later') }) }
    authorizer.store.apply({ upsert: JSON.stringify([doc('later'), user('ann', 'later', 'reader')]) })
    const decided = (): string => authorizer.decide(later).decision
    expect(decided()).toBe('allow')
    authorizer.store.apply({
      remove: [uid('User', 'ann'), uid('Doc', 'd')],
      upsert: crowd(0, 2000),
    })
    authorizer.store.apply({ remove: Array.from({ length: 2000 }, (_, at) => uid('User', `n0-${at}`)) })
    authorizer.store.apply({ upsert: crowd(1, 6000) })
    expect(decided()).toBe('deny')
    const closed = { uid: uid('Tenant', 'later'), parents: [uid('Group', 'closed')] }
    authorizer.store.apply({ upsert: JSON.stringify([doc('later'), user('ann', 'later', 'reader')]) })
    expect(decided()).toBe('allow')
    authorizer.store.apply({ upsert: JSON.stringify([closed]) })
    expect(decided()).toBe('deny')
  })

  test('keep nothing of one store for another', () => {
    const open = opened(doc('acme'), user('ann', 'acme', 'reader'))
    const shut = opened(doc('acme'), user('ann', 'acme'))
    const decisions = [open, shut, open, shut].map((one) => one.decide(known).decision)
    expect(decisions).toEqual(['allow', 'deny', 'allow', 'deny'])
    // Without a schema, whose types would tell them apart.
    const both = ['other', 'closed'].map((group) => {
      const parents = [uid('Group', group)]
      const entities = JSON.stringify([doc('acme'), { uid: uid('Tenant', 'acme'), parents }])
      const policies = `permit (principal, action, resource) unless { context.tenant in Group::"closed" };`
      return new Authorizer({
        policies: `${policies} forbid (principal in Group::"other", action, resource);`,
        entities,
      })
    })
    expect(both[0]?.store.uids.added).toBe(both[1]?.store.uids.added)
    expect(both.map((one) => one.decide(known).decision)).toEqual(['allow', 'deny'])
  })

  test('are read again for an action with another type of context', () => {
    const authorizer = opened(doc('acme'), user('ann', 'acme', 'reader'))
    const context = new KnownContext({ tenant: tenant('acme'), level: uid('Level', 'high') })
    const rate = { ...known, action: new KnownUid('Action', 'rate'), context }
    expect(authorizer.decide(rate).decision).toBe('allow')
    expect(authorizer.decide({ ...known, context }).failure?.code).toBe('BW_AUTHZ_DATA_INVALID')
    expect(authorizer.decide(rate).decision).toBe('allow')
  })

  test('are refused as the plain ones are, each time', () => {
    const authorizer = opened(doc('acme'), user('ann', 'acme', 'reader'))
    const bad: readonly Partial<AuthzRequest>[] = [
      { principal: new KnownUid('not a type', 'x') },
      { principal: new KnownUid('User', '\ud800') },
      { principal: new KnownUid('Doc', 'd') },
      { action: new KnownUid('Action', 'dance') },
      { context: new KnownContext({ tenant: 7 }) },
      { context: new KnownContext({}) },
    ]
    for (const part of bad) {
      const refusals = [1, 2].map(() => authorizer.decide({ ...known, ...part }))
      const [name = '', value] = Object.entries(part)[0] ?? []
      const usual = authorizer.decide({ ...plain, [name]: { ...(value as object) } })
      expect(usual.failure).toBeDefined()
      for (const { decision, failure } of refusals) {
        expect(decision).toBe('deny')
        expect([failure?.code, failure?.message]).toEqual([usual.failure?.code, usual.failure?.message])
      }
    }
  })

  test('share what was read with no other principal, action, type of resource or store', () => {
    const context = new KnownContext({ tenant: tenant('acme') })
    const entities = [doc('acme'), user('ann', 'acme', 'reader'), user('bob', 'acme')]
    const [here, there] = [opened(...entities), opened(doc('acme'), user('ann', 'acme'), user('bob', 'acme'))]
    const parts = {
      principal: ['ann', 'bob', 'nobody'].map((id) => new KnownUid('User', id)),
      action: ['view', 'edit', 'rate', 'dance'].map((id) => new KnownUid('Action', id)),
      resource: [
        ...['d', 'e', '\ud800'].map((id) => new KnownUid('Doc', id)),
        new KnownUid('User', 'ann'),
        new KnownUid('Level', 'high'),
        new KnownUid('Level', 'odd'),
      ],
    }
    for (let round = 0; round < 3; round += 1) {
      for (const authorizer of [here, there]) {
        for (const action of parts.action) {
          for (const principal of parts.principal) {
            for (const resource of parts.resource) {
              const asked = authorizer.decide({ principal, action, resource, context })
              const usual = authorizer.decide({
                principal: uid(principal.type, principal.id),
                action: uid(action.type, action.id),
                resource: uid(resource.type, resource.id),
                context: { tenant: tenant('acme') },
              })
              expect({ ...asked, failure: asked.failure?.message }).toEqual({
                ...usual,
                failure: usual.failure?.message,
              })
            }
          }
        }
      }
    }
  })

  test('are checked one by one where a type lists its ids', () => {
    const schema = `entity User; entity Level enum ["low", "high"]; action set appliesTo { principal: [User], resource: [Level] };`
    const authorizer = new Authorizer({ policies: 'permit (principal, action, resource);', schema })
    const asked = {
      principal: new KnownUid('User', 'ann'),
      action: new KnownUid('Action', 'set'),
      context: new KnownContext({}),
    }
    const decided = (id: string): string =>
      authorizer.decide({ ...asked, resource: new KnownUid('Level', id) }).decision
    expect(['high', 'odd', 'low', 'high', 'odd'].map(decided)).toEqual([
      'allow',
      'deny',
      'allow',
      'allow',
      'deny',
    ])
  })

  test('do not hide the entities that a request brings', () => {
    const authorizer = opened(user('ann', 'acme', 'reader'))
    expect(authorizer.decide(known).decision).toBe('deny')
    expect(authorizer.decide({ ...known, entities: JSON.stringify([doc('acme')]) }).decision).toBe('allow')
    expect(authorizer.decide(known).decision).toBe('deny')
  })

  test('decide as plain ones do, whatever happens to the entities in between', () => {
    const who = fc.constantFrom('ann', 'bob')
    const of = fc.constantFrom('acme', 'other')
    const step = fc.oneof(
      fc.record({ upsert: fc.tuple(who, of, fc.constantFrom(undefined, 'reader')) }),
      fc.record({ remove: who }),
      fc.record({ doc: of }),
      fc.record({ crowd: fc.nat(3) }),
      fc.record({ closed: of }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const authorizer = opened()
        const kept = ['ann', 'bob'].flatMap((id) => ['acme', 'other'].map((name) => [id, name] as const))
        const questions = kept.map(([id, name]) => ({
          known: {
            ...known,
            principal: new KnownUid('User', id),
            context: new KnownContext({ tenant: tenant(name) }),
          },
          plain: { ...plain, principal: uid('User', id), context: { tenant: tenant(name) } },
        }))
        for (const one of steps) {
          if ('upsert' in one) authorizer.store.apply({ upsert: JSON.stringify([user(...one.upsert)]) })
          else if ('remove' in one) authorizer.store.apply({ remove: [uid('User', one.remove)] })
          else if ('doc' in one) authorizer.store.apply({ upsert: JSON.stringify([doc(one.doc)]) })
          else if ('closed' in one)
            authorizer.store.apply({
              upsert: [{ uid: uid('Tenant', one.closed), parents: [uid('Group', 'closed')] }],
            })
          else {
            authorizer.store.apply({ upsert: crowd(one.crowd, 600) })
            const names = Array.from({ length: 600 }, (_, at) => `n${one.crowd}-${at}`)
            authorizer.store.apply({ remove: names.map((name) => uid('User', name)) })
          }
          for (const question of questions)
            expect(authorizer.decide(question.known)).toEqual(authorizer.decide(question.plain))
        }
      }),
      { numRuns: 40 },
    )
  })
})
