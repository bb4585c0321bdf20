import { AuthzError, type AuthzErrorCode } from '../errors.ts'
import { UnreadablePolicy } from '../literals/tokens.ts'
import type { Expression, PolicyNode } from './ast.ts'
import { children } from './expression-parts.ts'

/**
 * What cedar-wasm 4.13 survives: it runs out of its stack at about 110 nested brackets or 300 nested operators, and a trap
 * leaves the whole WebAssembly instance unusable. One hostile text must not do that, so it never gets there.
 */
const MAX_BRACKETS = 64
const MAX_OPERATORS = 100
/** Longer chains of `&&` and `||` go to the official engine, which walks those without recursion. */
const MAX_CHAIN = 1000

const NESTING = /"(?:[^"\\]|\\[^])*"|\/\/[^\n\r]*|[([{]|[)\]}]|\bif\b|;/g
const SCHEMA_NESTING = /"(?:[^"\\]|\\[^])*"|\/\/[^\n\r]*|[([{<]|[)\]}>]/g

/**
 * Looks at brackets and `if`s of a policy or schema text before the official parser does; needs no grammar.
 *
 * @throws `code` when they are nested too deep.
 */
export function requireShallowText(
  text: string,
  code: 'BW_AUTHZ_POLICY_INVALID' | 'BW_AUTHZ_SCHEMA_INVALID',
): void {
  let brackets = 0
  let ifs = 0
  for (const match of text.matchAll(code === 'BW_AUTHZ_POLICY_INVALID' ? NESTING : SCHEMA_NESTING)) {
    const [sign] = match
    if ('([{<'.includes(sign)) brackets += 1
    else if (')]}>'.includes(sign)) brackets -= 1
    else if (sign === 'if') ifs += 1
    else if (sign === ';') ifs = 0
    if (brackets + ifs > MAX_BRACKETS) {
      throw tooDeep(`brackets and \`if\`s nested deeper than ${MAX_BRACKETS}`, match.index, code)
    }
  }
}

/**
 * Bounds the depth of what was read.
 *
 * @throws `BW_AUTHZ_POLICY_INVALID` for operators nested too deep for either engine, UnreadablePolicy for long chains.
 */
export function requireShallow(policy: PolicyNode): void {
  for (const { body, at } of policy.conditions) {
    const { operators, chain } = depthOf(body)
    if (operators > MAX_OPERATORS) throw tooDeep(`operators nested deeper than ${MAX_OPERATORS}`, at)
    if (chain > MAX_CHAIN) throw new UnreadablePolicy(`a chain longer than ${MAX_CHAIN}`, at)
  }
}

/** Depth with and without `&&` and `||`, by an explicit stack. */
function depthOf(root: Expression): { operators: number; chain: number } {
  const deepest = { operators: 0, chain: 0 }
  const stack: { node: Expression; operators: number; chain: number }[] = [
    { node: root, operators: 0, chain: 0 },
  ]
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const operators = top.operators + (top.node.kind === 'logic' ? 0 : 1)
    const chain = top.chain + 1
    deepest.operators = Math.max(deepest.operators, operators)
    deepest.chain = Math.max(deepest.chain, chain)
    for (const node of children(top.node)) stack.push({ node, operators, chain })
  }
  return deepest
}

function tooDeep(what: string, at: number, code: AuthzErrorCode = 'BW_AUTHZ_POLICY_INVALID'): AuthzError {
  return new AuthzError(code, `${what}, at offset ${at}`, { details: { offset: at } })
}
