import type { EntityStore } from '../entities/entity-store.ts'
import type { EntitiesInput } from '../entities/read-entities.ts'
import { AuthzError } from '../errors.ts'
import type { Decision, PolicyFailure } from './decision.ts'
import type { Schema } from './official.ts'
import type { PolicySource } from './policy-source.ts'
import type { ForbidErrors } from './tally.ts'

export interface AuthorizerOptions {
  /** Cedar text, or text with templates, links and ids. */
  readonly policies: string | PolicySource
  /** Cedar schema, text or JSON. With it data and requests are checked. Not together with `store`. */
  readonly schema?: Schema
  /** Entities to begin with. Not together with `store`. */
  readonly entities?: EntitiesInput
  /** A store to decide on, shared with others. Its schema counts. */
  readonly store?: EntityStore
  /** Name of this state of the policies, not empty. Default: a hash of their text. */
  readonly version?: string
  /**
   * Refuse policies whose forbids cannot be shown to be free of errors at load. Needs a schema, so it is false by default
   * here; whatever brings policies into force (`openPolicies`, bundles) is strict by default.
   */
  readonly strict?: boolean
  /**
   * What a failing forbid does: `skip` is Cedar's way (and raises an alarm), `deny` fails closed. Default `skip`;
   * `openPolicies` denies by default.
   */
  readonly forbidErrors?: ForbidErrors
  /** Told about each failing forbid, beside the channel `breakwater:authz:forbid-errored`. */
  readonly onForbidErrored?: (failures: readonly PolicyFailure[], decision: Decision) => void
}

const KNOWN: Readonly<Record<keyof AuthorizerOptions, true>> = {
  policies: true,
  schema: true,
  entities: true,
  store: true,
  version: true,
  strict: true,
  forbidErrors: true,
  onForbidErrored: true,
}

/**
 * Refuses options that would quietly mean less than they say: a misspelt `forbidErrors` would allow.
 *
 * @throws `BW_AUTHZ_OPTIONS_INVALID` with every problem.
 */
export function requireOptions(options: AuthorizerOptions): void {
  const { policies, schema, entities, store, version, strict, forbidErrors, onForbidErrored } = options
  const problems: string[] = Object.keys(options)
    .filter((name) => !Object.hasOwn(KNOWN, name))
    .map((name) => `there is no option ${JSON.stringify(name)}`)
  const require = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem)
  }
  require(typeof policies === 'string' ||
    (typeof policies === 'object' && policies !== null), 'policies must be Cedar text or a policy source')
  require(store === undefined ||
    (schema === undefined &&
      entities === undefined), 'give either a store, or schema and entities to make one')
  require(version !== '', 'version must not be empty: records of decisions name it')
  require(strict === undefined || typeof strict === 'boolean', 'strict must be true or false')
  require(forbidErrors === undefined ||
    forbidErrors === 'skip' ||
    forbidErrors === 'deny', `forbidErrors must be "skip" or "deny", not ${JSON.stringify(forbidErrors)}`)
  require(onForbidErrored === undefined ||
    typeof onForbidErrored === 'function', 'onForbidErrored must be a function')
  if (problems.length > 0) {
    throw new AuthzError('BW_AUTHZ_OPTIONS_INVALID', problems.join('; '), { details: { problems } })
  }
}
