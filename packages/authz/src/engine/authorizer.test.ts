import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, test, vi } from 'vitest'
import { Authorizer } from './authorizer.ts'
import type { AuthzRequest } from './request.ts'

const uid = (type: string, id: string): { type: string; id: string } => ({ type, id })
const ask = (principal = 'ann', action = 'view', resource = 'd1'): AuthzRequest => ({
  principal: uid('User', principal),
  action: uid('Action', action),
  resource: uid('Doc', resource),
})

const SCHEMA = `
entity Team;
entity User in [Team] = { level: Long };
entity Doc = { owner: User };
action read;
action view in [read] appliesTo { principal: [User], resource: [Doc], context: { mfa?: Bool } };
`

describe('an authorizer', () => {
  test('denies by default, and an empty set denies everything', () => {
    expect(new Authorizer({ policies: '' }).decide(ask())).toMatchObject({
      decision: 'deny',
      reasons: [],
      errors: [],
    })
  })

  test('turns every kind of broken request into a deny with a code, and lives', () => {
    const authorizer = new Authorizer({ policies: 'permit (principal, action, resource);', schema: SCHEMA })
    const circular: Record<string, never> = {}
    Object.assign(circular, { self: circular })
    const broken: [string, unknown][] = [
      ['BW_AUTHZ_DATA_INVALID', {}],
      ['BW_AUTHZ_DATA_INVALID', { ...ask(), principal: undefined }],
      ['BW_AUTHZ_DATA_INVALID', { ...ask(), principal: 'User::"ann"' }],
      ['BW_AUTHZ_DATA_INVALID', { ...ask(), principal: uid('no type', 'ann') }],
      ['BW_AUTHZ_DATA_INVALID', { ...ask(), principal: uid('User', '\ud800') }],
      ['BW_AUTHZ_DATA_INVALID', { ...ask(), context: '{' }],
      ['BW_AUTHZ_DATA_INVALID', { ...ask(), context: { mfa: 1.5 } }],
      ['BW_AUTHZ_DATA_INVALID', { ...ask(), context: { mfa: null } }],
      ['BW_AUTHZ_DATA_INVALID', { ...ask(), context: { mfa: 'yes' } }],
      ['BW_AUTHZ_DATA_INVALID', { ...ask(), context: { other: true } }],
      ['BW_AUTHZ_DATA_INVALID', { ...ask(), context: circular }],
      ['BW_AUTHZ_REQUEST_INVALID', ask('ann', 'unknown')],
      ['BW_AUTHZ_REQUEST_INVALID', ask('ann', 'read')],
      ['BW_AUTHZ_REQUEST_INVALID', { ...ask(), principal: uid('Team', 'red') }],
      ['BW_AUTHZ_REQUEST_INVALID', { ...ask(), resource: uid('User', 'ann') }],
      ['BW_AUTHZ_ENGINE_FAILED', null],
    ]
    for (const [code, request] of broken) {
      const { decision, failure, reasons } = authorizer.decide(request as AuthzRequest)
      expect({ decision, code: failure?.code, reasons }).toEqual({ decision: 'deny', code, reasons: [] })
    }
    expect(authorizer.decide(ask()).decision).toBe('allow')
  })

  test('keeps integers beyond 2^53 exact in policies, context text and bigint context', () => {
    const authorizer = new Authorizer({
      policies: 'permit (principal, action, resource) when { context.n == 9007199254740993 };',
    })
    const decide = (context: NonNullable<AuthzRequest['context']>): string =>
      authorizer.decide({ ...ask(), context }).decision
    expect(decide('{"n": 9007199254740993}')).toBe('allow')
    expect(decide('{"n": 9007199254740992}')).toBe('deny')
    expect(decide({ n: 9007199254740993n })).toBe('allow')
    expect(authorizer.decide({ ...ask(), context: { n: 2 ** 53 } }).failure?.code).toBe(
      'BW_AUTHZ_DATA_INVALID',
    )
  })

  test('alarms when a forbid fails, and denies only when told to', () => {
    const policies =
      'permit (principal, action, resource);\nforbid (principal, action, resource) when { principal.blocked };'
    const onForbidErrored = vi.fn<() => void>()
    const published = vi.fn<(message: unknown) => void>()
    subscribe('breakwater:authz:forbid-errored', published)
    const skipping = new Authorizer({ policies, onForbidErrored }).decide(ask())
    unsubscribe('breakwater:authz:forbid-errored', published)
    expect(skipping).toMatchObject({
      decision: 'allow',
      reasons: ['policy0'],
      errors: [
        {
          policyId: 'policy1',
          effect: 'forbid',
          message: 'attribute `blocked` is missing, at line 2, column 45',
        },
      ],
    })
    expect(onForbidErrored).toHaveBeenCalledTimes(1)
    expect(published).toHaveBeenCalledTimes(1)
    expect(new Authorizer({ policies, forbidErrors: 'deny' }).decide(ask())).toMatchObject({
      decision: 'deny',
      reasons: [],
    })
  })

  test('does not alarm about a permit that fails', () => {
    const onForbidErrored = vi.fn<() => void>()
    const policies = 'permit (principal, action, resource) when { principal.blocked };'
    expect(new Authorizer({ policies, onForbidErrored }).decide(ask()).errors).toHaveLength(1)
    expect(onForbidErrored).not.toHaveBeenCalled()
  })

  test('hands out the obligations of the policies that determined the decision, and no others', () => {
    const policies = `
      @obligation_mask("email,phone") permit (principal, action, resource);
      @obligation_log permit (principal == User::"bob", action, resource);
      @obligation_status("404") forbid (principal == User::"eve", action, resource);`
    const authorizer = new Authorizer({ policies })
    expect(authorizer.decide(ask()).obligations).toEqual([
      { name: 'mask', value: 'email,phone', policyId: 'policy0' },
    ])
    expect(authorizer.decide(ask('bob')).obligations.map((o) => o.name)).toEqual(['mask', 'log'])
    expect(authorizer.decide(ask('eve')).obligations).toEqual([
      { name: 'status', value: '404', policyId: 'policy2' },
    ])
  })

  test('takes ids from annotations when asked, and refuses two of a name', () => {
    const text = '@id("readers") permit (principal, action, resource);'
    expect(new Authorizer({ policies: { text, ids: 'annotation' } }).decide(ask()).reasons).toEqual([
      'readers',
    ])
    expect(() => new Authorizer({ policies: { text: text + text, ids: 'annotation' } })).toThrow(
      'two policies have the id "readers"',
    )
  })

  test('refuses what the official parser refuses, with the place', () => {
    expect(() => new Authorizer({ policies: 'permit (principal, action);' })).toThrow(/at byte/)
    expect(() => new Authorizer({ policies: '', schema: 'entity' })).toThrow(
      expect.objectContaining({ code: 'BW_AUTHZ_SCHEMA_INVALID' }),
    )
  })

  test('in strict mode refuses what the validator refuses and forbids that may overflow', () => {
    const strict = (policies: string, schema?: string): Authorizer =>
      new Authorizer({ policies, strict: true, ...(schema !== undefined && { schema }) })
    const scope = 'principal, action == Action::"view", resource'
    expect(() => strict('permit (principal, action, resource);')).toThrow('strict mode needs a schema')
    expect(() => strict(`forbid (${scope}) when { principal.lvl > 1 };`, SCHEMA)).toThrow(
      expect.objectContaining({ code: 'BW_AUTHZ_POLICY_REFUSED' }),
    )
    expect(() => strict(`forbid (${scope}) when { principal.level + 1 > 1 };`, SCHEMA)).toThrow(
      'may leave 64 bits',
    )
    expect(strict(`permit (${scope}) when { principal.level + 1 > 1 };`, SCHEMA).engine.kind).toBe('compiled')
  })

  test.each(['', '("")', '("email,")', '("email,,phone")', '("contact.email")'])(
    'in strict mode refuses an obligation to mask that would mask nothing: @obligation_mask%s',
    (value) => {
      const policies = `@obligation_mask${value} permit (principal, action == Action::"view", resource);`
      expect(() => new Authorizer({ policies, schema: SCHEMA, strict: true })).toThrow(
        'policy0: obliges to mask "',
      )
      expect(new Authorizer({ policies, schema: SCHEMA }).engine.kind).toBe('compiled')
    },
  )

  test('answers a prepared request on the store as it is at that moment', () => {
    const authorizer = new Authorizer({ policies: 'permit (principal in Team::"red", action, resource);' })
    const prepared = authorizer.prepare(ask('new'))
    expect(authorizer.decide(prepared).decision).toBe('deny')
    authorizer.store.apply({ upsert: [{ uid: uid('User', 'new'), parents: [uid('Team', 'red')] }] })
    expect(authorizer.decide(prepared).decision).toBe('allow')
    authorizer.store.apply({ remove: [uid('User', 'new')] })
    expect(authorizer.decide(prepared).decision).toBe('deny')
  })

  test('puts another set into force at once, and tries one without doing so', () => {
    const authorizer = new Authorizer({ policies: 'permit (principal, action, resource);', version: 'one' })
    const next = authorizer.compile('', { version: 'two' })
    expect(authorizer.decide(ask(), { set: next })).toMatchObject({ decision: 'deny', policyVersion: 'two' })
    expect(authorizer.decide(ask())).toMatchObject({ decision: 'allow', policyVersion: 'one' })
    authorizer.use(next)
    expect(authorizer.decide(ask())).toMatchObject({ decision: 'deny', policyVersion: 'two' })
  })

  test('says in words which policy decided and which condition did not hold', () => {
    const policies = `permit (principal, action == Action::"view", resource)
  when { context.mfa && principal.level > 3 };
forbid (principal == User::"eve", action, resource);
permit (principal, action, resource) when { principal.missing == 1 };`
    const entities = [{ uid: uid('User', 'ann'), attrs: { level: 2 } }]
    const { text } = new Authorizer({ policies, entities }).explain({ ...ask(), context: { mfa: true } })
    expect(text).toBe(`deny: no permit applies
- policy0 (permit, line 1, column 1) is not satisfied: in its \`when\`, \`principal.level > 3\` (line 2, column 25) is false.
- policy2 (permit, line 4, column 1) failed in its \`when\`: \`principal.missing == 1\` (line 4, column 45): attribute \`missing\` is missing.
- policy1 (forbid, line 3, column 1) does not apply: principal User::"ann" is not User::"eve".`)
  })
})

