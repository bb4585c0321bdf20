import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { Authorizer, type ListPlan, type ResourceTable } from '../src/index.ts'
import type { Row } from '../src/partial/resource-table.ts'
import { Dice } from './generate/dice.ts'

const TABLE: ResourceTable = {
  entityType: 'Doc',
  id: 'id',
  attributes: {
    owner: { column: 'owner_id', type: 'entity', entityType: 'User' },
    status: { column: 'status', type: 'string' },
    size: { column: 'size', type: 'long' },
    limit: { column: 'size_limit', type: 'long' },
    public: { column: 'is_public', type: 'boolean' },
    made: { column: 'made_ms', type: 'datetime' },
  },
  parents: [{ column: 'folder_id', entityType: 'Folder' }],
}

const user = (id: string): { type: string; id: string } => ({ type: 'User', id })
const folder = (id: string): { type: string; id: string } => ({ type: 'Folder', id })
const STORE = [
  { uid: user('ann'), attrs: { level: 3, blocked: false }, parents: [{ type: 'Team', id: 'red' }] },
  { uid: user('bob'), attrs: { level: 1 }, parents: [{ type: 'Team', id: 'blue' }] },
  { uid: { type: 'Team', id: 'red' }, parents: [{ type: 'Team', id: 'all' }] },
  { uid: { type: 'Team', id: 'blue' }, parents: [{ type: 'Team', id: 'all' }] },
  { uid: folder('in'), parents: [folder('root')] },
  { uid: folder('out') },
]

const ATOMS = [
  'resource.owner == principal',
  'principal == resource.owner',
  'resource.owner != User::"bob"',
  'resource.owner == Team::"red"',
  'resource.status == "open"',
  '"open" != resource.status',
  'resource.status == 1',
  'resource.status like "o*n"',
  'resource.status like "*[*]?%_*"',
  'resource.status like "*\\*"',
  'resource.size < 10',
  '10 <= resource.size',
  'resource.size > principal.level',
  'resource.size == 9007199254740993',
  'resource.size < resource.limit',
  'resource.size >= resource.limit',
  'resource.size == resource.status',
  'resource.size < "x"',
  'resource.public',
  '!resource.public',
  'resource.public == true',
  'resource has owner',
  'resource has status',
  'resource in Folder::"root"',
  'resource in [Folder::"out", Doc::"d1"]',
  'resource in Team::"red"',
  'resource == Doc::"d2"',
  'resource is Doc',
  'resource is Folder',
  'resource is Doc in Folder::"in"',
  'resource.owner in Team::"all"',
  'resource.owner in [Team::"red"]',
  'resource.owner is User',
  'resource.owner is User in Team::"blue"',
  'resource.owner is Team',
  'principal in resource.owner',
  '["open", "done", 3].contains(resource.status)',
  '[].contains(resource.status)',
  '[User::"ann"].contains(resource.owner)',
  'resource.made < datetime("2024-01-01")',
  'datetime("2023-06-01") <= resource.made',
  'principal.level > 2',
  'principal.missing',
  'context.mfa',
  'principal.blocked',
  'resource.size',
  'resource.status',
  'resource in 1',
  'context.missing == 1',
  'resource == context.missing',
  'principal in Team::"red"',
  '(if context.mfa then resource.public else resource has size)',
] as const

function bool(dice: Dice, depth: number): string {
  if (depth === 0 || dice.chance(30)) return dice.pick(ATOMS)
  const part = (): string => bool(dice, depth - 1)
  const roll = dice.roll(8)
  if (roll < 3) return `(${part()} && ${part()})`
  if (roll < 6) return `(${part()} || ${part()})`
  return roll === 6 ? `!(${part()})` : `(if ${part()} then ${part()} else ${part()})`
}

function policy(dice: Dice): string {
  const resource = dice.pick([
    'resource',
    'resource',
    'resource',
    'resource in Folder::"root"',
    'resource == Doc::"d1"',
    'resource is Doc',
    'resource is Doc in Folder::"in"',
  ])
  const conditions = dice.times(
    dice.pick([0, 1, 1, 2]),
    () => `${dice.pick(['when', 'when', 'unless'])} { ${bool(dice, 2)} }`,
  )
  return `${dice.pick(['permit', 'permit', 'forbid'])} (principal, action, ${resource}) ${conditions.join(' ')};`
}

const ROWS: readonly Row[] = (() => {
  const dice = new Dice(7)
  const maybe = <Item extends string | number | bigint>(items: readonly Item[]): Item | null =>
    dice.chance(25) ? null : dice.pick(items)
  return dice.times(40, (index) => ({
    id: `d${index}`,
    owner_id: maybe(['ann', 'bob', 'ghost']),
    status: maybe(['open', 'OPEN', 'done', 'oven', '[*]?%_', 'a*', 'o\u{1f600}n', '']),
    size: maybe([1n, 9n, 10n, 9007199254740992n, 9007199254740993n]),
    size_limit: maybe([1n, 10n, 9007199254740993n]),
    is_public: maybe([0, 1]),
    made_ms: maybe([0, 1_690_000_000_000, 1_704_067_200_000]),
    folder_id: maybe(['root', 'in', 'out', 'nowhere']),
  }))
})()

