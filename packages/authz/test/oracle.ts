import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { Case } from './generate/case.ts'
import { forOfficial } from './generate/values.ts'

/** A verdict as one line of text, so that two can be compared at a glance. */
export type Verdict = string

export function verdict(decision: string, reasons: readonly string[], errors: readonly string[]): Verdict {
  return `${decision} because [${[...reasons].sort().join()}] errors [${[...errors].sort().join()}]`
}

/** What every request gets when nothing reaches the policies. */
export const REFUSED: Verdict = 'refused'

/** The answers of the official engine to every request of a case; undefined when it refuses the policies. */
export function official(one: Case): Verdict[] | undefined {
  const { texts, links, schema } = one
  const named = (template: boolean): Record<string, string> =>
    Object.fromEntries(
      texts
        .map((entry, index) => [`policy${index}`, entry] as const)
        .filter(([, entry]) => entry.template === template)
        .map(([id, entry]) => [id, entry.text]),
    )
  const policies = cedar.preparsePolicySet('case', {
    staticPolicies: named(false),
    templates: named(true),
    templateLinks: links.map((link) => ({ ...link, values: { ...link.values } })),
  })
  if (policies.type === 'failure') return undefined
  if (schema !== undefined && cedar.preparseSchema('case', schema).type === 'failure') return undefined
  const entities = forOfficial(one.entitiesText) as cedar.Entities
  return one.requests.map(({ principal, action, resource, contextText }) => {
    const answer = cedar.statefulIsAuthorized({
      principal: { ...principal },
      action: { ...action },
      resource: { ...resource },
      context: forOfficial(contextText) as cedar.Context,
      entities,
      preparsedPolicySetId: 'case',
      validateRequest: true,
      ...(schema !== undefined && { preparsedSchemaName: 'case' }),
    })
    if (answer.type === 'failure') return REFUSED
    const { decision, diagnostics } = answer.response
    return verdict(
      decision,
      diagnostics.reason,
      diagnostics.errors.map((error) => error.policyId),
    )
  })
}