describe('a set the compiler does not know', () => {
  // Longer than our closures would nest; the official engine walks such a chain without recursion.
  const chain = `${'true && '.repeat(1200)}context.n == 9223372036854775807`
  const policies = `permit (principal, action, resource) when { ${chain} };
forbid (principal in Team::"blue", action, resource);`

  test('is decided by the official engine as a whole, integers still exact', () => {
    const entities = [{ uid: uid('User', 'bob'), parents: [uid('Team', 'blue')] }]
    const authorizer = new Authorizer({ policies, entities })
    expect(authorizer.engine).toMatchObject({ kind: 'official' })
    const decide = (principal: string, context: string): unknown => {
      const { decision, reasons, engine } = authorizer.decide({ ...ask(principal), context })
      return { decision, reasons, engine }
    }
    expect(decide('ann', '{"n": 9223372036854775807}')).toEqual({
      decision: 'allow',
      reasons: ['policy0'],
      engine: 'official',
    })
    expect(decide('ann', '{"n": 9223372036854775806}')).toEqual({
      decision: 'deny',
      reasons: [],
      engine: 'official',
    })
    expect(decide('bob', '{"n": 9223372036854775807}')).toEqual({
      decision: 'deny',
      reasons: ['policy1'],
      engine: 'official',
    })
    expect(authorizer.decide({ ...ask(), context: '{}' }).errors).toMatchObject([{ policyId: 'policy0' }])
  })

  test('is refused when it would break the official parser, which lives on', () => {
    const nested = [
      `${'('.repeat(500)}true${')'.repeat(500)}`,
      `${'if true then '.repeat(500)}true${' else false'.repeat(500)}`,
      `1${' + 1'.repeat(500)} == 1`,
      `context${'.a'.repeat(500)} == 1`,
    ]
    for (const body of nested) {
      const one = `permit (principal, action, resource) when { ${body} };`
      expect(() => new Authorizer({ policies: one })).toThrow(/nested deeper than/)
    }
    expect(new Authorizer({ policies: 'permit (principal, action, resource);' }).decide(ask()).decision).toBe(
      'allow',
    )
  })

  test('has no list plan', () => {
    const plan = new Authorizer({ policies }).plan(ask(), { entityType: 'Doc', id: 'id', attributes: {} })
    expect(plan.kind).toBe('unpushable')
  })
})
