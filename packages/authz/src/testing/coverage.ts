import { compileExpression } from '../engine/compile-expression.ts'
import type { Expression } from '../engine/ast.ts'
import type { Authorizer } from '../engine/authorizer.ts'
import { expressionText } from '../engine/expression-text.ts'
import { frameOf, type Frame, type Run } from '../engine/frame.ts'
import { isInScope } from '../engine/explain.ts'
import type { CompiledPolicy } from '../engine/policy.ts'
import { resolveRequest, type AuthzRequest } from '../engine/request.ts'
import { RequestUids } from '../entities/uid-table.ts'
import { ERROR } from '../values/value.ts'

/** How often one part of a condition came out which way. */
export interface ConditionCoverage {
  /** The part as Cedar text. */
  readonly text: string
  /** Offset in the policy text. */
  readonly at: number
  readonly whenTrue: number
  readonly whenFalse: number
}

/** How far the tests went into one policy. */
export interface PolicyCoverage {
  readonly policyId: string
  readonly at: number
  /** Requests that the policy spoke of, and that satisfied it. */
  readonly applied: number
  readonly satisfied: number
  readonly conditions: readonly ConditionCoverage[]
}

/** What a set of requests exercised. */
export interface Coverage {
  readonly policies: readonly PolicyCoverage[]
  /** Points reached of all points: each policy satisfied, each part of a condition true and false. 0 to 1; 1 for no policies. */
  readonly ratio: number
}

interface Leaf {
  readonly node: Expression
  readonly run: Run
  whenTrue: number
  whenFalse: number
}

interface Counted {
  readonly policy: CompiledPolicy
  readonly leaves: Map<Expression, Leaf>
  applied: number
  satisfied: number
}

/** Counts what requests exercise, part by part of `&&`, `||`, `!` and `if`. For tests, not for the hot path. */
export class CoverageMeter {
  readonly #authorizer: Authorizer
  readonly #counted: readonly Counted[]

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer
    const uids = new RequestUids(authorizer.store.uids)
    this.#counted = authorizer.policySet.policies.map((policy) => ({
      policy,
      applied: 0,
      satisfied: 0,
      leaves: new Map(
        policy.source.node.conditions
          .flatMap(({ body }) => leavesOf(body))
          .map((node) => [node, { node, run: compileExpression(node, uids).run, whenTrue: 0, whenFalse: 0 }]),
      ),
    }))
  }

  /** Counts one request. One that never comes to the policies exercises nothing. */
  add(request: AuthzRequest): void {
    const { principal, action, resource, context, overlay } = resolveRequest(request, this.#authorizer.store)
    const frame: Frame = { ...frameOf(principal, action, resource), context, overlay }
    for (const counted of this.#counted) {
      if (!isInScope(counted.policy, frame)) continue
      counted.applied += 1
      const passes = counted.policy.source.node.conditions.every(
        ({ kind, body }) => evaluate(body, counted.leaves, frame) === (kind === 'when'),
      )
      if (passes) counted.satisfied += 1
    }
  }

  result(): Coverage {
    const policies = this.#counted.map(({ policy, applied, satisfied, leaves }): PolicyCoverage => ({
      policyId: policy.id,
      at: policy.source.node.at,
      applied,
      satisfied,
      conditions: [...leaves.values()].map(({ node, whenTrue, whenFalse }) => ({
        text: expressionText(node),
        at: node.at,
        whenTrue,
        whenFalse,
      })),
    }))
    return { policies, ratio: coverageRatio(policies) }
  }
}

/** Points reached of all points, 0 to 1. */
export function coverageRatio(policies: readonly PolicyCoverage[]): number {
  const points = policies.flatMap(({ satisfied, conditions }) => [
    satisfied,
    ...conditions.flatMap(({ whenTrue, whenFalse }) => [whenTrue, whenFalse]),
  ])
  return points.length === 0 ? 1 : points.filter((hits) => hits > 0).length / points.length
}

function leavesOf(node: Expression): readonly Expression[] {
  if (node.kind === 'logic') return [...leavesOf(node.left), ...leavesOf(node.right)]
  if (node.kind === 'if') return [node.test, node.yes, node.no].flatMap(leavesOf)
  if (node.kind === 'unary' && node.operator === '!') return leavesOf(node.argument)
  // A constant has no other way to come out.
  return node.kind === 'literal' ? [] : [node]
}

function evaluate(
  node: Expression,
  leaves: ReadonlyMap<Expression, Leaf>,
  frame: Frame,
): boolean | typeof ERROR {
  const part = (inner: Expression): boolean | typeof ERROR => evaluate(inner, leaves, frame)
  if (node.kind === 'logic') {
    const left = part(node.left)
    return left === (node.operator === '&&') ? part(node.right) : left
  }
  if (node.kind === 'if') {
    const test = part(node.test)
    return test === ERROR ? ERROR : part(test ? node.yes : node.no)
  }
  if (node.kind === 'unary' && node.operator === '!') {
    const inner = part(node.argument)
    return inner === ERROR ? ERROR : !inner
  }
  if (node.kind === 'literal') return typeof node.value === 'boolean' ? node.value : ERROR
  const leaf = leaves.get(node)
  const value = leaf?.run(frame)
  if (leaf === undefined || typeof value !== 'boolean') return ERROR
  if (value) leaf.whenTrue += 1
  else leaf.whenFalse += 1
  return value
}
