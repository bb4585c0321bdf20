import { refusedWith, type Refused } from './refused.ts'

/** What only the server assigns. Compared without case, `_` and `-`. */
const SERVER_FIELDS: ReadonlySet<string> = new Set(
  [
    'role roles isAdmin admin scope scopes permission permissions group groups',
    'owner ownerId tenant tenantId createdBy principal workload',
  ].flatMap((line) => line.toLowerCase().split(' ')),
)

declare const ACCEPTED: unique symbol
/** A body that holds nothing but the fields a client may set. */
export type Accepted<Name extends string> = { readonly [Key in Name]?: unknown } & {
  readonly [ACCEPTED]: true
}

/** Whether a field of this name is one that no request may set. */
export function isServerField(name: string): boolean {
  return SERVER_FIELDS.has(name.toLowerCase().replaceAll(/[_-]/g, ''))
}

/**
 * Takes the fields named from a body and refuses it when it holds any other: who sends a role asks for it. Roles, owner and tenant
 * cannot be named at all, at any depth. The result has no prototype to be polluted.
 *
 * @throws RangeError at construction time, when `names` holds a field that only the server assigns.
 */
export function acceptOnly<const Name extends string>(
  names: readonly Name[],
): (body: unknown) => Accepted<Name> | Refused {
  const wrong = names.filter(isServerField)
  if (wrong.length > 0) throw new RangeError(`${wrong.join(', ')}: assigned by the server, never by a body`)
  const allowed: ReadonlySet<string> = new Set(names)
  const refused = refusedWith('BW_AUTHZ_FIELD_REFUSED')
  return (body) => {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return refused
    const accepted = Object.create(null) as Record<string, unknown>
    for (const [name, value] of Object.entries(body)) {
      if (!allowed.has(name) || holdsServerField(value, 0)) return refused
      accepted[name] = value
    }
    return accepted as Accepted<Name>
  }
}

const MAX_DEPTH = 32

function holdsServerField(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth >= MAX_DEPTH) return true
  if (Array.isArray(value)) return value.some((item) => holdsServerField(item, depth + 1))
  return Object.entries(value).some(
    ([name, inner]) => isServerField(name) || name === '__proto__' || holdsServerField(inner, depth + 1),
  )
}
