import type { Expression } from './ast.ts'
import type { ParsedSource } from './policy-source.ts'
import { positionOf } from './tally.ts'

const OVERFLOWS: ReadonlySet<string> = new Set(['offset', 'durationSince', 'toDate'])

/**
 * Forbids that may fail although the validator accepts them: its types exclude everything but overflow (and entities that
 * are not there, which only the data can show). One text a finding.
 */
export function unprovenForbids(parsed: ParsedSource): string[] {
  if (parsed.unreadable !== undefined) return [`the set cannot be read for this check: ${parsed.unreadable}`]
  const findings: string[] = []
  for (const { id, node, text } of parsed.policies) {
    if (node.effect !== 'forbid') continue
    for (const { body } of node.conditions) {
      for (const part of parts(body)) {
        if (mayOverflow(part))
          findings.push(`${id}: may leave 64 bits and then not forbid, at ${positionOf(text, part.at)}`)
      }
    }
  }
  return findings
}

function mayOverflow(node: Expression): boolean {
  if (node.kind === 'binary') return node.operator === '+' || node.operator === '-' || node.operator === '*'
  if (node.kind === 'unary') return node.operator === 'neg'
  return node.kind === 'call' && OVERFLOWS.has(node.name)
}

/** The expression and everything in it. */
export function* parts(node: Expression): Generator<Expression> {
  yield node
  for (const child of children(node)) yield* parts(child)
}

export function children(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'literal':
    case 'entity':
    case 'variable':
      return []
    case 'unary':
      return [node.argument]
    case 'binary':
    case 'logic':
      return [node.left, node.right]
    case 'if':
      return [node.test, node.yes, node.no]
    case 'attribute':
    case 'has':
    case 'like':
      return [node.target]
    case 'is':
      return node.within === undefined ? [node.target] : [node.target, node.within]
    case 'set':
      return node.elements
    case 'record':
      return node.entries.map(([, value]) => value)
    case 'call':
      return node.args
  }
}
