import { VirtualClock } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { createCall } from './call.ts'
import { POLICY_ORDER, protect } from './protect.ts'
import type { PolicyName } from './protect.ts'
import { stack } from './service.ts'
import type { Layer } from './service.ts'

const noting =
  (seen: string[], name: string): Layer<string, string> =>
  (inner) =>
  async (request, call) => {
    seen.push(`> ${name}`)
    const response = await inner(request, call)
    seen.push(`< ${name}`)
    return response
  }

describe('stack', () => {
  test('lets the first layer see the request first and the response last', async () => {
    const seen: string[] = []
    using call = createCall({}, { clock: new VirtualClock() })
    const service = stack(async (request: string) => request, [noting(seen, 'outer'), noting(seen, 'inner')])
    await service('', call)
    expect(seen).toEqual(['> outer', '> inner', '< inner', '< outer'])
  })
})

describe('protect', () => {
  test('puts every policy in the one order', async () => {
    const seen: string[] = []
    using call = createCall({}, { clock: new VirtualClock() })
    const backwards = [...POLICY_ORDER].reverse()
    const policies = Object.fromEntries(backwards.map((name) => [name, noting(seen, name)] as const))
    await protect(async (request: string) => request, policies)('', call)
    expect(seen.filter((line) => line.startsWith('>'))).toEqual(POLICY_ORDER.map((name) => `> ${name}`))
  })

  test.each<[PolicyName, PolicyName]>([
    ['fallback', 'timeout'],
    ['fallback', 'idempotency'],
    ['idempotency', 'retry'],
    ['timeout', 'retry'],
    ['retry', 'deadline'],
    ['retry', 'rateLimit'],
    ['hedge', 'rateLimit'],
    ['retry', 'breaker'],
    ['bulkhead', 'breaker'],
    ['breaker', 'tryTimeout'],
  ])('%s stands outside %s', (outer, inner) => {
    expect(POLICY_ORDER.indexOf(outer)).toBeLessThan(POLICY_ORDER.indexOf(inner))
  })

  test('refuses a policy it does not know', () => {
    const layer = noting([], 'x')
    const misspelt = { retyr: layer }
    expect(() => protect(async (request: string) => request, misspelt as object)).toThrow(
      'retyr is not one of',
    )
  })
})
