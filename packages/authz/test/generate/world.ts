import type { Dice } from './dice.ts'

/** A type of the generated schema. */
export type Type =
  | { readonly kind: 'Bool' | 'Long' | 'String' | 'decimal' | 'ipaddr' | 'datetime' | 'duration' }
  | { readonly kind: 'Entity'; readonly name: string }
  | { readonly kind: 'Set'; readonly element: Type }
  | { readonly kind: 'Record'; readonly fields: readonly Field[] }

export interface Field {
  readonly name: string
  readonly type: Type
  readonly required: boolean
}

export interface EntityType {
  readonly name: string
  readonly memberOf: readonly string[]
  readonly fields: readonly Field[]
  readonly tags: Type | undefined
}

export interface Action {
  readonly id: string
  readonly parents: readonly string[]
  readonly principals: readonly string[]
  readonly resources: readonly string[]
  readonly context: readonly Field[]
}

/** What a generated case is about: types, actions, and the ids that may exist. */
export interface World {
  readonly types: readonly EntityType[]
  readonly actions: readonly Action[]
}

/** Ids that are easy to get wrong somewhere between text, JSON and a hash table. */
export const IDS = ['a', 'b', 'c', '', '__proto__', 'x"y', 'z\\', '\u{1f600}', 'a\nb'] as const
const NAMES = [
  'a',
  'b',
  'c',
  'n',
  '__proto__',
  'constructor',
  'a b',
  '',
  'toString',
  'é',
  'type',
  'id',
] as const
const SIMPLE = [
  'Bool',
  'Long',
  'String',
  'decimal',
  'ipaddr',
  'datetime',
  'duration',
  'Long',
  'String',
  'Bool',
] as const
const PRINCIPALS = ['User', 'Team'] as const
const RESOURCES = ['Ns::Doc', 'Ns::Folder'] as const

export function makeWorld(dice: Dice): World {
  const type = (name: string, memberOf: readonly string[]): EntityType => ({
    name,
    memberOf,
    fields: makeFields(dice, 5),
    tags: dice.chance(50) ? makeType(dice, 1) : undefined,
  })
  const types = [
    type('User', ['Team']),
    type('Team', ['Team']),
    type('Ns::Doc', ['Ns::Folder', 'Team']),
    type('Ns::Folder', ['Ns::Folder']),
  ]
  const action = (id: string, parents: readonly string[]): Action => ({
    id,
    parents,
    principals: dice.chance(70) ? PRINCIPALS : ['User'],
    resources: dice.chance(70) ? RESOURCES : ['Ns::Doc'],
    context: makeFields(dice, 4),
  })
  return {
    types,
    actions: [
      action('view', ['read']),
      action('edit', ['write', 'read']),
      action('read', ['any']),
      action('write', ['any']),
      action('any', []),
      action('it"s', []),
    ],
  }
}

export function makeFields(dice: Dice, most: number, depth = 2): Field[] {
  const names = new Set(dice.times(dice.roll(most) + 1, () => dice.pick(NAMES)))
  return [...names].map((name) => ({ name, type: makeType(dice, depth), required: dice.chance(60) }))
}

export function makeType(dice: Dice, depth: number): Type {
  const roll = dice.roll(10)
  if (depth > 0 && roll < 2) return { kind: 'Set', element: makeType(dice, depth - 1) }
  if (depth > 0 && roll === 2) return { kind: 'Record', fields: makeFields(dice, 3, depth - 1) }
  if (roll < 5) return { kind: 'Entity', name: dice.pick([...PRINCIPALS, ...RESOURCES]) }
  return { kind: dice.pick(SIMPLE) }
}

/** The world as a Cedar schema. */
export function schemaText(world: World): string {
  const entity = (type: EntityType, name: string): string =>
    `entity ${name} in [${type.memberOf.join(', ')}] = ${fieldsText(type.fields)}${
      type.tags === undefined ? '' : ` tags ${typeText(type.tags)}`
    };`
  const plain = world.types.filter((type) => !type.name.includes('::'))
  const spaced = world.types.filter((type) => type.name.includes('::'))
  const actions = world.actions.map(
    (action) =>
      `action ${JSON.stringify(action.id)}${action.parents.length > 0 ? ` in [${action.parents.map((p) => JSON.stringify(p)).join(', ')}]` : ''} appliesTo { principal: [${action.principals.join(', ')}], resource: [${action.resources.join(', ')}], context: ${fieldsText(action.context)} };`,
  )
  return [
    ...plain.map((type) => entity(type, type.name)),
    `namespace Ns { ${spaced.map((type) => entity(type, type.name.slice(4))).join('\n')} }`,
    ...actions,
  ].join('\n')
}

function fieldsText(fields: readonly Field[]): string {
  return `{ ${fields.map((field) => `${JSON.stringify(field.name)}${field.required ? '' : '?'}: ${typeText(field.type)}`).join(', ')} }`
}

function typeText(type: Type): string {
  switch (type.kind) {
    case 'Set':
      return `Set<${typeText(type.element)}>`
    case 'Record':
      return fieldsText(type.fields)
    case 'Entity':
      return type.name
    case 'Bool':
    case 'Long':
    case 'String':
    case 'decimal':
    case 'ipaddr':
    case 'datetime':
    case 'duration':
      return `__cedar::${type.kind}`
  }
}
