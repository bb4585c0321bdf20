import { compilePattern } from '../values/like.ts'
import { CedarRecord } from '../values/record.ts'
import { CedarSet } from '../values/set.ts'
import { ERROR, type Value } from '../values/value.ts'
import type { Expression } from './ast.ts'
import { fail, pure, type Code, type Compiler } from './code.ts'

type Of<Kind extends Expression['kind']> = Extract<Expression, { readonly kind: Kind }>

export function compileSet(node: Of<'set'>, compiler: Compiler): Code {
  const parts = node.elements.map((element) => compiler.compile(element))
  return pure(parts, (frame) => {
    const values: Value[] = []
    for (const part of parts) {
      const value = part.run(frame)
      if (value === ERROR) return ERROR
      values.push(value)
    }
    return new CedarSet(values)
  })
}

export function compileRecord(node: Of<'record'>, compiler: Compiler): Code {
  const fields = node.entries.map(([name, expression]) => ({ name, code: compiler.compile(expression) }))
  return pure(
    fields.map((field) => field.code),
    (frame) => {
      const values = new Map<string, Value>()
      for (const { name, code } of fields) {
        const value = code.run(frame)
        if (value === ERROR) return ERROR
        values.set(name, value)
      }
      return new CedarRecord(values)
    },
  )
}

/** `contains`, `containsAll`, `containsAny`: deep equality, one hash look-up an element. */
export function compileContains(node: Of<'binary'>, compiler: Compiler): Code {
  const left = compiler.compile(node.left)
  const right = compiler.compile(node.right)
  const { operator } = node
  const fault = {
    what: `\`${operator}\` needs ${operator === 'contains' ? 'a set' : 'two sets'}`,
    at: node.at,
  }
  return pure([left, right], (frame) => {
    const set = left.run(frame)
    if (set === ERROR) return ERROR
    const other = right.run(frame)
    if (other === ERROR) return ERROR
    if (typeof set !== 'object' || set.kind !== 'set') return fail(frame, fault)
    if (operator === 'contains') return set.has(other)
    if (typeof other !== 'object' || other.kind !== 'set') return fail(frame, fault)
    return operator === 'containsAll' ? set.hasAll(other) : set.hasAny(other)
  })
}

export function compileLike(node: Of<'like'>, compiler: Compiler): Code {
  const target = compiler.compile(node.target)
  const matches = compilePattern(node.pattern)
  const fault = { what: '`like` needs a string', at: node.at }
  return pure([target], (frame) => {
    const text = target.run(frame)
    if (typeof text === 'string') return matches(text)
    return text === ERROR ? ERROR : fail(frame, fault)
  })
}
