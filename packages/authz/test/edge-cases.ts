import type { Case, CaseRequest } from './generate/case.ts'
import {
  BAD_DATETIMES,
  BAD_DECIMALS,
  BAD_DURATIONS,
  BAD_IPS,
  DATETIMES,
  DECIMALS,
  DURATIONS,
  IPS,
  LONGS,
  PATTERNS,
  STRINGS,
} from './generate/edges.ts'

const literal = (text: string): string =>
  `"${text
    .replaceAll(/["\\]/g, String.raw`\$&`)
    .replaceAll('\0', String.raw`\0`)
    .replaceAll('\r', String.raw`\r`)}"`

/** `make(x, y)` for every x with itself and its two followers: near and far pairs without the whole square. */
function pairs(items: readonly string[], make: (a: string, b: string) => string): string[] {
  return items.flatMap((a, index) =>
    [0, 1, 3].map((step) => make(a, items[(index + step) % items.length] ?? a)),
  )
}

function calls(fn: string, texts: readonly string[]): string[] {
  return texts.map((text) => `${fn}(${literal(text)})`)
}

const longs = LONGS.map((value) => (value < 0n ? `(${value})` : `${value}`))
const decimals = calls('decimal', DECIMALS)
const ips = calls('ip', IPS)
const datetimes = calls('datetime', DATETIMES)
const durations = calls('duration', DURATIONS)

const EXTENSIONS: readonly string[] = [
  ...calls('decimal', BAD_DECIMALS),
  ...calls('ip', BAD_IPS),
  ...calls('datetime', BAD_DATETIMES),
  ...calls('duration', BAD_DURATIONS),
].map((call) => `${call} == 1`)

const METHODS: readonly string[] = [
  'datetime("0099-12-31") < datetime("0100-01-01")',
  ...['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'].flatMap((method) =>
    pairs(decimals, (a, b) => `${a}.${method}(${b})`),
  ),
  ...ips.flatMap((ip) =>
    ['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'].map((method) => `${ip}.${method}()`),
  ),
  ...pairs(ips, (a, b) => `${a}.isInRange(${b}) || ${b}.isInRange(${a})`),
  ...pairs(ips, (a, b) => `${a}.isInRange(${b})`),
  ...pairs([...decimals, ...ips, ...datetimes, ...durations], (a, b) => `${a} == ${b}`),
  ...['<', '<=', '>', '>='].flatMap((sign) => [
    ...pairs(datetimes, (a, b) => `${a} ${sign} ${b}`),
    ...pairs(durations, (a, b) => `${a} ${sign} ${b}`),
  ]),
  ...datetimes.flatMap((time) => [
    `${time}.toDate() == ${time}`,
    `${time}.toTime() == duration("0ms")`,
    `${time}.toTime() < duration("12h")`,
  ]),
  ...durations.flatMap((span) =>
    ['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'].flatMap((unit) => [
      `${span}.${unit}() < 0`,
      `${span}.${unit}() == 1`,
      `${span}.${unit}() * 7 < 100`,
    ]),
  ),
  ...durations.flatMap((span) => [
    `datetime("1970-01-01").offset(${span}).toDate() < datetime("1970-01-01")`,
    `datetime("1969-12-31").offset(${span}) < datetime("1970-01-01")`,
    `datetime("1970-01-02").offset(${span}).durationSince(datetime("1969-12-31")) > duration("0ms")`,
    `datetime("1970-01-01").offset(${span}).toTime() == duration("0ms")`,
  ]),
]

