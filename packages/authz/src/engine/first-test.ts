import type { Long } from '../values/long.ts'
import type { Value } from '../values/value.ts'
import type { Expression, PolicyNode, VariableName } from './ast.ts'
import { recordOf, type Frame } from './frame.ts'

/** The comparison a policy begins with, such as `principal.tenant == "acme"`: unless it holds, nothing else is evaluated. */
export interface FirstTest {
  readonly variable: VariableName
  readonly name: string
  readonly value: boolean | Long | string
  /** `principal has tenant &&` stands before it: a missing attribute is false and not an error. */
  readonly guarded: boolean
}

/**
 * The test that decides first. Only what is evaluated before everything else may leave a policy out: whatever stood before
 * could fail, and that error would be lost.
 */
export function firstTest({ conditions }: PolicyNode): FirstTest | undefined {
  const [condition] = conditions
  if (condition?.kind !== 'when') return undefined
  const [first, second] = conjuncts(condition.body)
  const test = first === undefined ? undefined : comparison(first)
  if (test !== undefined) return { ...test, guarded: false }
  const guardedTest = second === undefined ? undefined : comparison(second)
  const guard =
    first?.kind === 'has' &&
    first.target.kind === 'variable' &&
    first.target.name === guardedTest?.variable &&
    first.path.length === 1 &&
    first.path[0] === guardedTest.name
  return guard && guardedTest !== undefined ? { ...guardedTest, guarded: true } : undefined
}

/** The attribute a test looks at, as this request has it; undefined when it is missing. */
export function testedValue(frame: Frame, variable: VariableName, name: string): Value | undefined {
  if (variable === 'context') return frame.context.fields.get(name)
  return recordOf(frame, frame[variable])?.attributes.get(name)
}

/** `a && b && c` in the order of evaluation, however it is bracketed. */
function conjuncts(node: Expression): Expression[] {
  if (node.kind !== 'logic' || node.operator !== '&&') return [node]
  return [...conjuncts(node.left), ...conjuncts(node.right)]
}

function comparison(node: Expression): Omit<FirstTest, 'guarded'> | undefined {
  if (node.kind !== 'binary' || node.operator !== '==') return undefined
  const [attribute, literal] =
    node.left.kind === 'literal' ? [node.right, node.left] : [node.left, node.right]
  if (literal.kind !== 'literal' || attribute.kind !== 'attribute') return undefined
  const { target, name } = attribute
  return target.kind === 'variable' ? { variable: target.name, name, value: literal.value } : undefined
}
