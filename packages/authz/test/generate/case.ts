import { Dice } from './dice.ts'
import { entityText, expression, type Scope } from './expressions.ts'
import { makeFamily } from './family.ts'
import { jsonText, recordJson, uidJson, valueJson, type CaseJson } from './values.ts'
import { IDS, makeWorld, schemaText, type Action, type World } from './world.ts'

export interface CaseRequest {
  readonly principal: { readonly type: string; readonly id: string }
  readonly action: { readonly type: string; readonly id: string }
  readonly resource: { readonly type: string; readonly id: string }
  /** Exact JSON. */
  readonly contextText: string
}

export interface CaseLink {
  readonly templateId: string
  readonly newId: string
  readonly values: Readonly<Record<string, { readonly type: string; readonly id: string }>>
}

/** One policy set, one store, several requests. */
export interface Case {
  readonly seed: number
  readonly schema: string | undefined
  /** Policies and templates in order; ids are `policy0`, … . */
  readonly texts: readonly { readonly text: string; readonly template: boolean }[]
  readonly links: readonly CaseLink[]
  readonly entitiesText: string
  readonly requests: readonly CaseRequest[]
}

export const REQUESTS_PER_CASE = 10

/** The case of a seed: schema, 2 to 12 policies, entities (some missing), ten requests. */
export function makeCase(seed: number): Case {
  const dice = new Dice(seed)
  const world = makeWorld(dice)
  const schema = dice.chance(60) ? schemaText(world) : undefined
  const texts = [
    ...dice.times(2 + dice.roll(11), () => makePolicy(dice, world)),
    // Dice of their own: the cases that seeds stood for before stay as they were.
    ...makeFamily(seed ^ 0x5eed, world),
  ]
  return {
    seed,
    schema,
    texts,
    links: makeLinks(dice, texts),
    entitiesText: jsonText(makeEntities(dice, world, schema !== undefined)),
    requests: dice.times(REQUESTS_PER_CASE, () => makeRequest(dice, world, schema !== undefined)),
  }
}

function makePolicy(dice: Dice, world: World): Case['texts'][number] {
  const action = dice.pick(world.actions)
  const scope: Scope = {
    dice,
    world,
    principal: dice.pick(action.principals),
    resource: dice.pick(action.resources),
    context: action.context,
  }
  const template = dice.chance(12)
  const slots = template ? [dice.chance(70), true] : [false, false]
  const principal = head(dice, 'principal', scope.principal, ['User', 'Team'], slots[0] === true)
  const resource = head(
    dice,
    'resource',
    scope.resource,
    ['Ns::Doc', 'Ns::Folder', 'Team'],
    slots[1] === true,
  )
  const conditions = dice.times(
    dice.pick([0, 1, 1, 1, 2]),
    () =>
      `${dice.chance(75) ? 'when' : 'unless'} { ${expression(scope, { kind: 'Bool' }, 1 + dice.roll(4))} }`,
  )
  const note = dice.chance(15) ? '@obligation_mask("a,b")\n' : ''
  const text = `${note}${dice.chance(65) ? 'permit' : 'forbid'} (${principal}, ${actionHead(dice, action, world)}, ${resource})\n${conditions.join('\n')};`
  return { text, template: slots[0] === true || slots[1] === true }
}

function head(dice: Dice, variable: string, type: string, groups: readonly string[], slot: boolean): string {
  const one = (): string =>
    slot ? `?${variable}` : entityText(dice, dice.chance(80) ? type : dice.pick(groups))
  const group = (): string => (slot ? `?${variable}` : entityText(dice, dice.pick(groups)))
  const roll = slot ? dice.roll(3) : dice.roll(8)
  if (roll === 0) return `${variable} == ${one()}`
  if (roll === 1) return `${variable} in ${group()}`
  if (roll === 2) return `${variable} is ${type} in ${group()}`
  return roll === 3 ? `${variable} is ${type}` : variable
}

function actionHead(dice: Dice, action: Action, world: World): string {
  const name = (): string =>
    entityText(dice, 'Action', dice.chance(60) ? action.id : dice.pick(world.actions).id)
  const roll = dice.roll(6)
  if (roll === 0) return `action == ${name()}`
  if (roll === 1) return `action in ${name()}`
  if (roll === 2) return `action in [${dice.times(dice.roll(4), name).join(', ')}]`
  return 'action'
}

function makeLinks(dice: Dice, texts: Case['texts']): CaseLink[] {
  return texts.flatMap(({ text, template }, index) =>
    template
      ? dice.times(dice.roll(4), (n) => ({
          templateId: `policy${index}`,
          newId: `link${index}-${n}`,
          values: {
            ...(text.includes('?principal') && {
              '?principal': uidJson(dice.pick(['User', 'Team']), dice.pick(IDS)),
            }),
            ...(text.includes('?resource') && {
              '?resource': uidJson(dice.pick(['Ns::Doc', 'Ns::Folder']), dice.pick(IDS)),
            }),
          },
        }))
      : [],
  )
}

function makeEntities(dice: Dice, world: World, typed: boolean): readonly object[] {
  const entities: object[] = []
  for (const { name, memberOf, fields, tags } of world.types) {
    for (const [index, id] of IDS.slice(0, 5).entries()) {
      if (dice.chance(30)) continue
      // Parents of the same type have a later id: no cycles.
      const above = memberOf.flatMap((group) =>
        IDS.slice(group === name ? index + 1 : 0).map((parent) => uidJson(group, parent)),
      )
      const parents = above.length === 0 ? [] : dice.times(dice.roll(3), () => dice.pick(above))
      const tagBag = Object.create(null) as Record<string, CaseJson>
      if (tags !== undefined)
        for (const tag of ['a', 'b', '']) if (dice.chance(50)) tagBag[tag] = valueJson(dice, tags, typed)
      entities.push({ uid: uidJson(name, id), attrs: recordJson(dice, fields, typed), parents, tags: tagBag })
    }
  }
  if (!typed) {
    for (const { id, parents } of world.actions) {
      if (dice.chance(80))
        entities.push({
          uid: uidJson('Action', id),
          attrs: {},
          parents: parents.map((parent) => uidJson('Action', parent)),
        })
    }
  }
  return entities
}

function makeRequest(dice: Dice, world: World, typed: boolean): CaseRequest {
  const action = dice.pick(world.actions)
  // Now and then a request that the schema forbids.
  const odd = dice.chance(4)
  return {
    principal: uidJson(odd ? 'Ns::Doc' : dice.pick(action.principals), dice.pick(IDS.slice(0, 6))),
    action: uidJson('Action', dice.chance(2) ? 'nothing' : action.id),
    resource: uidJson(dice.pick(action.resources), dice.pick(IDS.slice(0, 6))),
    contextText: jsonText(makeContext(dice, action, typed)),
  }
}

/** The context an action asks for; now and then with a field missing, which a schema may refuse. */
function makeContext(dice: Dice, action: Action, typed: boolean): object {
  const context = recordJson(dice, action.context, typed)
  const names = Object.keys(context)
  if (names.length === 0 || !dice.chance(5)) return context
  const lost = dice.pick(names)
  return Object.fromEntries(Object.entries(context).filter(([name]) => name !== lost))
}
