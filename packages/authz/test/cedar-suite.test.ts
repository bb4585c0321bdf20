import { describe, expect, test } from 'vitest'
import { Authorizer } from '../src/index.ts'
import { suite, type SuiteCase } from './cedar-suite.ts'

/** Every request of every case whose verdict is not the recorded one, in words. */
function disagreements(cases: readonly SuiteCase[]): { asked: number; wrong: string[] } {
  const wrong: string[] = []
  let asked = 0
  for (const { id, policies, schema, entitiesText, requests } of cases) {
    const authorizer = new Authorizer({
      policies,
      entities: entitiesText,
      ...(schema !== null && { schema }),
    })
    if (authorizer.engine.kind !== 'compiled') wrong.push(`${id}: left to the official engine`)
    for (const [index, request] of requests.entries()) {
      const { principal, action, resource, context } = request
      const verdict = authorizer.decide({
        principal,
        action,
        resource,
        context: context as Record<string, never>,
      })
      const ours = [
        verdict.decision,
        [...verdict.reasons].sort(),
        verdict.errors.map((e) => e.policyId).sort(),
      ]
      const theirs = [request.decision, [...request.reason].sort(), [...request.errors].sort()]
      asked += 1
      if (JSON.stringify(ours) !== JSON.stringify(theirs)) {
        wrong.push(`${id}[${index}]: ${JSON.stringify(ours)} instead of ${JSON.stringify(theirs)}`)
      }
    }
  }
  return { asked, wrong }
}

describe('the official integration tests', () => {
  test.each([
    { name: 'hand-written', requests: 74 },
    { name: 'corpus-half', requests: 31_704 },
  ] as const)(
    'every decision, reason set and error set of $name is the recorded one',
    { timeout: 120_000 },
    (file) => {
      const cases = suite(file.name)
      if (cases === undefined) {
        console.log(`${file.name}: the cases are not on this machine, nothing was compared`)
        return
      }
      const { asked, wrong } = disagreements(cases)
      expect(wrong).toEqual([])
      expect(asked).toBe(file.requests)
    },
  )
})
