import type { UidSource } from '../entities/uid-table.ts'
import { ERROR } from '../values/value.ts'
import type { Expression } from './ast.ts'
import type { Decision } from './decision.ts'
import { compileExpression } from './compile-expression.ts'
import { isWithin, type Frame } from './frame.ts'
import { expressionText } from './expression-text.ts'
import type { CompiledPolicy, Scope } from './policy.ts'
import { positionOf } from './position.ts'

/** What one policy had to say about a request. */
export interface PolicyExplanation {
  readonly policyId: string
  readonly effect: 'permit' | 'forbid'
  /** `out-of-scope` when principal, action or resource is not the one it speaks of. */
  readonly outcome: 'satisfied' | 'not-satisfied' | 'failed' | 'out-of-scope'
  /** Where the policy begins in its text. */
  readonly position: string
  /** One sentence, with the first condition that decided and its place. */
  readonly sentence: string
}

/** A decision and what every policy had to say. */
export interface Explanation {
  readonly decision: Decision
  readonly policies: readonly PolicyExplanation[]
  /** The decision in words: first why, then what nearly mattered; policies of another scope are only counted. */
  readonly text: string
}

/** Puts an explanation into a few lines. */
export function explanationText(decision: Decision, policies: readonly PolicyExplanation[]): string {
  const lines = [`${decision.decision}: ${headline(decision)}`]
  for (const { outcome, sentence } of policies) if (outcome !== 'out-of-scope') lines.push(`- ${sentence}`)
  const outside = policies.filter(({ outcome }) => outcome === 'out-of-scope')
  if (outside.length > 0 && outside.length <= 5) lines.push(...outside.map(({ sentence }) => `- ${sentence}`))
  else if (outside.length > 5)
    lines.push(`- ${outside.length} policies speak of another principal, action or resource.`)
  return lines.join('\n')
}

function headline({ decision, reasons, errors, failure, engine }: Decision): string {
  const by = reasons.join(', ')
  if (failure !== undefined) return failure.message
  if (engine === 'official') return `the official engine decided${by === '' ? '' : `, by ${by}`}`
  if (decision === 'allow') return `permitted by ${by}, forbidden by none`
  if (by !== '') return `forbidden by ${by}`
  return errors.some(({ effect }) => effect === 'forbid')
    ? 'no permit applies, or a forbid failed'
    : 'no permit applies'
}

/** Explains one policy. Evaluates again, part by part: for people, not for the hot path. */
export function explainPolicy(policy: CompiledPolicy, frame: Frame, uids: UidSource): PolicyExplanation {
  const { id: policyId, effect, source } = policy
  const position = positionOf(source.text, source.node.at)
  const tell = (outcome: PolicyExplanation['outcome'], why: string): PolicyExplanation => ({
    policyId,
    effect,
    outcome,
    position,
    sentence: `${policyId} (${effect}, ${position}) ${why}.`,
  })
  const outside = outsideOf(policy, frame)
  if (outside !== undefined) return tell('out-of-scope', `does not apply: ${outside}`)
  for (const { kind, body } of source.node.conditions) {
    const { node, outcome } = decisivePart(body, kind === 'when', frame, uids)
    if (outcome === (kind === 'when')) continue
    const where = `\`${expressionText(node)}\` (${positionOf(source.text, node.at)})`
    if (outcome === ERROR)
      return tell('failed', `failed in its \`${kind}\`: ${where}: ${frame.fault?.what ?? 'not a boolean'}`)
    return tell('not-satisfied', `is not satisfied: in its \`${kind}\`, ${where} is ${outcome}`)
  }
  return tell('satisfied', effect === 'permit' ? 'permits this' : 'forbids this')
}

/** Whether a policy speaks of this principal, action and resource at all. */
export function isInScope(policy: CompiledPolicy, frame: Frame): boolean {
  return outsideOf(policy, frame) === undefined
}

function outsideOf(
  { principal, actions, actionsWithin, resource }: CompiledPolicy,
  frame: Frame,
): string | undefined {
  const { action } = frame
  const acts =
    actions?.some((one) => (actionsWithin ? isWithin(frame, action, one) : one.key === action.key)) ?? true
  if (!acts)
    return `${action} is not ${actionsWithin ? 'in' : ''} ${actions?.join(' or ') ?? ''}`.replace('  ', ' ')
  return outsideScope('principal', principal, frame) ?? outsideScope('resource', resource, frame)
}

function outsideScope(
  name: 'principal' | 'resource',
  { equal, within, type }: Scope,
  frame: Frame,
): string | undefined {
  const uid = frame[name]
  if (type !== undefined && uid.type !== type) return `${name} ${uid} is not a ${type}`
  if (equal !== undefined && equal.key !== uid.key) return `${name} ${uid} is not ${equal}`
  if (within !== undefined && !isWithin(frame, uid, within)) return `${name} ${uid} is not in ${within}`
  return undefined
}

/** The innermost part of an `&&`, `||` or `!` that made the whole what it is. */
function decisivePart(
  node: Expression,
  wanted: boolean,
  frame: Frame,
  uids: UidSource,
): { readonly node: Expression; readonly outcome: boolean | typeof ERROR } {
  frame.fault = undefined
  const value = compileExpression(node, uids).run(frame)
  const outcome = typeof value === 'boolean' ? value : ERROR
  if (outcome === wanted || node.kind !== 'logic') return { node, outcome }
  const left = decisivePart(node.left, wanted, frame, uids)
  if (node.operator === '&&' && left.outcome === wanted) return decisivePart(node.right, wanted, frame, uids)
  if (left.outcome === ERROR) return left
  // Both sides of an `||` (or of an `&&` that should have been false) had to be what they are.
  return node.operator === '&&' && wanted ? left : { node, outcome }
}
