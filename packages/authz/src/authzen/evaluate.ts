import type { Decision } from '../engine/decision.ts'
import {
  BadRequest,
  isFields,
  readEvaluation,
  type AuthZenDecision,
  type AuthZenEvaluation,
} from './model.ts'

/** Decides one evaluation. May wait, for the decision log or an engine elsewhere. */
export type DecideEvaluation = (evaluation: AuthZenEvaluation) => Promise<AuthZenDecision>

const SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const
type Semantic = (typeof SEMANTICS)[number]

/**
 * The answer to an evaluations request (AuthZEN §7): one decision for each entry in their order, up to and with the one that
 * ends it. Without entries it is a single evaluation.
 *
 * @throws BadRequest for the request as a whole; a faulty entry is a deny of its own.
 */
export async function evaluateAll(
  body: Readonly<Record<string, unknown>>,
  maxEvaluations: number,
  decide: DecideEvaluation,
): Promise<object> {
  const { evaluations, options, ...defaults } = body
  if (evaluations === undefined || (Array.isArray(evaluations) && evaluations.length === 0)) {
    return decide(readEvaluation(body))
  }
  if (!Array.isArray(evaluations)) throw new BadRequest('evaluations: expected an array')
  if (evaluations.length > maxEvaluations)
    throw new BadRequest(`evaluations: ${evaluations.length} entries, at most ${maxEvaluations}`)
  const semantic = semanticOf(options)
  const results: AuthZenDecision[] = []
  for (const entry of evaluations as readonly unknown[]) {
    // One after the other: the ones behind an end must not be decided, nor logged.
    const result = await evaluateEntry(entry, defaults, decide)
    results.push(result)
    if (semantic === 'deny_on_first_deny' && !result.decision) break
    if (semantic === 'permit_on_first_permit' && result.decision) break
  }
  return { evaluations: results }
}

async function evaluateEntry(
  entry: unknown,
  defaults: Readonly<Record<string, unknown>>,
  decide: DecideEvaluation,
): Promise<AuthZenDecision> {
  try {
    return await decide(readEvaluation(entry, defaults))
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error
    return { decision: false, context: { error: { status: 400, message: error.message } } }
  }
}

function semanticOf(options: unknown): Semantic {
  if (options === undefined) return 'execute_all'
  if (!isFields(options)) throw new BadRequest('options: expected an object')
  const { evaluations_semantic: wanted } = options
  if (wanted === undefined) return 'execute_all'
  const semantic = SEMANTICS.find((one) => one === wanted)
  if (semantic === undefined)
    throw new BadRequest(`options.evaluations_semantic: not one of ${SEMANTICS.join(', ')}`)
  return semantic
}

/** A decision on the wire. Of the reasons nothing is told; what has to be done beside an allow is. */
export function decisionOnTheWire({
  decision,
  obligations,
  failure,
}: Omit<Decision, 'engine'>): AuthZenDecision {
  if (decision === 'allow') {
    if (obligations.length === 0) return { decision: true }
    return {
      decision: true,
      context: { obligations: obligations.map(({ name, value }) => ({ name, value })) },
    }
  }
  if (failure === undefined) return { decision: false }
  return { decision: false, context: { error: { status: failure.spec.status, message: failure.code } } }
}
