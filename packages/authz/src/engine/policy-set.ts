import { createHash } from 'node:crypto'
import type { EntityUid } from '../entities/uid.ts'
import type { UidSource, UidTable } from '../entities/uid-table.ts'
import { AuthzError } from '../errors.ts'
import { UnreadablePolicy } from '../literals/tokens.ts'
import type { AuthzSchema } from '../schema/schema.ts'
import { OfficialSet, validationErrors } from './official.ts'
import { compilePolicies, type CompiledPolicy, type Obligation } from './policy.ts'
import { PolicyIndex } from './policy-index.ts'
import { parseSource, type ParsedSource, type PolicySource } from './policy-source.ts'
import { idleMasks, unprovenForbids } from './strict.ts'

export interface PolicySetOptions {
  /** Name of this state of the policies. Default: a hash of the texts. */
  readonly version?: string
  /** Refuse a set whose forbids cannot be shown to be free of errors at load. Needs a schema. Default false. */
  readonly strict?: boolean
}

/** Policies loaded: parsed by the official parser, compiled by us, or left to the official engine as a whole. */
export class CompiledPolicySet {
  readonly version: string
  readonly parsed: ParsedSource
  readonly policies: readonly CompiledPolicy[]
  readonly index: PolicyIndex
  /** Why the official engine decides for this set; undefined when our closures do. */
  readonly fallback: string | undefined
  /** What the validator says; empty without a schema. */
  readonly findings: readonly string[]
  readonly #schema: AuthzSchema | undefined
  readonly #named: readonly EntityUid[]
  readonly #byId: ReadonlyMap<string, CompiledPolicy>
  #official: OfficialSet | undefined

  constructor(
    source: PolicySource,
    uids: UidTable,
    schema: AuthzSchema | undefined,
    options: PolicySetOptions = {},
  ) {
    this.parsed = parseSource(source)
    this.#schema = schema
    this.version = options.version ?? versionOf(source)
    this.findings = schema === undefined ? [] : validationErrors(this.parsed.official, schema.source)
    if (options.strict === true) requireProven(this.parsed, this.findings, schema)
    const named: EntityUid[] = []
    const compiled = compileOrSay(this.parsed, {
      uid(type, id) {
        const uid = uids.uid(type, id)
        uid.pinned = true
        named.push(uid)
        return uid
      },
    })
    this.#named = named
    this.policies = typeof compiled === 'string' ? [] : compiled
    this.fallback = typeof compiled === 'string' ? compiled : undefined
    this.#byId = new Map(this.policies.map((policy) => [policy.id, policy]))
    this.index = new PolicyIndex(this.policies)
  }

  /** Every entity the policies name. */
  get named(): readonly EntityUid[] {
    return this.#named
  }

  /** A policy's effect; undefined for one that only the official engine could read. */
  effectOf(policyId: string): 'permit' | 'forbid' | undefined {
    return this.#byId.get(policyId)?.effect
  }

  /** The obligations of the policies that determined a decision. */
  obligationsOf(reasons: readonly string[]): readonly Obligation[] {
    return reasons.flatMap((id) => this.#byId.get(id)?.obligations ?? [])
  }

  /** This set in the official engine; parsed there when first asked for. */
  get official(): OfficialSet {
    this.#official ??= new OfficialSet(this.parsed.official, this.#schema?.source)
    return this.#official
  }
}

function compileOrSay(parsed: ParsedSource, uids: UidSource): CompiledPolicy[] | string {
  if (parsed.unreadable !== undefined) return parsed.unreadable
  try {
    return compilePolicies(parsed, uids)
  } catch (error) {
    if (error instanceof UnreadablePolicy) return error.message
    throw error
  }
}

function requireProven(
  parsed: ParsedSource,
  findings: readonly string[],
  schema: AuthzSchema | undefined,
): void {
  if (schema === undefined) throw new AuthzError('BW_AUTHZ_POLICY_REFUSED', 'strict mode needs a schema')
  const problems = [...findings, ...unprovenForbids(parsed), ...idleMasks(parsed)]
  if (problems.length > 0) {
    throw new AuthzError('BW_AUTHZ_POLICY_REFUSED', problems.join('\n'), { details: { problems } })
  }
}

function versionOf(source: PolicySource): string {
  return createHash('sha256').update(JSON.stringify(source)).digest('hex').slice(0, 16)
}
