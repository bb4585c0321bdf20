import { describe, expect, test } from 'vitest'

import { defineThreats, threats } from './threats.ts'

describe('the threat catalogue', () => {
  test('gives every threat a kebab-case id made from its key', () => {
    expect(threats.requestSmuggling.id).toBe('request-smuggling')
    expect(threats.headerAndBodyFlood.id).toBe('header-and-body-flood')
    const ids = Object.values(threats).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  // Ids are in reports, dashboards and other people's scripts: this list only grows.
  test('never loses or renames an id', () => {
    expect(Object.values(threats).map(({ id }) => id)).toEqual([
      'cascading-failure',
      'retry-storm',
      'thundering-herd',
      'resource-exhaustion',
      'partial-failure',
      'lost-deadline',
      'duplicate-effect',
      'stuck-half-open',
      'overload',
      'metastable-failure',
      'slow-clients',
      'request-smuggling',
      'header-and-body-flood',
      'unbounded-keys',
      'bad-reload',
      'forged-forwarded-headers',
      'transient-fault',
      'broken-endpoint',
      'tail-latency',
      'noisy-neighbour',
      'process-exhaustion',
      'abrupt-stop',
      'broken-object-authorization',
      'broken-function-authorization',
      'authorization-bypass',
      'forged-identity',
      'over-powered-service',
      'panic-in-check',
      'policy-engine-down',
      'stale-permission',
      'role-from-body',
      'list-leak',
      'decision-tampering',
      'policy-rollback',
      'limit-in-slices',
      'excessive-answer',
    ])
  })

  test('admits for every threat what stays possible, and names a source', () => {
    for (const { notCovered, source, looksLike, defence } of Object.values(threats)) {
      for (const text of [notCovered, source, looksLike, defence]) expect(text.length).toBeGreaterThan(5)
    }
  })

  test('cannot be changed once defined', () => {
    const { own } = defineThreats({
      own: { title: 't', looksLike: 'l', defence: 'd', notCovered: 'n', source: 's' },
    })
    expect(Object.isFrozen(own)).toBe(true)
  })
})
