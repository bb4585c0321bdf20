import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { AuthorizationAnswer, DetailedError, PolicySet, Schema } from '@cedar-policy/cedar-wasm/nodejs'
import { AuthzError, type AuthzErrorCode } from '../errors.ts'

export type { PolicySet, Schema }

/** The messages of the official engine on one line, offsets included. */
export function messagesOf(errors: readonly DetailedError[]): string {
  return errors
    .map(({ message, help, sourceLocations }) => {
      const at = sourceLocations?.[0]?.start
      return `${message}${at === undefined ? '' : ` (at byte ${at})`}${help === null ? '' : `; ${help}`}`
    })
    .join(' | ')
}

/** Parses with the official parser. @throws `code` when it refuses. */
export function requireParsed(
  answer: { type: string; errors?: DetailedError[] },
  code: AuthzErrorCode,
  what: string,
): void {
  if (answer.type === 'success') return
  throw new AuthzError(code, `${what}: ${messagesOf(answer.errors ?? [])}`)
}

/** The official tree of one policy or template. @throws `BW_AUTHZ_POLICY_INVALID` that begins with the name. */
export function officialTree(text: string, template: boolean, nameOf: () => string): unknown {
  const answer = template ? cedar.templateToJson(text) : cedar.policyToJson(text)
  if (answer.type === 'failure') {
    throw new AuthzError('BW_AUTHZ_POLICY_INVALID', `${nameOf()}: ${messagesOf(answer.errors)}`)
  }
  return answer.json
}

export function requirePolicies(policies: PolicySet): void {
  requireParsed(cedar.checkParsePolicySet(policies), 'BW_AUTHZ_POLICY_INVALID', 'policies')
}

/** The validator's findings, one text each. */
export function validationErrors(policies: PolicySet, schema: Schema): string[] {
  const answer = cedar.validate({ policies, schema, validationSettings: { mode: 'strict' } })
  if (answer.type === 'failure') return [messagesOf(answer.errors)]
  return answer.validationErrors.map(({ policyId, error }) => `${policyId}: ${messagesOf([error])}`)
}

/** A request in the official JSON format. */
export interface OfficialRequest {
  readonly principal: { readonly type: string; readonly id: string }
  readonly action: { readonly type: string; readonly id: string }
  readonly resource: { readonly type: string; readonly id: string }
  readonly context: object
  readonly entities: readonly object[]
}

export interface OfficialVerdict {
  readonly decision: 'allow' | 'deny'
  readonly reasons: readonly string[]
  readonly errors: readonly { readonly policyId: string; readonly message: string }[]
}

let nextName = 0

/** One policy set inside the official engine, parsed once. The slow, right way to an answer. */
export class OfficialSet {
  readonly #name = `breakwater-${(nextName += 1)}`
  readonly #hasSchema: boolean

  constructor(policies: PolicySet, schema?: Schema) {
    requireParsed(cedar.preparsePolicySet(this.#name, policies), 'BW_AUTHZ_POLICY_INVALID', 'policies')
    this.#hasSchema = schema !== undefined
    if (schema !== undefined) {
      requireParsed(cedar.preparseSchema(this.#name, schema), 'BW_AUTHZ_SCHEMA_INVALID', 'schema')
    }
  }

  /** @throws `BW_AUTHZ_ENGINE_FAILED` when the official engine refuses the call. */
  decide(request: OfficialRequest): OfficialVerdict {
    const answer = this.#ask(request)
    if (answer.type === 'failure') throw new AuthzError('BW_AUTHZ_ENGINE_FAILED', messagesOf(answer.errors))
    const { decision, diagnostics } = answer.response
    return {
      decision,
      reasons: diagnostics.reason,
      errors: diagnostics.errors.map(({ policyId, error }) => ({ policyId, message: error.message })),
    }
  }

  #ask({ principal, action, resource, context, entities }: OfficialRequest): AuthorizationAnswer {
    try {
      return cedar.statefulIsAuthorized({
        principal: { ...principal },
        action: { ...action },
        resource: { ...resource },
        context: context as cedar.Context,
        entities: [...entities] as cedar.Entities,
        preparsedPolicySetId: this.#name,
        ...(this.#hasSchema && { preparsedSchemaName: this.#name, validateRequest: true }),
      })
    } catch (cause) {
      throw new AuthzError('BW_AUTHZ_ENGINE_FAILED', 'the official engine threw', { cause })
    }
  }
}

/** The schema as the official engine resolves it. @throws `BW_AUTHZ_SCHEMA_INVALID`. */
export function officialSchema(schema: Schema): cedar.SchemaJson<string> {
  const text = typeof schema === 'string' ? schema : schemaText(schema)
  const answer = cedar.schemaToJsonWithResolvedTypes(text)
  if (answer.type === 'failure') throw new AuthzError('BW_AUTHZ_SCHEMA_INVALID', messagesOf(answer.errors))
  return answer.json
}

function schemaText(schema: Schema): string {
  const answer = cedar.schemaToText(schema)
  if (answer.type === 'failure') throw new AuthzError('BW_AUTHZ_SCHEMA_INVALID', messagesOf(answer.errors))
  return answer.text
}
