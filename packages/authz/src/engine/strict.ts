import { fieldsOfMask } from '../guard/masking.ts'
import type { Expression } from './ast.ts'
import { parts } from './expression-parts.ts'
import type { ParsedSource } from './policy-source.ts'
import { positionOf } from './position.ts'

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

/**
 * Obligations to mask that would mask nothing, and let everything be seen: without a name, or with a place where a field, which is
 * masked at any depth, is named by itself. One text a finding.
 */
export function idleMasks(parsed: ParsedSource): string[] {
  return parsed.policies.flatMap(({ id, node }) =>
    node.annotations
      .filter(([name]) => name === 'obligation_mask')
      .flatMap(([, value = '']) => [...fieldsOfMask(value)])
      .filter((field) => field === '' || field.includes('.'))
      .map((field) => `${id}: obliges to mask ${JSON.stringify(field)}, which is the name of no field`),
  )
}

function mayOverflow(node: Expression): boolean {
  if (node.kind === 'binary') return node.operator === '+' || node.operator === '-' || node.operator === '*'
  if (node.kind === 'unary') return node.operator === 'neg'
  return node.kind === 'call' && OVERFLOWS.has(node.name)
}
