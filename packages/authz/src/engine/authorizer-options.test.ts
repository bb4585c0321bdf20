import { describe, expect, test } from 'vitest'
import { Authorizer } from './authorizer.ts'

const SCHEMA = `
entity User = { level: Long };
entity Doc;
action view appliesTo { principal: [User], resource: [Doc] };
`

describe('the options of an authorizer', () => {
  test('are refused where they would quietly mean less than they say', () => {
    const policies = ''
    const wrong: [object, string][] = [
      [{ policies, forbidErrors: 'Deny' }, 'forbidErrors must be "skip" or "deny", not "Deny"'],
      [{ policies, forbidError: 'deny' }, 'there is no option "forbidError"'],
      [{ policies, strict: 'true' }, 'strict must be true or false'],
      [{ policies, version: '' }, 'version must not be empty'],
      [{ policies: undefined }, 'policies must be Cedar text'],
      [{ policies, onForbidErrored: true }, 'onForbidErrored must be a function'],
      [{ policies, store: new Authorizer({ policies }).store, schema: SCHEMA }, 'either a store, or schema'],
    ]
    for (const [options, problem] of wrong) {
      expect(() => Reflect.construct(Authorizer, [options]) as object).toThrow(problem)
    }
    expect(() => Reflect.construct(Authorizer, [{ strict: 1, version: '' }]) as object).toThrow(
      expect.objectContaining({ code: 'BW_AUTHZ_OPTIONS_INVALID' }),
    )
  })

  test('hold policies that come later to the strictness of the first', () => {
    const risky = 'forbid (principal, action == Action::"view", resource) when { principal.level + 1 > 1 };'
    const authorizer = new Authorizer({ policies: '', schema: SCHEMA, strict: true })
    expect(() => authorizer.compile(risky)).toThrow('may leave 64 bits')
    expect(authorizer.compile(risky, { strict: false }).fallback).toBeUndefined()
  })
})
