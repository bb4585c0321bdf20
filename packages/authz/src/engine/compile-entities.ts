import { ERROR, type Outcome, type Value } from '../values/value.ts'
import type { EntityUid } from '../entities/uid.ts'
import type { Expression } from './ast.ts'
import { dynamic, fail, type Code, type Compiler } from './code.ts'
import { isWithin, recordOf, type Fault, type Frame, type Run } from './frame.ts'

type Of<Kind extends Expression['kind']> = Extract<Expression, { readonly kind: Kind }>

/** `.name` and `["name"]`, on entities and records. */
export function compileAttribute(node: Of<'attribute'>, compiler: Compiler): Code {
  const { name, at } = node
  const target = compiler.compile(node.target).run
  const missing = { what: `attribute \`${name}\` is missing`, at }
  const types = { what: `\`.${name}\` needs an entity or a record`, at }
  return dynamic((frame) => {
    const value = target(frame)
    if (value === ERROR) return ERROR
    if (typeof value !== 'object') return fail(frame, types)
    if (value.kind === 'entity') {
      return recordOf(frame, value)?.attributes.get(name) ?? fail(frame, missing)
    }
    if (value.kind === 'record') return value.fields.get(name) ?? fail(frame, missing)
    return fail(frame, types)
  })
}

/** `has a.b.c`: false at the first name that is missing; every step before it must be an entity or a record. */
export function compileHas(node: Of<'has'>, compiler: Compiler): Code {
  const { path, at } = node
  const target = compiler.compile(node.target).run
  const fault = { what: `\`has ${path.join('.')}\` needs an entity or a record`, at }
  return dynamic((frame) => {
    let value: Outcome | undefined = target(frame)
    for (const name of path) {
      if (value === ERROR) return ERROR
      if (typeof value !== 'object') return fail(frame, fault)
      if (value.kind === 'entity') value = recordOf(frame, value)?.attributes.get(name)
      else if (value.kind === 'record') value = value.fields.get(name)
      else return fail(frame, fault)
      if (value === undefined) return false
    }
    return true
  })
}

/** `hasTag` and `getTag`: tags are a name space of their own beside the attributes. */
export function compileTag(node: Of<'binary'>, compiler: Compiler): Code {
  const left = compiler.compile(node.left).run
  const right = compiler.compile(node.right).run
  const get = node.operator === 'getTag'
  const types = { what: `\`${node.operator}\` needs an entity and a string`, at: node.at }
  const missing = { what: 'the tag is missing', at: node.at }
  return dynamic((frame) => {
    const entity = left(frame)
    if (entity === ERROR) return ERROR
    const name = right(frame)
    if (name === ERROR) return ERROR
    if (typeof entity !== 'object' || entity.kind !== 'entity' || typeof name !== 'string') {
      return fail(frame, types)
    }
    const tag = recordOf(frame, entity)?.tags.get(name)
    return get ? (tag ?? fail(frame, missing)) : tag !== undefined
  })
}

/** `in` with an entity or a set of entities on the right. */
export function compileIn(node: Of<'binary'>, compiler: Compiler): Code {
  const left = compiler.compile(node.left).run
  const right = compiler.compile(node.right)
  const fault = { what: '`in` needs an entity, and an entity or a set of entities', at: node.at }
  return dynamic(within(left, right, fault))
}

function within(left: Run, right: Code, fault: Fault): Run {
  const known = right.value
  if (typeof known === 'object' && known.kind === 'entity') {
    return (frame) => {
      const entity = left(frame)
      if (typeof entity === 'object' && entity.kind === 'entity') return isWithin(frame, entity, known)
      return entity === ERROR ? ERROR : fail(frame, fault)
    }
  }
  return (frame) => {
    const entity = left(frame)
    if (entity === ERROR) return ERROR
    const groups = right.run(frame)
    if (groups === ERROR) return ERROR
    if (typeof entity !== 'object' || entity.kind !== 'entity') return fail(frame, fault)
    return isWithinAny(frame, entity, groups) ?? fail(frame, fault)
  }
}

/** Undefined when the right side is not an entity or a set of nothing but entities. */
function isWithinAny(frame: Frame, entity: EntityUid, groups: Value): boolean | undefined {
  if (typeof groups !== 'object') return undefined
  if (groups.kind === 'entity') return isWithin(frame, entity, groups)
  if (groups.kind !== 'set') return undefined
  let found = false
  for (const group of groups.elements) {
    if (typeof group !== 'object' || group.kind !== 'entity') return undefined
    found ||= isWithin(frame, entity, group)
  }
  return found
}

/** `is T` compares type names without looking at data; `is T in e` goes on to `in` only when the type fits. */
export function compileIs(node: Of<'is'>, compiler: Compiler): Code {
  const target = compiler.compile(node.target).run
  const { entityType, at } = node
  const fault = { what: '`is` needs an entity', at }
  const inside =
    node.within === undefined
      ? undefined
      : within(target, compiler.compile(node.within), {
          what: '`is … in` needs an entity or a set of entities',
          at,
        })
  return dynamic((frame) => {
    const value = target(frame)
    if (value === ERROR) return ERROR
    if (typeof value !== 'object' || value.kind !== 'entity') return fail(frame, fault)
    if (value.type !== entityType) return false
    return inside === undefined ? true : inside(frame)
  })
}