const ARITHMETIC: readonly string[] = [
  ...['+', '-', '*'].flatMap((sign) => [
    ...pairs(longs, (a, b) => `${a} ${sign} ${b} > 0`),
    ...pairs(longs, (a, b) => `${a} ${sign} ${b} == ${b} ${sign} ${a}`),
  ]),
  ...['<', '<=', '>', '>=', '==', '!='].flatMap((sign) => pairs(longs, (a, b) => `${a} ${sign} ${b}`)),
  ...longs.map((value) => `-${value} < 0`),
  '9007199254740991 + 1 == 9007199254740992',
  '-9007199254740991 - 1 == -9007199254740992',
  '9007199254740990 + 1 == 9007199254740991',
  '-9007199254740990 - 1 == -9007199254740991',
  '9007199254740993 == context.even',
  '9007199254740992 == context.even',
  '9007199254740993 == context.odd',
  '9007199254740992 + 1 == context.odd',
  'context.big + 0 == 9223372036854775807',
  'context.big - 1 < context.big',
  '[9007199254740993].contains(context.even)',
  '[9007199254740993].contains(context.odd)',
  '0 * -1 == 0',
  '{a: 0 * -1} == {a: 0}',
]

const LOGIC: readonly string[] = [
  ...['&&', '||'].flatMap((sign) =>
    ['true', 'false', '1', 'context.missing'].flatMap((a) =>
      ['true', 'false', '1', 'context.missing'].flatMap((b) => [`${a} ${sign} ${b}`, `!(${a} ${sign} ${b})`]),
    ),
  ),
  ...['true', 'false', '1', 'context.missing'].flatMap((test) => [
    `if ${test} then true else false`,
    `if ${test} then context.missing else true`,
    `if ${test} then true else context.missing`,
    `!${test}`,
  ]),
  '(true && 1) == 1',
  '(false || 1) == 1',
  'if true then 1 else true',
  'context.missing == 1 || true',
  'true || context.missing == 1',
  '1 == "1"',
  'true == 1',
  'principal == 1',
  '1 != "1"',
  '"a" != "a"',
  'context.missing != 1',
  '1 < "1"',
  '"a" < "b"',
  'true <= true',
  'decimal("1.0") < decimal("2.0")',
  'duration("1d") < datetime("2024-01-01")',
  '1 < duration("1d")',
]

const ENTITIES: readonly string[] = [
  'principal in context.stranger',
  'context.stranger in Team::"b"',
  'principal == context.stranger',
  'principal in Team::"b"',
  'principal in Team::"top"',
  'principal in User::"a"',
  'User::"ghost" in User::"ghost"',
  'User::"ghost" in Team::"b"',
  'Team::"top" in Team::"b"',
  'principal in [Team::"zz", Team::"top"]',
  'principal in []',
  'principal in [Team::"top", 1]',
  'principal in [1]',
  'principal in 1',
  '1 in principal',
  '1 in [principal]',
  'principal in {a: 1}',
  'Team::"b" in principal',
  'Team::"orphan" in Team::"top"',
  'principal in context.team',
  'principal is User',
  'principal is Team',
  'User::"ghost" is User',
  '1 is User',
  'principal is User in Team::"top"',
  'principal is Team in Team::"top"',
  'principal is Team in 1',
  'principal is User in 1',
  'principal is User in [Team::"top"]',
  'Ns::Doc::"d" is Ns::Doc',
  'Ns::Doc::"d" is Doc',
  'principal.name == "ann"',
  'principal.missing == 1',
  'User::"ghost".name == "x"',
  'User::"ghost" has name',
  'principal has name',
  'principal has missing',
  'principal has address.city.code',
  'principal has address.missing.code',
  'principal has name.length',
  'principal has missing.name',
  '1 has name',
  '[1] has name',
  'decimal("1.0") has name',
  '"x" has name',
  'context has missing',
  'context["__proto__"] == 7',
  'principal["__proto__"] == 1',
  'principal has "__proto__"',
  'resource has "__proto__"',
  'resource has "constructor"',
  'resource has "toString"',
  'resource.constructor == 1',
  'context.missing.deep == 1',
  'principal.boss.name == "bob"',
  'principal.boss.boss.name == "x"',
  'principal.boss.missing',
  '[1].x == 1',
  '"x".y == 1',
  'principal.hasTag("k")',
  'principal.hasTag("name")',
  'principal has k',
  'principal.getTag("k") == "v"',
  'principal.getTag("missing") == "v"',
  'User::"ghost".hasTag("k")',
  'User::"ghost".getTag("k") == "v"',
  'principal.hasTag(1)',
  '"x".hasTag("k")',
  'principal.hasTag("__proto__")',
  'context.hasTag("k")',
  '1.getTag("k") == 1',
  'principal == User::"a"',
  'principal == User::"b"',
  'User::"a" == Team::"a"',
  'User::"ghost" == User::"ghost"',
  'context.ghost == User::"ghost"',
  'context.team == Team::"b"',
  '[context.ghost] == [User::"ghost"]',
  'User::"__proto__" == User::"constructor"',
  'action in Action::"read"',
  'action == Action::"view"',
  'Action::"view" in Action::"any"',
]

