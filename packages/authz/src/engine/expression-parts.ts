import type { Expression } from './ast.ts'

/** The expression and everything in it. */
export function parts(node: Expression): Expression[] {
  return [node, ...children(node).flatMap(parts)]
}

/** The expressions right below. */
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
