import type { UidSource } from '../entities/uid-table.ts'
import { callExtension, isKnownFunction } from '../values/extension.ts'
import { ERROR, type Value } from '../values/value.ts'
import { UnreadablePolicy } from '../literals/tokens.ts'
import type { Expression, VariableName } from './ast.ts'
import { constant, dynamic, fail, pure, type Code, type Compiler } from './code.ts'
import { compileArithmetic, compileComparison } from './compile-arithmetic.ts'
import { compileContains, compileLike, compileRecord, compileSet } from './compile-collections.ts'
import { compileAttribute, compileHas, compileIn, compileIs, compileTag } from './compile-entities.ts'
import { compileEquality, compileIf, compileLogic, compileUnary } from './compile-logic.ts'

type Of<Kind extends Expression['kind']> = Extract<Expression, { readonly kind: Kind }>

/**
 * Turns an expression into a closure. Closures and not generated source: nothing of a policy's text ever becomes code.
 *
 * @throws UnreadablePolicy for a function this compiler does not know; the whole set then goes to the official engine.
 */
export function compileExpression(expression: Expression, uids: UidSource): Code {
  const compiler: Compiler = { uids, compile: (node) => compileNode(node, compiler) }
  return compiler.compile(expression)
}

function compileNode(node: Expression, compiler: Compiler): Code {
  switch (node.kind) {
    case 'literal':
      return constant(node.value)
    case 'entity':
      return constant(compiler.uids.uid(node.entity.type, node.entity.id))
    case 'variable':
      return compileVariable(node.name)
    case 'unary':
      return compileUnary(node, compiler)
    case 'binary':
      return compileBinary(node, compiler)
    case 'logic':
      return compileLogic(node, compiler)
    case 'if':
      return compileIf(node, compiler)
    case 'attribute':
      return compileAttribute(node, compiler)
    case 'has':
      return compileHas(node, compiler)
    case 'like':
      return compileLike(node, compiler)
    case 'is':
      return compileIs(node, compiler)
    case 'set':
      return compileSet(node, compiler)
    case 'record':
      return compileRecord(node, compiler)
    case 'call':
      return compileCall(node, compiler)
  }
}

function compileVariable(name: VariableName): Code {
  switch (name) {
    case 'principal':
      return dynamic((frame) => frame.principal)
    case 'action':
      return dynamic((frame) => frame.action)
    case 'resource':
      return dynamic((frame) => frame.resource)
    case 'context':
      return dynamic((frame) => frame.context)
  }
}

function compileBinary(node: Of<'binary'>, compiler: Compiler): Code {
  const { operator } = node
  switch (operator) {
    case '==':
    case '!=':
      return compileEquality(node, compiler)
    case 'in':
      return compileIn(node, compiler)
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compileComparison({ ...node, operator }, compiler)
    case '+':
    case '-':
    case '*':
      return compileArithmetic({ ...node, operator }, compiler)
    case 'contains':
    case 'containsAll':
    case 'containsAny':
      return compileContains(node, compiler)
    case 'getTag':
    case 'hasTag':
      return compileTag(node, compiler)
  }
}

function compileCall(node: Of<'call'>, compiler: Compiler): Code {
  const { name, at } = node
  if (!isKnownFunction(name)) throw new UnreadablePolicy(`unknown function \`${name}\``, at)
  const parts = node.args.map((arg) => compiler.compile(arg))
  const fault = { what: `\`${name}\` fails on these arguments`, at }
  return pure(parts, (frame) => {
    const args: Value[] = []
    for (const part of parts) {
      const value = part.run(frame)
      if (value === ERROR) return ERROR
      args.push(value)
    }
    return callExtension(name, args) ?? fail(frame, fault)
  })
}
