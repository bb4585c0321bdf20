import type { Expression } from './ast.ts'

/** An expression as Cedar text, for people: fully bracketed where precedence could be doubted. */
export function expressionText(node: Expression): string {
  const inner = (part: Expression): string => {
    const text = expressionText(part)
    return part.kind === 'binary' || part.kind === 'logic' || part.kind === 'if' ? wrapped(text, part) : text
  }
  switch (node.kind) {
    case 'literal':
      return typeof node.value === 'string' ? JSON.stringify(node.value) : `${node.value}`
    case 'entity':
      return `${node.entity.type}::${JSON.stringify(node.entity.id)}`
    case 'variable':
      return node.name
    case 'unary':
      if (node.operator === 'isEmpty') return `${inner(node.argument)}.isEmpty()`
      return `${node.operator === 'neg' ? '-' : '!'}${inner(node.argument)}`
    case 'binary':
      return METHODS.has(node.operator)
        ? `${inner(node.left)}.${node.operator}(${expressionText(node.right)})`
        : `${inner(node.left)} ${node.operator} ${inner(node.right)}`
    case 'logic':
      return `${inner(node.left)} ${node.operator} ${inner(node.right)}`
    case 'if':
      return `if ${expressionText(node.test)} then ${expressionText(node.yes)} else ${expressionText(node.no)}`
    case 'attribute':
      return `${inner(node.target)}${WORD.test(node.name) ? `.${node.name}` : `[${JSON.stringify(node.name)}]`}`
    case 'has':
      return `${inner(node.target)} has ${node.path.every((name) => WORD.test(name)) ? node.path.join('.') : JSON.stringify(node.path[0])}`
    case 'like':
      return `${inner(node.target)} like ${JSON.stringify(node.pattern.map((p) => (p === 'wildcard' ? '*' : p.literal)).join(''))}`
    case 'is':
      return `${inner(node.target)} is ${node.entityType}${node.within === undefined ? '' : ` in ${inner(node.within)}`}`
    case 'set':
      return `[${node.elements.map(expressionText).join(', ')}]`
    case 'record':
      return `{${node.entries.map(([name, value]) => `${JSON.stringify(name)}: ${expressionText(value)}`).join(', ')}}`
    case 'call':
      return `${node.name}(${node.args.map(expressionText).join(', ')})`
  }
}

const METHODS: ReadonlySet<string> = new Set(['contains', 'containsAll', 'containsAny', 'getTag', 'hasTag'])
const WORD = /^[_a-zA-Z][_a-zA-Z0-9]*$/

function wrapped(text: string, part: Expression): string {
  return part.kind === 'binary' && METHODS.has(part.operator) ? text : `(${text})`
}
