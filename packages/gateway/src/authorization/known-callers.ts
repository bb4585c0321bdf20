import type { ValueInput } from '@breakwater/authz'
import { KnownContext, KnownUid } from '@breakwater/authz/operate'
import type { FieldList } from '@breakwater/http'
import { identify } from './caller.ts'
import type { Caller, IdentityOptions } from './caller.ts'
import { ownText, Recent } from './recent.ts'

/** Entity types of those who ask. */
export interface CallerTypes {
  readonly userType: string
  readonly workloadType: string
  readonly tenantType: string
}

/** Which facts about the caller a context holds. */
export const OF_WORKLOAD = 1
export const OF_TENANT = 2

/** Who asks, verified, and all that policies are told of it: made once for as long as the tokens are remembered. */
export class KnownCaller implements Caller {
  readonly user: string | undefined
  readonly workload: string
  readonly tenant: string | undefined
  readonly expiresMs: number
  readonly principal: KnownUid
  readonly #workload: ValueInput
  readonly #tenant: ValueInput | undefined
  /** By the facts that they hold. */
  readonly #contexts: (KnownContext | undefined)[] = [undefined, undefined, undefined, undefined]

  constructor({ user, workload, tenant, expiresMs }: Caller, types: CallerTypes) {
    this.user = user
    this.workload = workload
    this.tenant = tenant
    this.expiresMs = expiresMs
    const process = new KnownUid(types.workloadType, workload)
    this.principal = user === undefined ? process : new KnownUid(types.userType, user)
    this.#workload = { __entity: { type: types.workloadType, id: workload } }
    if (tenant !== undefined) this.#tenant = { __entity: { type: types.tenantType, id: tenant } }
  }

  /** The context with these facts; without the tenant when the tokens name none. */
  context(facts: number): KnownContext {
    return (this.#contexts[facts] ??= new KnownContext({
      ...((facts & OF_WORKLOAD) !== 0 && { workload: this.#workload }),
      ...((facts & OF_TENANT) !== 0 && this.#tenant !== undefined && { tenant: this.#tenant }),
    }))
  }
}

interface KnownUser {
  alone: KnownCaller | undefined
  /** By the token of the workload through which the user came. */
  readonly through: Map<string, KnownCaller>
}

const MAX_REMEMBERED = 10_000
/** Tokens of ordinary length are bounded by their number. */
const MAX_BYTES = 8 * 1024 * 1024
const MAX_WORKLOADS_OF_USER = 8
const MAX_TEXT = 8192

/**
 * Finds out who asks. Tokens found good are remembered, by the whole text of their fields, until they end or others take their
 * place; what was refused never is.
 */
export class KnownCallers {
  readonly #options: IdentityOptions
  readonly #types: CallerTypes
  readonly #workloadHeader: string
  readonly #users = new Recent<KnownUser>(MAX_REMEMBERED, MAX_BYTES)
  readonly #workloads = new Recent<KnownCaller>(MAX_REMEMBERED, MAX_BYTES)

  constructor(options: IdentityOptions, types: CallerTypes) {
    this.#options = options
    this.#types = types
    this.#workloadHeader = options.workloadHeader.toLowerCase()
  }

  /** The caller, or why there is none: safe to log and to tell. `nowMs`: milliseconds since 1970. */
  find(fields: FieldList, nowMs: number): KnownCaller | string {
    const { flat } = fields
    let user = ''
    let workload = ''
    for (let at = 0; at < flat.length; at += 2) {
      const name = flat[at]
      const isUser = name === 'authorization'
      if (!isUser && name !== this.#workloadHeader) continue
      const value = flat[at + 1] ?? ''
      // Empty, or more than once: what is wrong with it is told by whoever looks closer.
      if (value === '' || (isUser ? user : workload) !== '') return this.#identify(fields, '', '', nowMs)
      if (isUser) user = value
      else workload = value
    }
    const known = this.#known(user, workload)
    if (known !== undefined) return known.expiresMs > nowMs ? known : 'the token has expired'
    return this.#identify(fields, user, workload, nowMs)
  }

  #known(user: string, workload: string): KnownCaller | undefined {
    if (user === '') return this.#workloads.get(workload)
    const entry = this.#users.get(user)
    return workload === '' ? entry?.alone : entry?.through.get(workload)
  }

  #identify(fields: FieldList, user: string, workload: string, nowMs: number): KnownCaller | string {
    const identified = identify(fields, this.#options, nowMs)
    if (!identified.ok) return identified.error
    const caller = new KnownCaller(identified.value, this.#types)
    if (user.length + workload.length <= MAX_TEXT) this.#remember(user, workload, caller)
    return caller
  }

  #remember(user: string, workload: string, caller: KnownCaller): void {
    if (user === '') {
      if (workload !== '') this.#workloads.set(workload, caller)
      return
    }
    let entry = this.#users.get(user)
    // One who comes through ever other workloads begins anew.
    if (entry === undefined || entry.through.size >= MAX_WORKLOADS_OF_USER) {
      entry = { alone: undefined, through: new Map() }
      this.#users.set(user, entry)
    }
    if (workload === '') entry.alone = caller
    else {
      entry.through.set(ownText(workload), caller)
      this.#users.grow(user, workload.length)
    }
  }
}
