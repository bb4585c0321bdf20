import type { FieldList } from '@breakwater/http'
import type { Caller } from './caller.ts'

/** Fields that the gateway alone sets: whatever comes in under this prefix is removed. */
export const IDENTITY_PREFIX = 'x-authenticated-'

const UNDERSCORE = 0x5f
/** The first letter after `x-`. */
const IDENTITY_MARK = IDENTITY_PREFIX.charCodeAt(2)
const USER_FIELD = `${IDENTITY_PREFIX}user`
const TENANT_FIELD = `${IDENTITY_PREFIX}tenant`
const WORKLOAD_FIELD = `${IDENTITY_PREFIX}workload`

/** Fields by which frameworks behind take a request for another one than was decided on. */
const OVERRIDES: ReadonlySet<string> = new Set([
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
  'x-original-method',
])

/** Names of fields that only the gateway may set. */
export class Claims {
  readonly #names: ReadonlySet<string>
  /** How long they are, and with which bytes they begin: nearly all others are passed over by that. */
  readonly #lengths: ReadonlySet<number>
  readonly #begins = new Uint8Array(256)

  /** Besides those that are always: names in lower case. */
  constructor(also: readonly string[]) {
    this.#names = new Set([...OVERRIDES, ...also.map(folded)])
    this.#lengths = new Set([...this.#names].map(({ length }) => length))
    for (const name of [IDENTITY_PREFIX, ...this.#names]) {
      this.#begins[name.charCodeAt(0)] = 1
      if (name.startsWith('-')) this.#begins[UNDERSCORE] = 1
    }
  }

  /** Removes what only the gateway may say. Servers that speak CGI read `_` as `-`, so both are one here. */
  strip(fields: FieldList): void {
    const { flat } = fields
    for (let at = flat.length - 2; at >= 0; at -= 2) {
      const name = flat[at] ?? ''
      if (this.#begins[name.charCodeAt(0)] === 1 && this.#isClaim(name)) flat.splice(at, 2)
    }
  }

  #isClaim(name: string): boolean {
    const mayBeIdentity = name.charCodeAt(2) === IDENTITY_MARK
    if (!mayBeIdentity && !this.#lengths.has(name.length)) return false
    const read = folded(name)
    return read.startsWith(IDENTITY_PREFIX) || this.#names.has(read)
  }
}

/** Whether a server behind may take a field for the one of another name (in lower case). */
export function isReadAs(name: string, other: string): boolean {
  return name.length === other.length && (name === other || folded(name) === folded(other))
}

function folded(name: string): string {
  return name.includes('_') ? name.replaceAll('_', '-') : name
}

/** Tells the upstream who asks and what it has to do for it. */
export function writeCaller(fields: FieldList, caller: Caller, obligations: string | undefined): void {
  const { user, workload, tenant } = caller
  // Verified names are visible ASCII: what `append` would look for cannot be in them.
  const { flat } = fields
  if (user !== undefined) flat.push(USER_FIELD, user)
  if (tenant !== undefined) flat.push(TENANT_FIELD, tenant)
  flat.push(WORKLOAD_FIELD, workload)
  if (obligations !== undefined) fields.append(`${IDENTITY_PREFIX}obligations`, obligations)
}
