import type { AuthzRequest, EntityInput, ValueInput } from '@breakwater/authz'

export interface Name {
  readonly type: string
  readonly id: string
}

/** Who asks to do what to what; the same question goes to every engine. */
export interface Question extends Pick<AuthzRequest, 'principal' | 'action' | 'resource'> {
  readonly principal: Name
  readonly action: Name
  readonly resource: Name
}

/** One condition rule of CASL: what a user may do to objects of a type whose fields match. */
export interface CaslRule {
  readonly action: string[]
  readonly subject: string
  readonly conditions?: Record<string, unknown>
}

/** One drawing of a scenario: the data in the form of each engine, and questions about it. */
export interface World {
  readonly entities: readonly EntityInput[]
  readonly questions: readonly Question[]
  /** Lines of a casbin policy: `p` (who, what, right), `g` (group), `g2` (container). */
  readonly casbin: readonly (readonly string[])[]
  rulesOf(user: string): CaslRule[]
  /** What the application would hand to CASL: the object with the fields its rules look at. */
  objectOf(resource: Name): Record<string, unknown>
}

/** A scenario of the Cedar paper (OOPSLA 2024), drawn by generators of our own. */
export interface Scenario {
  readonly name: string
  /** The policies of the application. */
  readonly policies: string
  /** The same in Rego, one rule for each permit: `principal` and `resource` are the two entities, `input` holds their names. */
  readonly rego: string
  /** The policy about others with this number: a share of one object, or a grant to a team, like any real set has. */
  other(index: number): { readonly cedar: string; readonly casbin: readonly string[]; readonly rego: string }
  /** casbin's `g3`: which rights allow which action. */
  readonly rights: Readonly<Record<string, readonly string[]>>
  /** `size` entities of each kind. */
  world(size: number, random: () => number): World
}

export function name(type: string, id: string): Name {
  return { type, id }
}

/** The name in one text, for casbin. */
export function flat({ type, id }: Name): string {
  return `${type}:${id}`
}

export function entity(
  uid: Name,
  parents: readonly Name[],
  attrs: NonNullable<EntityInput['attrs']> = {},
): EntityInput {
  return { uid, parents: [...new Map(parents.map((parent) => [flat(parent), parent])).values()], attrs }
}

export function reference({ type, id }: Name): ValueInput {
  return { __entity: { type, id } }
}

export function pick<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new RangeError('nothing to pick from')
  return item
}

/** Everything above a name, the name included, as flat texts. */
export function ancestorsOf(entities: readonly EntityInput[], start: Name): string[] {
  const parents = new Map(
    entities.map(({ uid, parents: above = [] }) => [flat(uid as Name), above as Name[]]),
  )
  const found = new Set([flat(start)])
  for (const one of found) for (const parent of parents.get(one) ?? []) found.add(flat(parent))
  return [...found]
}

/** `g` lines for the first type's memberships, `g2` lines for all others. */
export function casbinEdges(entities: readonly EntityInput[], groups: ReadonlySet<string>): string[][] {
  return entities.flatMap(({ uid, parents = [] }) =>
    parents.map((parent) => {
      const [child, above] = [uid as Name, parent as Name]
      return [groups.has(child.type) ? 'g' : 'g2', flat(child), flat(above)]
    }),
  )
}

/** The names of a policy about others, by kind. */
export function otherPolicy(
  index: number,
  types: { readonly team: string; readonly container: string; readonly object: string },
  action: string,
): { cedar: string; right: readonly string[]; rego: string } {
  const { team, container, object } = types
  const id = `other${index}`
  return index % 2 === 0
    ? {
        cedar: `permit (principal in ${team}::"${id}", action == Action::"${action}", resource in ${container}::"${id}") when { principal in ${team}::"everyone" };`,
        right: [`${team}:${id}`, `${container}:${id}`],
        rego: `allow if { input.action == "${action}"; principal.within["${team}:${id}"]; resource.within["${container}:${id}"]; principal.within["${team}:everyone"] }`,
      }
    : {
        cedar: `permit (principal == User::"${id}", action == Action::"${action}", resource == ${object}::"${id}");`,
        right: [`User:${id}`, `${object}:${id}`],
        rego: `allow if { input.principal == "User:${id}"; input.action == "${action}"; input.resource == "${object}:${id}" }`,
      }
}