const COLLECTIONS: readonly string[] = [
  '[1, 2, 2] == [2, 1]',
  '[1] == [1, 2]',
  '[] == []',
  '[[1, 2], [2, 1]] == [[1, 2]]',
  '[1, "1"] == ["1", 1]',
  '[1] == ["1"]',
  '[true] == ["true"]',
  '{a: 1, b: [1, 2]} == {b: [2, 1], a: 1}',
  '{a: 1} == {a: 1, b: 2}',
  '{"a,b": 1} == {a: 1}',
  '[decimal("1.0")].contains(decimal("1.00"))',
  '[ip("1.1.1.1")].contains(ip("1.1.1.1/32"))',
  '[{a: [1]}].contains({a: [1, 1]})',
  '[User::"a"].contains(principal)',
  '[User::"b"].contains(principal)',
  '[1, 2].contains([1, 2])',
  '[[1, 2]].contains([2, 1])',
  '[].contains(1)',
  '1.contains(1)',
  'context.missing.contains(1)',
  '[1].contains(context.missing)',
  '["1"].contains(1)',
  '["\\"1\\""].contains("1")',
  '[User::"a"].contains("User::\\"a\\"")',
  '[1, 2].containsAll([1])',
  '[1].containsAll([1, 2])',
  '[1].containsAll([])',
  '[].containsAll([])',
  '[].containsAll([1])',
  '[1].containsAll(1)',
  '1.containsAll([1])',
  '[1, 2].containsAny([2, 3])',
  '[1].containsAny([2])',
  '[1].containsAny([])',
  '[].containsAny([])',
  '[1].containsAny(1)',
  '[1, 2, 3].containsAny([9, 8, 7, 3])',
  '[].isEmpty()',
  '[1].isEmpty()',
  '{}.isEmpty()',
  '"".isEmpty()',
  '[context.missing].isEmpty()',
  '{a: context.missing} == 1',
  '[1, 2, 3, 4].containsAll([4, 2])',
  'ip("1.1.1.1").isInRange(ip("1.1.1.1"), ip("1.1.1.1"))',
  'ip("1.1.1.1").isInRange()',
  'decimal("1.0").lessThan(1)',
  '"1.0".lessThan(decimal("1.0"))',
  'ip("1.1.1.1").isIpv4(1)',
  'decimal(1) == 1',
  'decimal(context.missing) == 1',
  'false && decimal("x") == 1',
  'true || ip("x").isIpv4()',
  'datetime("1970-01-01").offset(1) == 1',
  'datetime("1970-01-01").durationSince(duration("1d")) == 1',
  'duration("1d").toDate() == 1',
  'duration("1d").toDays() == 1',
  'datetime("1970-01-02").toDays() == 1',
  'ip("10.0.0.1").isInRange(context.missing)',
]

const LIKE: readonly string[] = [
  ...STRINGS.flatMap((text) => PATTERNS.map((pattern) => `${literal(text)} like "${pattern}"`)),
  '1 like "*"',
  'principal like "*"',
  'context.missing like "*"',
]

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
