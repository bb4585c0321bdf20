import type { Dice } from './dice.ts'
import { LONGS, PATTERNS, STRINGS } from './edges.ts'
import { EXTENSIONS } from './values.ts'
import { IDS, makeType, type Field, type Type, type World } from './world.ts'

/** What a policy's expressions can talk about. */
export interface Scope {
  readonly dice: Dice
  readonly world: World
  readonly principal: string
  readonly resource: string
  readonly context: readonly Field[]
}

const BOOL: Type = { kind: 'Bool' }
const LONG: Type = { kind: 'Long' }
const STRING: Type = { kind: 'String' }

/** A string literal of Cedar, with escapes where they matter and sometimes where they do not. */
export function quoted(dice: Dice, text: string): string {
  let out = ''
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    if (character === '"' || character === '\\') out += `\\${character}`
    else if (character === '\0') out += '\\0'
    else if (character === '\n') out += dice.chance(50) ? '\\n' : '\n'
    else if (character === '\r') out += '\\r'
    else if (code < 32 || code === 127 || dice.chance(3)) out += `\\u{${code.toString(16)}}`
    else out += character
  }
  return `"${out}"`
}

export function entityText(dice: Dice, type: string, id?: string): string {
  return `${type}::${quoted(dice, id ?? dice.pick(IDS))}`
}

/** An expression meant to have this type; now and then it does not, and evaluation meets an error. */
export function expression(scope: Scope, type: Type, depth: number): string {
  const { dice } = scope
  const wanted = dice.chance(3) ? makeType(dice, 1) : type
  if (depth <= 0 || dice.chance(12)) return leaf(scope, wanted)
  if (dice.chance(6)) {
    return `(if ${expression(scope, BOOL, depth - 1)} then ${expression(scope, wanted, depth - 1)} else ${expression(scope, wanted, depth - 1)})`
  }
  if (wanted.kind === 'Bool') return condition(scope, depth)
  if (wanted.kind === 'Long' && dice.chance(60)) return arithmetic(scope, depth)
  if (wanted.kind === 'datetime' && dice.chance(40)) return datetime(scope, depth)
  if (wanted.kind === 'duration' && dice.chance(40)) return duration(scope, depth)
  if (wanted.kind === 'Set' && dice.chance(50)) {
    return `[${dice.times(dice.roll(4), () => expression(scope, wanted.element, depth - 1)).join(', ')}]`
  }
  if (wanted.kind === 'Record' && dice.chance(50)) {
    return `{${wanted.fields.map((field) => `${quoted(dice, field.name)}: ${expression(scope, field.type, depth - 1)}`).join(', ')}}`
  }
  return leaf(scope, wanted)
}

