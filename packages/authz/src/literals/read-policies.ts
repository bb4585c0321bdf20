import type {
  ActionConstraint,
  Condition,
  EntityName,
  PolicyNode,
  ScopeConstraint,
  ScopeTarget,
} from '../engine/ast.ts'
import { readEntityAfter, readExpression, readName } from './read-expression.ts'
import { TokenCursor } from './token-cursor.ts'

/**
 * Reads a policy text into trees with positions and exact integers. It is used only on texts the official parser has
 * accepted, and its result is compared with the official one: it may give up, but not disagree.
 *
 * @throws UnreadablePolicy for anything it does not know.
 */
export function readPolicies(text: string): PolicyNode[] {
  const tokens = new TokenCursor(text)
  const policies: PolicyNode[] = []
  while (tokens.peek().kind !== 'end') policies.push(readPolicy(tokens))
  return policies
}

function readPolicy(tokens: TokenCursor): PolicyNode {
  const { at } = tokens.peek()
  const annotations: [string, string | undefined][] = []
  while (tokens.take('@')) {
    const name = tokens.identifier()
    const value = tokens.take('(') ? tokens.string() : undefined
    if (value !== undefined) tokens.expect(')')
    annotations.push([name, value])
  }
  const effect = tokens.identifier()
  if (effect !== 'permit' && effect !== 'forbid') throw tokens.unreadable('expected permit or forbid')
  tokens.expect('(')
  tokens.expect('principal')
  const principal = readScope(tokens)
  tokens.expect(',')
  tokens.expect('action')
  const action = readAction(tokens)
  tokens.expect(',')
  tokens.expect('resource')
  const resource = readScope(tokens)
  tokens.take(',')
  tokens.expect(')')
  const conditions: Condition[] = []
  while (!tokens.take(';')) conditions.push(readCondition(tokens))
  return { effect, annotations, principal, action, resource, conditions, at, end: tokens.end }
}

function readCondition(tokens: TokenCursor): Condition {
  const { at } = tokens.peek()
  const kind = tokens.identifier()
  if (kind !== 'when' && kind !== 'unless') throw tokens.unreadable('expected when or unless')
  tokens.expect('{')
  const body = readExpression(tokens)
  tokens.expect('}')
  return { kind, body, at, end: tokens.end }
}

function readScope(tokens: TokenCursor): ScopeConstraint {
  if (tokens.take('==')) return { op: '==', target: readTarget(tokens) }
  if (tokens.take('in')) return { op: 'in', target: readTarget(tokens) }
  if (!tokens.take('is')) return { op: 'all' }
  const entityType = readName(tokens)
  return { op: 'is', entityType, within: tokens.take('in') ? readTarget(tokens) : undefined }
}

function readTarget(tokens: TokenCursor): ScopeTarget {
  if (tokens.peek().kind !== 'slot') return readEntity(tokens)
  tokens.next()
  return 'slot'
}

function readEntity(tokens: TokenCursor): EntityName {
  return readEntityAfter(tokens, readName(tokens))
}

function readAction(tokens: TokenCursor): ActionConstraint {
  if (tokens.take('==')) return { op: '==', entity: readEntity(tokens) }
  if (!tokens.take('in')) return { op: 'all' }
  if (!tokens.take('[')) return { op: 'in', entities: [readEntity(tokens)], list: false }
  return { op: 'in', entities: tokens.list(']', () => readEntity(tokens)), list: true }
}
