import { AuthzError } from '../errors.ts'
import { officialForm, sameForm } from '../literals/official-form.ts'
import { readPolicies } from '../literals/read-policies.ts'
import { UnreadablePolicy } from '../literals/tokens.ts'
import type { EntityName, PolicyNode } from './ast.ts'
import { requireShallow, requireShallowText } from './depth.ts'
import { positionOf } from './position.ts'
import { officialTree, requirePolicies, type PolicySet } from './official.ts'

/** A template made into a policy. */
export interface TemplateLink {
  readonly templateId: string
  /** The id of the policy that results. */
  readonly newId: string
  readonly values: { readonly '?principal'?: EntityName; readonly '?resource'?: EntityName }
}

/** Policies as Cedar text. A bare text may hold static policies and templates; their ids are `policy0`, `policy1`, … . */
export interface PolicySource {
  readonly text?: string
  /** More policies and templates under ids of their own, one a text. */
  readonly policies?: Readonly<Record<string, string>>
  readonly links?: readonly TemplateLink[]
  /** `annotation`: a policy of `text` with `@id("…")` is known by that id. Default `position`, as in the official engine. */
  readonly ids?: 'position' | 'annotation'
}

/** One policy or template with its id and where its text comes from. */
export interface SourcePolicy {
  readonly id: string
  readonly node: PolicyNode
  /** The text that the node's offsets point into. */
  readonly text: string
  readonly template: boolean
}

/** A set the official parser has accepted, and our reading of it, unless there is something we cannot read. */
export interface ParsedSource {
  readonly official: PolicySet
  readonly links: readonly TemplateLink[]
  readonly policies: readonly SourcePolicy[]
  /** Why the set has to be decided by the official engine. */
  readonly unreadable: string | undefined
}

/**
 * Parses with the official parser, reads with ours (for exact integers and positions), and compares the two.
 *
 * @throws `BW_AUTHZ_POLICY_INVALID` when the official parser refuses, or two policies share an id.
 */
export function parseSource(source: PolicySource): ParsedSource {
  const { text = '', links = [] } = source
  for (const one of [text, ...Object.values(source.policies ?? {})])
    requireShallowText(one, 'BW_AUTHZ_POLICY_INVALID')
  try {
    const policies = readSource(source)
    for (const { node } of policies) requireShallow(node)
    const official = officialSet(policies, links)
    // Parses each policy officially; the set as a whole has nothing more to say than about its links.
    for (const policy of policies) requireSameReading(policy)
    if (links.length > 0) requirePolicies({ ...official, staticPolicies: {} })
    return { official, links, policies, unreadable: undefined }
  } catch (error) {
    if (!(error instanceof UnreadablePolicy)) throw error
    // Not in our grammar: either wrong, which the official parser says, or new, which the official engine decides.
    const official: PolicySet = { staticPolicies: text }
    requirePolicies(official)
    if (source.policies !== undefined || links.length > 0 || source.ids === 'annotation') {
      throw new AuthzError('BW_AUTHZ_POLICY_INVALID', `policies cannot be told apart: ${error.message}`)
    }
    return { official, links, policies: [], unreadable: error.message }
  }
}

function readSource(source: PolicySource): SourcePolicy[] {
  const found = readPolicies(source.text ?? '').map((node, index) =>
    sourcePolicy(idOf(node, index, source.ids), node, source.text ?? ''),
  )
  for (const [id, text] of Object.entries(source.policies ?? {})) {
    const [node, more] = readPolicies(text)
    if (node === undefined || more !== undefined) {
      throw new AuthzError('BW_AUTHZ_POLICY_INVALID', `${id}: expected one policy in this text`)
    }
    found.push(sourcePolicy(id, node, text))
  }
  const ids = new Set<string>()
  for (const id of [...found.map((policy) => policy.id), ...(source.links ?? []).map((link) => link.newId)]) {
    if (ids.has(id))
      throw new AuthzError('BW_AUTHZ_POLICY_INVALID', `two policies have the id ${JSON.stringify(id)}`)
    ids.add(id)
  }
  return found
}

function idOf(node: PolicyNode, index: number, ids: PolicySource['ids']): string {
  const named = ids === 'annotation' ? node.annotations.find(([name]) => name === 'id')?.[1] : undefined
  return named ?? `policy${index}`
}

function sourcePolicy(id: string, node: PolicyNode, text: string): SourcePolicy {
  const template = [node.principal, node.resource].some((scope) =>
    scope.op === 'is' ? scope.within === 'slot' : scope.op !== 'all' && scope.target === 'slot',
  )
  return { id, node, text, template }
}

function officialSet(policies: readonly SourcePolicy[], links: readonly TemplateLink[]): PolicySet {
  const texts = (template: boolean): Record<string, string> =>
    Object.fromEntries(
      policies
        .filter((policy) => policy.template === template)
        .map(({ id, node, text }) => [id, text.slice(node.at, node.end)] as const),
    )
  return {
    staticPolicies: texts(false),
    templates: texts(true),
    templateLinks: links.map(({ templateId, newId, values }) => ({
      templateId,
      newId,
      values: Object.fromEntries(Object.entries(values).map(([slot, entity]) => [slot, { ...entity }])),
    })),
  }
}

/** Two readings of one text that differ mean that we misread: the official engine must decide. */
function requireSameReading({ id, node, text, template }: SourcePolicy): void {
  const official = officialTree(
    text.slice(node.at, node.end),
    template,
    // Only when asked: a position costs a walk over the text, and a set has thousands.
    () => `${id} (${positionOf(text, node.at)})`,
  )
  if (!sameForm(officialForm(node), official)) {
    throw new UnreadablePolicy(`the official parser reads policy ${JSON.stringify(id)} differently`, node.at)
  }
}
