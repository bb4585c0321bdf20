import { Dice } from './dice.ts'
import { LONGS, STRINGS } from './edges.ts'
import { expression, quoted, type Scope } from './expressions.ts'
import type { Field, World } from './world.ts'

const VARIABLES = ['principal', 'resource', 'context'] as const
const MISSING: Field = { name: 'missing', type: { kind: 'Long' }, required: false }

/** In a quarter of all cases: policies that begin by comparing one attribute with constants, or nearly so. */
export function makeFamily(seed: number, world: World): { text: string; template: boolean }[] {
  const dice = new Dice(seed)
  if (!dice.chance(25)) return []
  const action = dice.pick(world.actions)
  const scope: Scope = {
    dice,
    world,
    principal: dice.pick(action.principals),
    resource: dice.pick(action.resources),
    context: action.context,
  }
  const variable = dice.pick(VARIABLES)
  const field = fieldOf(scope, variable)
  return dice.times(4 + dice.roll(5), () => ({ text: member(scope, variable, field), template: false }))
}

function fieldOf({ dice, world, principal, resource, context }: Scope, variable: string): Field {
  const name = variable === 'principal' ? principal : resource
  const fields = variable === 'context' ? context : world.types.find((type) => type.name === name)?.fields
  const simple = (fields ?? []).filter(({ type }) => ['Bool', 'Long', 'String'].includes(type.kind))
  return simple.length === 0 ? MISSING : dice.pick(simple)
}

function member(scope: Scope, usual: string, { name, type }: Field): string {
  const { dice } = scope
  const variable = dice.chance(85) ? usual : dice.pick(VARIABLES)
  const attribute = `${variable}[${quoted(dice, name)}]`
  const constant =
    type.kind === 'Bool'
      ? dice.pick(['true', 'false'])
      : type.kind === 'Long'
        ? `${dice.pick(LONGS)}`
        : quoted(dice, dice.pick(STRINGS))
  const [left, right] = dice.chance(80) ? [attribute, constant] : [constant, attribute]
  const guard = dice.chance(30) ? `${dice.chance(85) ? variable : usual} has ${quoted(dice, name)} && ` : ''
  const rest = dice.chance(40) ? ` && ${expression(scope, { kind: 'Bool' }, 2)}` : ''
  const test = `${guard}${left} ${dice.chance(92) ? '==' : '!='} ${right}${rest}`
  return `${dice.chance(70) ? 'permit' : 'forbid'} (principal, action, resource) ${dice.chance(90) ? 'when' : 'unless'} { ${test} };`
}
