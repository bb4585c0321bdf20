import type { Authorizer, AuthorizerOptions } from '../src/index.ts'
import type { Case } from './generate/case.ts'
import { REFUSED, verdict, type Verdict } from './oracle.ts'

/** The class under test: the real one, or a mutant of it. */
export type AuthorizerClass = new (options: AuthorizerOptions) => Authorizer

/** Our answers to every request of a case. */
export function ours(one: Case, Engine: AuthorizerClass): Verdict[] {
  const { texts, links, schema, entitiesText, requests } = one
  let authorizer: Authorizer
  try {
    authorizer = new Engine({
      policies: { text: texts.map((entry) => entry.text).join('\n\n'), links },
      entities: entitiesText,
      ...(schema !== undefined && { schema }),
    })
  } catch {
    return requests.map(() => REFUSED)
  }
  if (authorizer.engine.kind !== 'compiled')
    return requests.map(() => `official engine: ${JSON.stringify(authorizer.engine)}`)
  return requests.map(({ principal, action, resource, contextText }) => {
    const decision = authorizer.decide({ principal, action, resource, context: contextText })
    if (decision.failure !== undefined) return REFUSED
    return verdict(
      decision.decision,
      decision.reasons,
      decision.errors.map((error) => error.policyId),
    )
  })
}

/** The first request answered differently, in words. */
export function difference(
  one: Case,
  expected: readonly Verdict[],
  Engine: AuthorizerClass,
): string | undefined {
  const answers = ours(one, Engine)
  const index = answers.findIndex((answer, at) => answer !== expected[at])
  if (index < 0) return undefined
  return `seed ${one.seed}, request ${index}: ${answers[index]}, the official engine says ${expected[index]}`
}
