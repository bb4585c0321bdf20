import { equals } from '../values/equality.ts'
import { isLong, negateLong } from '../values/long.ts'
import { ERROR } from '../values/value.ts'
import type { Expression } from './ast.ts'
import { dynamic, fail, pure, type Code, type Compiler } from './code.ts'

type Of<Kind extends Expression['kind']> = Extract<Expression, { readonly kind: Kind }>

/** `&&` and `||`: left first, the right side only when it decides; both must be booleans when reached. */
export function compileLogic(node: Of<'logic'>, compiler: Compiler): Code {
  const left = compiler.compile(node.left).run
  const right = compiler.compile(node.right).run
  const fault = { what: `\`${node.operator}\` needs booleans`, at: node.at }
  const deciding = node.operator === '||'
  return dynamic((frame) => {
    const first = left(frame)
    if (first === deciding) return deciding
    if (first !== !deciding) return first === ERROR ? ERROR : fail(frame, fault)
    const second = right(frame)
    if (second === true || second === false) return second
    return second === ERROR ? ERROR : fail(frame, fault)
  })
}

/** `if … then … else …`: only the branch taken is evaluated. */
export function compileIf(node: Of<'if'>, compiler: Compiler): Code {
  const test = compiler.compile(node.test).run
  const yes = compiler.compile(node.yes).run
  const no = compiler.compile(node.no).run
  const fault = { what: '`if` needs a boolean', at: node.at }
  return dynamic((frame) => {
    const outcome = test(frame)
    if (outcome === true) return yes(frame)
    if (outcome === false) return no(frame)
    return outcome === ERROR ? ERROR : fail(frame, fault)
  })
}

export function compileUnary(node: Of<'unary'>, compiler: Compiler): Code {
  const argument = compiler.compile(node.argument)
  const { run } = argument
  const { at } = node
  switch (node.operator) {
    case '!': {
      const fault = { what: '`!` needs a boolean', at }
      return pure([argument], (frame) => {
        const value = run(frame)
        if (value === true || value === false) return !value
        return value === ERROR ? ERROR : fail(frame, fault)
      })
    }
    case 'neg': {
      const fault = { what: '`-` needs a long whose negation fits into 64 bits', at }
      return pure([argument], (frame) => {
        const value = run(frame)
        if (value === ERROR) return ERROR
        return (isLong(value) ? negateLong(value) : undefined) ?? fail(frame, fault)
      })
    }
    case 'isEmpty': {
      const fault = { what: '`isEmpty` needs a set', at }
      return pure([argument], (frame) => {
        const value = run(frame)
        if (value === ERROR) return ERROR
        return typeof value === 'object' && value.kind === 'set'
          ? value.elements.length === 0
          : fail(frame, fault)
      })
    }
  }
}

/** `==` and `!=`: an error only when a side is one. */
export function compileEquality(node: Of<'binary'>, compiler: Compiler): Code {
  const left = compiler.compile(node.left)
  const right = compiler.compile(node.right)
  const wanted = node.operator === '=='
  const [first, second] = [left.run, right.run]
  const known = right.value
  if (known !== undefined && typeof known !== 'object') {
    return pure([left, right], (frame) => {
      const value = first(frame)
      return value === ERROR ? ERROR : (value === known) === wanted
    })
  }
  return pure([left, right], (frame) => {
    const a = first(frame)
    if (a === ERROR) return ERROR
    const b = second(frame)
    return b === ERROR ? ERROR : equals(a, b) === wanted
  })
}
