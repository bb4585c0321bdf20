import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Authorizer, type EntityInput, type ValueInput } from '../src/index.ts'

/** The policies of the README's table, by the name in their row. */
function patterns(): Map<string, string> {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  return new Map(
    [...readme.matchAll(/^\| ([A-Z][\w -]+) \| .*?`((?:permit|forbid)[^`]+)`/gm)].map(
      ([, name = '', text = '']) => [name, text],
    ),
  )
}

const uid = (type: string, id: string): { type: string; id: string } => ({ type, id })
const ref = (type: string, id: string): ValueInput => ({ __entity: uid(type, id) })
const when = (text: string): ValueInput => ({ __extn: { fn: 'datetime', arg: text } })

const ENTITIES: readonly EntityInput[] = [
  {
    uid: uid('User', 'ann'),
    attrs: { tenant: 'acme', breakGlassUntil: when('2026-01-02') },
    parents: [uid('Role', 'clerk'), uid('Role', 'on-call')],
  },
  {
    uid: uid('User', 'bob'),
    attrs: { tenant: 'other', breakGlassUntil: when('2026-01-01') },
    parents: [uid('Role', 'operator')],
  },
  { uid: uid('Workload', 'billing'), parents: [uid('WorkloadRole', 'billing')] },
  {
    uid: uid('Order', '1'),
    attrs: { tenant: 'acme', owner: ref('User', 'ann'), environment: 'production', refundedCents: 4000 },
    parents: [uid('Folder', 'shared')],
  },
]

function decide(
  policies: string,
  principal: string,
  action: string,
  context: Record<string, ValueInput> = {},
): string {
  return new Authorizer({ policies, entities: ENTITIES }).decide({
    principal: uid('User', principal),
    action: uid('Action', action),
    resource: uid('Order', '1'),
    context,
  }).decision
}

const OPEN = 'permit (principal, action, resource);'

describe('the patterns of the README', () => {
  const named = patterns()
  const pattern = (name: string): string => named.get(name) ?? `no pattern ${name}`

  test('are all here', () => {
    expect([...named.keys()]).toEqual([
      'Role',
      'Tenant',
      'Owner',
      'Sharing',
      'Environment',
      'User and workload',
      'Amount',
      'Break-glass',
    ])
  })

  test('a role permits its members the actions listed, and nobody else', () => {
    expect([
      decide(pattern('Role'), 'ann', 'read'),
      decide(pattern('Role'), 'ann', 'delete'),
      decide(pattern('Role'), 'bob', 'read'),
    ]).toEqual(['allow', 'deny', 'deny'])
  })

  test('a foreign tenant is kept out whatever else permits', () => {
    expect([
      decide(OPEN + pattern('Tenant'), 'ann', 'read'),
      decide(OPEN + pattern('Tenant'), 'bob', 'read'),
    ]).toEqual(['allow', 'deny'])
  })

  test('an owner may, others may not', () => {
    expect([decide(pattern('Owner'), 'ann', 'read'), decide(pattern('Owner'), 'bob', 'read')]).toEqual([
      'allow',
      'deny',
    ])
  })

  test('a share grants one person one folder', () => {
    const link = {
      templateId: 'share',
      newId: 'bob-shared',
      values: { '?principal': uid('User', 'bob'), '?resource': uid('Folder', 'shared') },
    }
    const authorizer = new Authorizer({
      policies: { policies: { share: pattern('Sharing') }, links: [link] },
      entities: ENTITIES,
    })
    const ask = (principal: string): unknown =>
      authorizer.decide({
        principal: uid('User', principal),
        action: uid('Action', 'read'),
        resource: uid('Order', '1'),
      }).reasons
    expect([ask('bob'), ask('ann')]).toEqual([['bob-shared'], []])
  })

  test('production needs an operator', () => {
    expect([
      decide(OPEN + pattern('Environment'), 'ann', 'toggle'),
      decide(OPEN + pattern('Environment'), 'bob', 'toggle'),
    ]).toEqual(['deny', 'allow'])
  })

  test('a workload cannot lend its caller rights that it lacks', () => {
    const policies = OPEN + pattern('User and workload')
    const through = (workload: string): string =>
      decide(policies, 'ann', 'refund', { workload: ref('Workload', workload) })
    expect([through('billing'), through('reporting')]).toEqual(['allow', 'deny'])
  })

  test('an amount limit ends exactly where it says, whatever slices it is reached in', () => {
    const of = (amountCents: number): string => decide(pattern('Amount'), 'ann', 'refund', { amountCents })
    expect([of(1000), of(1001)]).toEqual(['allow', 'deny'])
  })

  test('break-glass ends at its expiry', () => {
    const at = (now: string): string => decide(pattern('Break-glass'), 'ann', 'read', { now: when(now) })
    expect([at('2026-01-01T23:59:59Z'), at('2026-01-02')]).toEqual(['allow', 'deny'])
  })
})
