import { describe, expect, test } from 'vitest'
import { Authorizer } from '../engine/authorizer.ts'
import type { AuthzRequest } from '../engine/request.ts'
import { readSchema } from '../schema/schema.ts'
import { recordsOf, requestOfRecord } from './replay.ts'
import { ShadowComparison } from './shadow.ts'

const uid = (type: string, id: string): { type: string; id: string } => ({ type, id })
const ask = (principal: string, action = 'view'): AuthzRequest => ({
  principal: uid('User', principal),
  action: uid('Action', action),
  resource: uid('Doc', 'd'),
})
const open = (text: string): Authorizer => new Authorizer({ policies: { text, ids: 'annotation' } })
const ANN = '@id("ann") permit (principal == User::"ann", action, resource);'
const BOB = '@id("bob") permit (principal == User::"bob", action, resource);'
const NO_EDIT = '@id("no-edit") forbid (principal, action == Action::"edit", resource);'

describe('a shadow', () => {
  test('enforces the active policies and groups what the candidate would change by the policies behind it', () => {
    const comparison = new ShadowComparison(open(ANN), open(BOB + NO_EDIT), { maxExamples: 1 })
    const decisions = ['ann', 'ann', 'bob', 'eve'].map((name) => comparison.decide(ask(name)).decision)
    expect(decisions).toEqual(['allow', 'allow', 'deny', 'deny'])
    expect(comparison.decide(ask('ann', 'edit')).decision).toBe('allow')
    const { decided, changed, groups } = comparison.report()
    expect([decided, changed]).toEqual([5, 4])
    expect(
      groups.map(({ change, policies, count, examples }) => [change, policies, count, examples.length]),
    ).toEqual([
      ['now-denied', ['ann'], 2, 1],
      ['now-allowed', ['bob'], 1, 1],
      ['now-denied', ['no-edit'], 1, 1],
    ])
  })

  test('shows policies that newly fail although the decision is the same', () => {
    const failing = `${ANN}@id("new") permit (principal, action, resource) when { principal.missing };`
    const comparison = new ShadowComparison(open(ANN), open(failing))
    comparison.decide(ask('ann'))
    expect(comparison.report().groups).toMatchObject([{ change: 'failing', policies: ['new'] }])
  })

  test('lets nothing of the candidate through, not even that it throws', () => {
    const broken = {
      decide(): never {
        throw new Error('boom')
      },
    }
    const comparison = new ShadowComparison(open(ANN), broken)
    expect(comparison.decide(ask('ann')).decision).toBe('allow')
    expect(comparison.report()).toMatchObject({ decided: 1, changed: 1, groups: [] })
  })

  test('keeps a bounded number of groups and counts the rest', () => {
    const comparison = new ShadowComparison(open(''), open(`${ANN}${BOB}`), { maxGroups: 1 })
    for (const name of ['ann', 'bob', 'bob']) comparison.decide(ask(name))
    const { changed, groups } = comparison.report()
    expect([changed, groups.length]).toEqual([3, 1])
  })
})

test('a record is asked again as it was asked, and what is no record is left out', () => {
  const record = {
    seq: 1,
    time: '',
    by: 'policy',
    result: 'allow',
    who: 'User::"ann"',
    action: 'Action::"view"',
  } as const
  const lines = [{ log: 'x' }, record, { seq: 2, by: 'gap', lost: 3 }, { seal: 'x' }].map((line) =>
    JSON.stringify(line),
  )
  expect(recordsOf(`${lines.join('\n')}\n{"seq":3,"ti`)).toEqual([record])
  expect(requestOfRecord({ ...record, policyVersion: 'v' }, undefined)).toBeUndefined()
  const whole = {
    ...record,
    policyVersion: 'v',
    object: 'Doc::"d"',
    workload: 'Workload::"w"',
    context: { n: 1 },
  }
  expect(requestOfRecord(whole, undefined)).toEqual({
    ...ask('ann'),
    context: { n: 1, workload: { __entity: uid('Workload', 'w') } },
  })
})

test('a record is asked again at its own time when policies ask for one and the log kept none', () => {
  const record = {
    seq: 1,
    time: '2026-02-01T12:00:00.000Z',
    by: 'policy',
    result: 'allow',
    who: 'User::"ann"',
    action: 'Action::"view"',
    object: 'Doc::"d"',
    policyVersion: 'v',
  } as const
  const schema = (now: string) =>
    readSchema(
      `entity User, Doc; action view appliesTo { principal: User, resource: Doc, context: { ${now} } };`,
    )
  const asked = { __extn: { fn: 'datetime', arg: record.time } }
  expect(requestOfRecord(record, schema('now: datetime'))?.context).toEqual({ now: asked })
  expect(requestOfRecord(record, schema('now?: datetime'))?.context).toEqual({})
  const kept = { ...record, context: { now: 'earlier' } }
  expect(requestOfRecord(kept, schema('now: datetime'))?.context).toEqual({ now: 'earlier' })
})