function arithmetic(scope: Scope, depth: number): string {
  const { dice } = scope
  const part = (): string => expression(scope, LONG, depth - 1)
  if (dice.chance(20)) return `(-${part()})`
  if (dice.chance(20)) {
    const unit = dice.pick(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'])
    return `${expression(scope, { kind: 'duration' }, depth - 1)}.${unit}()`
  }
  return `(${part()} ${dice.pick(['+', '-', '*'])} ${part()})`
}

function datetime(scope: Scope, depth: number): string {
  const base = expression(scope, { kind: 'datetime' }, depth - 1)
  return scope.dice.chance(50)
    ? `${base}.toDate()`
    : `${base}.offset(${expression(scope, { kind: 'duration' }, depth - 1)})`
}

function duration(scope: Scope, depth: number): string {
  const base = expression(scope, { kind: 'datetime' }, depth - 1)
  return scope.dice.chance(50)
    ? `${base}.toTime()`
    : `${base}.durationSince(${expression(scope, { kind: 'datetime' }, depth - 1)})`
}

function condition(scope: Scope, depth: number): string {
  const { dice } = scope
  const go = (type: Type): string => expression(scope, type, depth - 1)
  const entity = (): Type => ({ kind: 'Entity', name: dice.pick(scope.world.types).name })
  switch (dice.roll(17)) {
    case 0:
    case 1:
      return `(${go(BOOL)} && ${go(BOOL)})`
    case 2:
    case 3:
      return `(${go(BOOL)} || ${go(BOOL)})`
    case 4:
      return `!${go(BOOL)}`
    case 5: {
      const type = makeType(dice, 1)
      return `(${go(type)} ${dice.pick(['==', '!='])} ${go(type)})`
    }
    case 6: {
      const type: Type = { kind: dice.pick(['Long', 'Long', 'datetime', 'duration'] as const) }
      return `(${go(type)} ${dice.pick(['<', '<=', '>', '>='])} ${go(type)})`
    }
    case 7:
      return `(${go(entity())} in ${go(entity())})`
    case 8:
      return `(${go(entity())} in ${go({ kind: 'Set', element: entity() })})`
    case 9: {
      const type = dice.pick(scope.world.types).name
      return `(${go(entity())} is ${type}${dice.chance(40) ? ` in ${go(entity())}` : ''})`
    }
    case 10:
      return `(${go(STRING)} like "${dice.pick(PATTERNS)}")`
    case 11: {
      const element = makeType(dice, 0)
      return `${go({ kind: 'Set', element })}.contains(${go(element)})`
    }
    case 12: {
      const set: Type = { kind: 'Set', element: makeType(dice, 0) }
      if (dice.chance(25)) return `${go(set)}.isEmpty()`
      return `${go(set)}.${dice.pick(['containsAll', 'containsAny'])}(${go(set)})`
    }
    case 13:
      return `${go({ kind: 'decimal' })}.${dice.pick(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'])}(${go({ kind: 'decimal' })})`
    case 14: {
      const ip: Type = { kind: 'ipaddr' }
      if (dice.chance(50)) return `${go(ip)}.isInRange(${go(ip)})`
      return `${go(ip)}.${dice.pick(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'])}()`
    }
    case 15:
      return has(scope, go(dice.chance(80) ? entity() : makeType(dice, 2)))
    default:
      return `${go(entity())}.hasTag(${go(STRING)})`
  }
}

function has(scope: Scope, target: string): string {
  const { dice } = scope
  const field = dice.pick([...scope.world.types.flatMap((type) => type.fields), ...scope.context])
  if (dice.chance(20)) return `(${target} has ${dice.pick(['a.b', 'a.b.c', 'n.a', 'constructor.a'])})`
  return `(${target} has ${quoted(dice, field.name)})`
}

function leaf(scope: Scope, type: Type): string {
  const { dice } = scope
  if (dice.chance(55)) {
    const paths = pathsOf(scope, type)
    if (paths.length > 0) return dice.pick(paths)
  }
  switch (type.kind) {
    case 'Bool':
      return dice.chance(50) ? 'true' : 'false'
    case 'Long':
      return `${dice.pick(LONGS)}`
    case 'String':
      return quoted(dice, dice.pick(STRINGS))
    case 'Entity':
      return entityText(dice, type.name)
    case 'Set':
      return `[${dice.times(dice.roll(3), () => leaf(scope, type.element)).join(', ')}]`
    case 'Record':
      return `{${type.fields.map((field) => `${quoted(dice, field.name)}: ${leaf(scope, field.type)}`).join(', ')}}`
    case 'decimal':
    case 'ipaddr':
    case 'datetime':
    case 'duration': {
      const { fn, good, bad } = EXTENSIONS[type.kind]
      return `${fn}(${quoted(dice, dice.pick(dice.chance(92) ? good : bad))})`
    }
  }
}

/** Attributes, tags and variables of a type, as far as the schema knows them. */
function pathsOf(scope: Scope, type: Type): string[] {
  const { dice, world } = scope
  const found: string[] = []
  const wanted = JSON.stringify(type)
  const look = (base: string, fields: readonly Field[]): void => {
    for (const field of fields) {
      const path = `${base}[${quoted(dice, field.name)}]`
      if (JSON.stringify(field.type) === wanted) found.push(path)
      if (field.type.kind === 'Record') look(path, field.type.fields)
    }
  }
  for (const [variable, name] of [
    ['principal', scope.principal],
    ['resource', scope.resource],
  ] as const) {
    const entityType = world.types.find((candidate) => candidate.name === name)
    if (type.kind === 'Entity' && type.name === name) found.push(variable)
    look(variable, entityType?.fields ?? [])
    if (JSON.stringify(entityType?.tags) === wanted)
      found.push(`${variable}.getTag(${quoted(dice, dice.pick(['a', 'b', '']))})`)
  }
  look('context', scope.context)
  return found
}
