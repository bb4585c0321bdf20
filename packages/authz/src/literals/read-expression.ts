import type { BinaryOperator, EntityName, Expression, VariableName } from '../engine/ast.ts'
import { negateLong, parseLong } from '../values/long.ts'
import { unescapePattern } from './string-literal.ts'
import type { TokenCursor } from './token-cursor.ts'

const RELATIONS: ReadonlySet<string> = new Set(['<', '<=', '>=', '>', '!=', '==', 'in'])
const VARIABLES: ReadonlySet<string> = new Set(['principal', 'action', 'resource', 'context'])
const SET_METHODS: ReadonlySet<string> = new Set([
  'contains',
  'containsAll',
  'containsAny',
  'getTag',
  'hasTag',
])

/** Reads one expression of Cedar's grammar, integers without loss. */
export function readExpression(tokens: TokenCursor): Expression {
  return tokens.nested(() => {
    const { at } = tokens.peek()
    if (!tokens.take('if')) return readOr(tokens)
    const test = readExpression(tokens)
    tokens.expect('then')
    const yes = readExpression(tokens)
    tokens.expect('else')
    return { kind: 'if', at, test, yes, no: readExpression(tokens) }
  })
}

function readOr(tokens: TokenCursor): Expression {
  let left = readAnd(tokens)
  while (tokens.take('||'))
    left = { kind: 'logic', operator: '||', at: left.at, left, right: readAnd(tokens) }
  return left
}

function readAnd(tokens: TokenCursor): Expression {
  let left = readRelation(tokens)
  while (tokens.take('&&'))
    left = { kind: 'logic', operator: '&&', at: left.at, left, right: readRelation(tokens) }
  return left
}

function readRelation(tokens: TokenCursor): Expression {
  const left = readSum(tokens)
  const { at } = left
  const next = tokens.peek()
  if (next.kind !== 'sign' && next.kind !== 'identifier') return left
  if (RELATIONS.has(next.text)) {
    tokens.next()
    return { kind: 'binary', operator: next.text as BinaryOperator, at, left, right: readSum(tokens) }
  }
  if (tokens.take('has')) return { kind: 'has', at, target: left, path: readPath(tokens) }
  if (tokens.take('like')) {
    const pattern = tokens.next()
    const elements = pattern.kind === 'string' ? unescapePattern(pattern.text) : undefined
    if (elements === undefined) throw tokens.unreadable('expected a pattern')
    return { kind: 'like', at, target: left, pattern: elements }
  }
  if (!tokens.take('is')) return left
  const entityType = readName(tokens)
  return { kind: 'is', at, target: left, entityType, within: tokens.take('in') ? readSum(tokens) : undefined }
}

function readPath(tokens: TokenCursor): string[] {
  if (tokens.peek().kind === 'string') return [tokens.string()]
  const path = [tokens.identifier()]
  while (tokens.take('.')) path.push(tokens.identifier())
  return path
}

/** `A::B`; stops before `::"id"`. */
export function readName(tokens: TokenCursor): string {
  let name = tokens.identifier()
  while (tokens.is('::') && tokens.peek(1).kind === 'identifier') {
    tokens.next()
    name += `::${tokens.identifier()}`
  }
  return name
}

function readSum(tokens: TokenCursor): Expression {
  let left = readProduct(tokens)
  for (;;) {
    const operator = tokens.is('+') ? '+' : tokens.is('-') ? '-' : undefined
    if (operator === undefined) return left
    tokens.next()
    left = { kind: 'binary', operator, at: left.at, left, right: readProduct(tokens) }
  }
}

function readProduct(tokens: TokenCursor): Expression {
  let left = readUnary(tokens)
  while (tokens.take('*')) {
    left = { kind: 'binary', operator: '*', at: left.at, left, right: readUnary(tokens) }
  }
  return left
}

function readUnary(tokens: TokenCursor): Expression {
  const { at } = tokens.peek()
  if (tokens.take('!')) {
    return tokens.nested(() => ({ kind: 'unary', operator: '!', at, argument: readUnary(tokens) }))
  }
  if (!tokens.take('-')) return readMember(tokens)
  const after = tokens.peek(1)
  // `-5` is one literal (the only way to write the smallest Long); `-5.foo` negates `5.foo`.
  if (tokens.peek().kind === 'integer' && after.text !== '.' && after.text !== '[') {
    const value = parseLong(`-${tokens.next().text}`)
    if (value === undefined) throw tokens.unreadable('integer beyond 64 bits')
    return { kind: 'literal', at, value: value === 0 ? (negateLong(0) ?? 0) : value }
  }
  return tokens.nested(() => ({ kind: 'unary', operator: 'neg', at, argument: readUnary(tokens) }))
}

function readMember(tokens: TokenCursor): Expression {
  let target = readPrimary(tokens)
  const { at } = target
  for (;;) {
    if (tokens.take('[')) {
      target = { kind: 'attribute', at, target, name: tokens.string() }
      tokens.expect(']')
    } else if (tokens.take('.')) {
      const name = tokens.identifier()
      target = tokens.take('(')
        ? method(
            tokens,
            target,
            name,
            tokens.list(')', () => readExpression(tokens)),
          )
        : { kind: 'attribute', at, target, name }
    } else return target
  }
}

function method(tokens: TokenCursor, target: Expression, name: string, args: Expression[]): Expression {
  const { at } = target
  const [argument] = args
  if (name === 'isEmpty' && args.length === 0) return { kind: 'unary', operator: name, at, argument: target }
  if (SET_METHODS.has(name)) {
    if (argument === undefined || args.length > 1) throw tokens.unreadable(`${name} takes one argument`)
    return { kind: 'binary', operator: name as BinaryOperator, at, left: target, right: argument }
  }
  return { kind: 'call', name, at, args: [target, ...args] }
}

function readPrimary(tokens: TokenCursor): Expression {
  const token = tokens.peek()
  const { at } = token
  if (token.kind === 'integer') {
    const value = parseLong(tokens.next().text)
    if (value === undefined) throw tokens.unreadable('integer beyond 64 bits')
    return { kind: 'literal', at, value }
  }
  if (token.kind === 'string') return { kind: 'literal', at, value: tokens.string() }
  if (tokens.take('(')) {
    const inner = readExpression(tokens)
    tokens.expect(')')
    return inner
  }
  if (tokens.take('[')) return { kind: 'set', at, elements: tokens.list(']', () => readExpression(tokens)) }
  if (tokens.take('{')) return { kind: 'record', at, entries: tokens.list('}', () => readEntry(tokens)) }
  return readWord(tokens, at)
}

function readEntry(tokens: TokenCursor): readonly [string, Expression] {
  const name = tokens.peek().kind === 'string' ? tokens.string() : tokens.identifier()
  tokens.expect(':')
  return [name, readExpression(tokens)]
}

function readWord(tokens: TokenCursor, at: number): Expression {
  const name = readName(tokens)
  if (tokens.is('::')) return { kind: 'entity', at, entity: readEntityAfter(tokens, name) }
  if (tokens.take('('))
    return { kind: 'call', name, at, args: tokens.list(')', () => readExpression(tokens)) }
  if (name === 'true' || name === 'false') return { kind: 'literal', at, value: name === 'true' }
  if (VARIABLES.has(name)) return { kind: 'variable', at, name: name as VariableName }
  throw tokens.unreadable(`unknown word \`${name}\``)
}

/** `::"id"` behind a type name. */
export function readEntityAfter(tokens: TokenCursor, type: string): EntityName {
  tokens.expect('::')
  return { type, id: tokens.string() }
}
