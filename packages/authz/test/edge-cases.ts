import type { Case, CaseRequest } from './generate/case.ts'
import { ARITHMETIC, COLLECTIONS, ENTITIES, EXTENSIONS, LIKE, LOGIC, METHODS } from './edge-expressions.ts'

/** A store in which every name the cases use is there, or missing on purpose. */
const STORE = JSON.stringify([
  {
    uid: { type: 'User', id: 'a' },
    parents: [
      { type: 'Team', id: 'b' },
      { type: 'Team', id: 'orphan' },
    ],
    tags: { k: 'v' },
    attrs: { name: 'ann', address: { city: { code: 1 } }, boss: { __entity: { type: 'User', id: 'b' } } },
  },
  {
    uid: { type: 'User', id: 'b' },
    parents: [],
    attrs: { name: 'bob', boss: { __entity: { type: 'User', id: 'ghost' } } },
  },
  { uid: { type: 'User', id: 'nameless' }, parents: [], attrs: { boss: true } },
  { uid: { type: 'Ns::Doc', id: 'named' }, parents: [], attrs: { name: 'x' } },
  { uid: { type: 'Team', id: 'b' }, parents: [{ type: 'Team', id: 'top' }], attrs: {} },
  { uid: { type: 'Ns::Doc', id: 'd' }, parents: [], attrs: {} },
  { uid: { type: 'Action', id: 'view' }, parents: [{ type: 'Action', id: 'read' }], attrs: {} },
  { uid: { type: 'Action', id: 'read' }, parents: [{ type: 'Action', id: 'any' }], attrs: {} },
])
const CONTEXT =
  '{"even":9007199254740992,"odd":9007199254740993,"big":9223372036854775807,"__proto__":7,"team":{"__entity":{"type":"Team","id":"b"}},"stranger":{"__entity":{"type":"User","id":"stranger"}},"ghost":{"__entity":{"type":"User","id":"ghost"}}}'

const request = (id: string, action: string, resource = 'd'): CaseRequest => ({
  principal: { type: 'User', id },
  action: { type: 'Action', id: action },
  resource: { type: 'Ns::Doc', id: resource },
  contextText: CONTEXT,
})

const SCOPES: readonly string[] = [
  'principal == User::"a"',
  'principal == User::"b"',
  'principal in Team::"top"',
  'principal in Team::"b"',
  'principal in User::"a"',
  'principal is User',
  'principal is Team',
  'principal is User in Team::"top"',
  'principal is Team in Team::"top"',
  'principal',
].flatMap((principal) =>
  [
    'action',
    'action == Action::"view"',
    'action == Action::"read"',
    'action in Action::"any"',
    'action in [Action::"edit", Action::"read"]',
    'action in []',
  ].map((action, index) => {
    const resource =
      [
        'resource',
        'resource == Ns::Doc::"d"',
        'resource is Ns::Doc',
        'resource in Ns::Doc::"d"',
        'resource is Team',
      ][index % 5] ?? 'resource'
    return `${index % 3 === 2 ? 'forbid' : 'permit'} (${principal}, ${action}, ${resource});`
  }),
)

function caseOf(seed: number, texts: readonly string[], requests: readonly CaseRequest[]): Case {
  return {
    seed,
    schema: undefined,
    texts: texts.map((text) => ({ text, template: false })),
    links: [],
    entitiesText: STORE,
    requests,
  }
}

const one = (body: string): string => `permit (principal, action, resource) when { ${body} };`

