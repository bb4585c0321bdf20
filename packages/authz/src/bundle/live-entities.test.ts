import { describe, expect, test } from 'vitest'

import { EntityStore } from '../entities/entity-store.ts'
import { LiveEntities } from './live-entities.ts'

describe('entities changed beside the bundles', () => {
  test('are remembered from text and from objects alike, the last state of each', () => {
    const live = new LiveEntities()
    live.add({
      upsert: '[{"uid":{"type":"User","id":"ann"}},{"uid":{"__entity":{"type":"User","id":"bob"}}}]',
    })
    live.add({ upsert: [{ uid: { type: 'User', id: 'bob' }, attrs: { age: 3 } }] })
    live.add({ remove: [{ type: 'User', id: 'ann' }] })
    expect(live.changes()).toEqual({
      upsert: [{ uid: { type: 'User', id: 'bob' }, attrs: { age: 3 } }],
      remove: [{ type: 'User', id: 'ann' }],
    })
  })

  test.each(['{}', '[1]', '[{}]', '[{"uid":{"type":"User"}}]', '[{"uid":{"type":"User","id":1}}]'])(
    'are refused when the text %s holds none',
    (upsert) => {
      const live = new LiveEntities()
      expect(() => live.add({ upsert })).toThrow(expect.objectContaining({ code: 'BW_AUTHZ_DATA_INVALID' }))
      expect(live.changes()).toEqual({ upsert: [], remove: [] })
    },
  )
})

const user = (id: string): { readonly type: string; readonly id: string } => ({ type: 'User', id })

test('a removal is forgotten over entities that no longer hold what was removed, and counts over those that do', () => {
  const live = new LiveEntities()
  live.add({ upsert: [{ uid: user('cy') }], remove: [user('ann'), user('bob')] })
  const base = new EntityStore()
  base.apply({ upsert: [{ uid: user('ann') }] })
  expect(live.over(base).changes()).toEqual({ upsert: [{ uid: user('cy') }], remove: [user('ann')] })
  expect(live.changes().remove).toHaveLength(2)
})
