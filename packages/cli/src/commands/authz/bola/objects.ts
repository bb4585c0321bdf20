import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A user, and what makes them a peer of others: tenant and roles. */
export interface Person {
  readonly id: string
  readonly tenant: string
  readonly roles: string
}

/** An object with whose it is. */
export interface Thing {
  readonly type: string
  readonly id: string
  readonly tenant: string
  readonly owner: string | undefined
}

export interface Types {
  readonly userType: string
  readonly workloadType: string
  readonly tenantType: string
}

export interface Cast {
  readonly people: readonly Person[]
  readonly workloads: readonly string[]
  readonly things: readonly Thing[]
  /** JSON text of the entities that the policies' folder does not hold by itself. */
  readonly examples: string | undefined
}

interface Raw {
  readonly uid: { readonly type: string; readonly id: string }
  readonly attrs?: Readonly<Record<string, unknown>>
  readonly parents?: readonly { readonly type: string; readonly id: string }[]
}

/** Who and what there is: `entities.json` and `examples.json` of a folder of policies. */
export function readCast(folder: string, { userType, workloadType, tenantType }: Types): Cast {
  const text = (name: string): string | undefined => {
    const file = join(folder, name)
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined
  }
  const examples = text('examples.json')
  const all = [text('entities.json'), examples].flatMap((part) =>
    part === undefined ? [] : (JSON.parse(part) as readonly Raw[]),
  )
  return {
    examples,
    people: all.flatMap(({ uid, attrs, parents = [] }) => {
      const tenant = idOf(attrs?.['tenant'])
      const roles = parents.map(({ type, id }) => `${type}::${id}`).sort()
      return uid.type === userType && tenant !== undefined
        ? [{ id: uid.id, tenant, roles: roles.join(' ') }]
        : []
    }),
    workloads: all.flatMap(({ uid }) => (uid.type === workloadType ? [uid.id] : [])),
    things: all.flatMap(({ uid, attrs }) => {
      const { type, id } = uid
      const tenant = type === tenantType ? id : idOf(attrs?.['tenant'])
      const owner = type === userType ? id : idOf(attrs?.['owner'])
      return tenant === undefined ? [] : [{ type, id, tenant, owner }]
    }),
  }
}

function idOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { id, __entity: entity } = value as { readonly id?: unknown; readonly __entity?: unknown }
  return entity === undefined ? (typeof id === 'string' ? id : undefined) : idOf(entity)
}

/**
 * Why nobody may let this person have this object, whatever the policies say: it is another tenant's, or that of a peer: someone of
 * the same tenant with the very same roles, so that no role can be the reason. Undefined when policies may allow it.
 */
export function whyForeign(person: Person, thing: Thing, people: readonly Person[]): string | undefined {
  if (thing.tenant !== person.tenant) return `an object of the tenant ${thing.tenant}`
  if (thing.owner === undefined || thing.owner === person.id) return undefined
  const owner = people.find(({ id }) => id === thing.owner)
  return owner !== undefined && owner.roles === person.roles
    ? `an object of ${thing.owner}, a peer`
    : undefined
}
