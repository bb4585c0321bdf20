import { describe, expect, test } from 'vitest'
import { openPolicies, type OpenPolicies } from '../operate.ts'
import {
  junitOf,
  readPolicyTests,
  readUidText,
  requestOf,
  runPolicyTests,
  type PolicyTestReport,
} from '../testing.ts'

const SCHEMA = `
entity User = { level: Long };
entity Doc = { owner: User };
action view, edit appliesTo { principal: [User], resource: [Doc], context: { mfa: Bool } };
action list appliesTo { principal: [User], resource: [Doc] };
`
const ENTITIES = JSON.stringify([
  { uid: { type: 'User', id: 'ann' }, attrs: { level: 3 } },
  { uid: { type: 'Doc', id: 'd1' }, attrs: { owner: { type: 'User', id: 'ann' } } },
])

function open(...policies: readonly string[]): OpenPolicies {
  const files = policies.map((text, index) => ({ file: `${index}.cedar`, text }))
  return openPolicies({ policies: files, schema: SCHEMA, entities: ENTITIES })
}

function report(policies: readonly string[], tests: readonly object[], more: object = {}): PolicyTestReport {
  const { joined } = open(...policies)
  const file = readPolicyTests({ context: { mfa: true }, ...more, tests }, 'one.yaml')
  return runPolicyTests([file], { joined, open: () => open(...policies).authorizer })
}

const ask = { name: 'a', principal: 'User::"ann"', action: 'view', resource: 'Doc::"d1"' }

describe('policy tests', () => {
  test('count the outcomes of each part of a condition, and not what a short cut leaves out', () => {
    const policy =
      '@id("p") permit (principal, action, resource) when { principal.level > 2 || principal.level > 9 };'
    const { coverage } = report([policy], [{ ...ask, expect: 'allow' }])
    expect(coverage.policies).toMatchObject([
      {
        policyId: 'p',
        satisfied: 1,
        conditions: [
          { text: 'principal.level > 2', whenTrue: 1, whenFalse: 0 },
          { text: 'principal.level > 9', whenTrue: 0, whenFalse: 0 },
        ],
      },
    ])
    expect(coverage.ratio).toBe(2 / 5)
  })

  test('look at reasons, failures and obligations when they are told to', () => {
    const policy = '@id("p") @obligation_mask("x") permit (principal, action, resource);'
    const { results } = report(
      [policy],
      [
        { ...ask, expect: 'allow', because: ['p'], obligations: ['mask=x'] },
        { ...ask, expect: 'allow', because: [], obligations: [] },
        { ...ask, expect: 'deny', failure: 'BW_AUTHZ_DATA_INVALID', context: { mfa: 'yes' } },
        { ...ask, expect: 'deny', context: { mfa: 'yes' } },
      ],
    )
    expect(results.map(({ differences }) => differences)).toEqual([
      [],
      ['because: expected none, got p', 'obligations: expected none, got mask=x'],
      [],
      ['failure: expected none, got BW_AUTHZ_DATA_INVALID'],
    ])
  })

  test('point into the right file of several', () => {
    const { results } = report(
      [
        '// one\n@id("first")\npermit (principal, action == Action::"edit", resource);',
        '@id("second")\nforbid (principal, action, resource)\nwhen { context has mfa && principal.level > 1 };',
      ],
      [{ ...ask, expect: 'allow' }],
    )
    expect(results[0]?.explanation).toContain('second (forbid, 1.cedar:1:1)')
    expect(results[0]?.explanation).toContain('first (permit, 0.cedar:2:1)')
  })

  test('fill the context in only where the action knows the name', () => {
    const { schema } = open('permit (principal, action, resource);').authorizer.store
    expect(requestOf({ ...ask, action: 'list', context: {} }, { mfa: true }, schema).context).toEqual({})
    expect(requestOf({ ...ask, context: { mfa: false } }, { mfa: true }, schema).context).toEqual({
      mfa: false,
    })
  })

  test('leave one file nothing of the entities of another', () => {
    const policies = ['permit (principal, action, resource) when { principal.level > 5 };']
    const bob = { ...ask, principal: 'User::"bob"' }
    const entities = [{ uid: { type: 'User', id: 'bob' }, attrs: { level: 9 } }]
    const files = [
      readPolicyTests({ context: { mfa: true }, entities, tests: [{ ...bob, expect: 'allow' }] }, 'a'),
      readPolicyTests(
        { context: { mfa: true }, tests: [{ ...bob, expect: 'deny', errors: ['policy0'] }] },
        'b',
      ),
    ]
    const { joined } = open(...policies)
    expect(runPolicyTests(files, { joined, open: () => open(...policies).authorizer }).failed).toBe(0)
  })

  test.each([
    [[], 'expected a mapping'],
    [{ tests: [] }, 'there is no test'],
    [{ tests: [{ ...ask, expect: 'perhaps' }] }, 'neither allow nor deny'],
    [{ tests: [{ ...ask, expect: 'deny', reasons: [] }] }, 'reasons: unknown'],
    [{ tests: [{ expect: 'deny' }] }, 'expected a text'],
  ])('refuse a file that says nothing clear: %j', (value, message) => {
    expect(() => readPolicyTests(value, 'x.yaml')).toThrow(message)
  })

  test('are told to build servers in XML that any content survives', () => {
    const name = 'a < b & "c" \u0001'
    const { results, ...rest } = report(
      ['permit (principal, action, resource);'],
      [{ ...ask, name, expect: 'deny' }],
    )
    const xml = junitOf({ results, ...rest })
    expect(xml).toContain('name="a &lt; b &amp; &quot;c&quot; \ufffd"')
    expect(xml).toContain('tests="1" failures="1"')
  })
})

test('an entity is read from its Cedar text and from nothing else', () => {
  expect(readUidText('A::B::"x\\"y"', 'here')).toEqual({ type: 'A::B', id: 'x"y' })
  for (const text of ['User::ann', 'User', '"ann"', 'User::"a" ', 'User::"\\q"', '1User::"a"']) {
    expect(() => readUidText(text, 'here')).toThrow('is not an entity')
  }
})