function database(): DatabaseSync {
  const db = new DatabaseSync(':memory:')
  db.exec(
    'CREATE TABLE docs (id TEXT, owner_id TEXT, status TEXT, size INTEGER, size_limit INTEGER, is_public INTEGER, made_ms INTEGER, folder_id TEXT)',
  )
  const insert = db.prepare('INSERT INTO docs VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  for (const row of ROWS) insert.run(...(Object.values(row) as (string | number | bigint | null)[]))
  return db
}

/** A row as the entity that `decide` is asked about. */
function entityOf(row: Row): {
  uid: { type: string; id: string }
  attrs: Record<string, never>
  parents: { type: string; id: string }[]
} {
  const attrs: Record<string, unknown> = {}
  const put = (name: string, value: unknown): void => void (value !== null && (attrs[name] = value))
  put('owner', row['owner_id'] === null ? null : { __entity: user(String(row['owner_id'])) })
  put('status', row['status'])
  put('size', row['size'])
  put('limit', row['size_limit'])
  put('public', row['is_public'] === null ? null : row['is_public'] === 1)
  const made = row['made_ms']
  if (typeof made === 'number') {
    put('made', {
      __extn: {
        fn: 'offset',
        args: [
          { __extn: { fn: 'datetime', arg: '1970-01-01' } },
          { __extn: { fn: 'duration', arg: `${made}ms` } },
        ],
      },
    })
  }
  const parents = row['folder_id'] === null ? [] : [folder(String(row['folder_id']))]
  return { uid: { type: 'Doc', id: String(row['id']) }, attrs: attrs as Record<string, never>, parents }
}

function listed(plan: ListPlan, db: DatabaseSync): { sql: string[]; memory: string[]; count: number } {
  const all = ROWS.map((row) => String(row['id']))
  if (plan.kind === 'all') return { sql: all, memory: all, count: all.length }
  if (plan.kind !== 'filter') return { sql: [], memory: [], count: 0 }
  const { text, parameters } = plan.filter.sql('sqlite')
  const values = parameters.map((value) => (typeof value === 'boolean' ? Number(value) : value))
  return {
    sql: db
      .prepare(`SELECT id FROM docs WHERE ${text} ORDER BY rowid`)
      .all(...values)
      .map((row) => String(row['id'])),
    memory: ROWS.filter((row) => plan.filter.matches(row)).map((row) => String(row['id'])),
    count: Number(db.prepare(`SELECT count(*) AS n FROM docs WHERE ${text}`).get(...values)?.['n']),
  }
}

describe('a list plan', () => {
  test('lists, in SQLite, in memory and in counts, exactly the rows that decide allows', () => {
    const db = database()
    let compared = 0
    for (let seed = 1; seed <= 400; seed += 1) {
      const dice = new Dice(seed)
      const policies = dice.times(1 + dice.roll(5), () => policy(dice)).join('\n')
      const authorizer = new Authorizer({
        policies,
        entities: STORE,
        forbidErrors: dice.pick(['skip', 'deny']),
      })
      const request = {
        principal: user(dice.pick(['ann', 'bob', 'stranger'])),
        action: { type: 'Action', id: 'list' },
        context: { mfa: dice.chance(50) },
      }
      const plan = authorizer.plan(request, TABLE)
      expect(plan.kind, `${policies}\n${JSON.stringify(plan)}`).not.toBe('unpushable')
      const { sql, memory, count } = listed(plan, db)
      const allowed = ROWS.filter((row) => {
        const entity = entityOf(row)
        return (
          authorizer.decide({ ...request, resource: entity.uid, entities: [entity] }).decision === 'allow'
        )
      }).map((row) => String(row['id']))
      expect({ sql, memory, count }, `seed ${seed}\n${policies}`).toEqual({
        sql: allowed,
        memory: allowed,
        count: allowed.length,
      })
      compared += plan.kind === 'filter' ? 1 : 0
    }
    expect(compared).toBeGreaterThan(100)
  })

  test('names the policies that have no counterpart in the table instead of fetching everything', () => {
    const policies =
      'permit (principal, action, resource);\nforbid (principal, action, resource)\n  when { resource.owner.level > 3 };'
    const plan = new Authorizer({ policies }).plan(
      { principal: user('ann'), action: { type: 'Action', id: 'list' } },
      TABLE,
    )
    expect(plan).toEqual({
      kind: 'unpushable',
      policies: [
        { policyId: 'policy1', reason: 'this part of the resource has no column, at line 3, column 10' },
      ],
    })
  })

  test('writes PostgreSQL with numbered parameters and no value in the text', () => {
    const policies = `permit (principal, action, resource) when { resource.status like "a%*" && resource.owner == User::"x'; --" };`
    const plan = new Authorizer({ policies }).plan(
      { principal: user('ann'), action: { type: 'Action', id: 'list' } },
      TABLE,
    )
    expect(plan.kind === 'filter' && plan.filter.sql('postgresql', 3)).toEqual({
      text: String.raw`("status" LIKE $3 ESCAPE '\' AND "owner_id" = $4)`,
      parameters: [String.raw`a\%%`, "x'; --"],
    })
  })

  test('is nothing without a permit, and everything under a bare one', () => {
    const plan = (policies: string): string =>
      new Authorizer({ policies }).plan(
        { principal: user('ann'), action: { type: 'Action', id: 'list' } },
        TABLE,
      ).kind
    expect(plan('')).toBe('none')
    expect(plan('permit (principal, action, resource);')).toBe('all')
    expect(
      plan('permit (principal, action, resource); forbid (principal == User::"ann", action, resource);'),
    ).toBe('none')
  })
})