/** Policies that begin by comparing the same attributes with constants, and some that only look as if they did. */
const FIRST_TESTS: readonly string[] = [
  ...['"ann"', '"bob"', '"x"', '1', 'true'].flatMap((value) =>
    ['principal', 'resource', 'context', 'action'].map((variable) => one(`${variable}.name == ${value}`)),
  ),
  ...['9007199254740992', '9007199254740993', '9223372036854775807', '"even"'].flatMap((value) =>
    ['even', 'odd', 'big', 'missing'].map((name) => one(`${value} == context.${name}`)),
  ),
  ...['principal.name', 'context.even'].flatMap((attribute) =>
    ['principal', 'context', 'resource'].flatMap((variable) =>
      ['name', 'even', 'boss', 'address.city'].map((name) =>
        one(`${variable} has ${name} && ${attribute} == "ann"`),
      ),
    ),
  ),
  one('principal.name == "ann" && context.missing'),
  one('principal.name == "x" && context.missing'),
  one('context.missing && principal.name == "ann"'),
  one('principal.name == "ann" && 1'),
  one('principal.name == "bob" && 1'),
  one('(principal has name && principal.name == "bob") && context.missing'),
  one('principal has name && (principal.name == "bob" && context.missing)'),
  one('principal.name == "x" || principal.name == "ann"'),
  one('principal.name == "x" || true'),
  one('principal.name != "ann"'),
  one('principal.boss.name == "bob"'),
  'permit (principal, action, resource) when { principal.name == "bob" } when { context.missing };',
  'permit (principal, action, resource) when { principal.name == "ann" } unless { principal.name == "ann" };',
  'permit (principal is Team, action, resource) when { principal.name == "ann" };',
]

const FIRST_UNLESS: readonly string[] = ['"ann"', '"bob"', '"x"', '1'].map(
  (value) => `permit (principal, action, resource) unless { principal.name == ${value} };`,
)

/** The twenty semantics of the language that are easiest to get wrong, one policy each; seeds below 0. */
export const EDGE_CASES: readonly Case[] = [
  ...[EXTENSIONS, METHODS, ARITHMETIC, LOGIC, ENTITIES, COLLECTIONS, LIKE].map((bodies, index) =>
    caseOf(-1 - index, bodies.map(one), [request('a', 'view')]),
  ),
  caseOf(-10, SCOPES, [
    request('a', 'view'),
    request('b', 'view'),
    request('ghost', 'view'),
    request('a', 'any'),
    request('a', 'nothing'),
    request('b', 'read', 'ghost'),
  ]),
  caseOf(
    -11,
    [
      'permit (principal, action, resource);',
      'forbid (principal, action, resource) when { context.missing };',
    ],
    [request('a', 'view')],
  ),
  caseOf(
    -12,
    ['permit (principal, action, resource);', 'forbid (principal, action, resource) when { true };'],
    [request('a', 'view')],
  ),
  caseOf(
    -13,
    [
      'permit (principal, action, resource) when { true } unless { false };',
      'permit (principal, action, resource) when { false } when { context.missing };',
      'permit (principal, action, resource) when { context.missing } when { false };',
      'permit (principal, action, resource) unless { 1 };',
      'permit (principal, action, resource) when { 1 };',
      'permit (principal, action, resource) unless { true } when { context.missing };',
      'permit (principal, action, resource) unless { false };',
    ],
    [request('a', 'view')],
  ),
  ...[FIRST_TESTS, FIRST_TESTS.map((text) => text.replace('permit', 'forbid')), FIRST_UNLESS].map(
    (texts, index) =>
      caseOf(-17 - index, texts, [
        request('a', 'view'),
        request('b', 'view'),
        request('nameless', 'view'),
        request('ghost', 'view', 'named'),
        request('a', 'view', 'a'),
      ]),
  ),
  // Two actions that policies name and nobody stored.
  caseOf(-20, SCOPES, [request('a', 'any'), request('a', 'edit')]),
  caseOf(-14, ['forbid (principal == User::"b", action, resource);'], [request('a', 'view')]),
  caseOf(-15, ENTITIES.map(one), [request('stranger', 'view'), request('b', 'edit')]),
  {
    ...caseOf(-16, [], [request('a', 'view'), request('b', 'view')]),
    texts: [
      { text: 'permit (principal == ?principal, action, resource == ?resource);', template: true },
      { text: 'permit (principal in ?principal, action, resource is Ns::Doc in ?resource);', template: true },
    ],
    links: [
      {
        templateId: 'policy0',
        newId: 'one',
        values: { '?principal': { type: 'User', id: 'a' }, '?resource': { type: 'Ns::Doc', id: 'd' } },
      },
      {
        templateId: 'policy1',
        newId: 'two',
        values: { '?principal': { type: 'Team', id: 'top' }, '?resource': { type: 'Ns::Doc', id: 'd' } },
      },
    ],
  },
]
