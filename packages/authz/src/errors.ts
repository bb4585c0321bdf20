/** What this package says about one of its error codes. Same shape as in the rest of Breakwater. */
export interface AuthzErrorSpec {
  readonly fault: 'caller' | 'policy' | 'upstream' | 'breakwater'
  readonly retry: 'never' | 'after-delay' | 'if-idempotent'
  /** HTTP status used when this error leaves the process. */
  readonly status: number
  /** One imperative sentence: what the reader should do next. */
  readonly fix: string
}

export const codes: Readonly<Record<AuthzErrorCode, AuthzErrorSpec>> = {
  BW_AUTHZ_POLICY_INVALID: {
    fault: 'policy',
    retry: 'never',
    status: 500,
    fix: 'Correct the policy text at the position named in the message.',
  },
  BW_AUTHZ_POLICY_REFUSED: {
    fault: 'policy',
    retry: 'never',
    status: 500,
    fix: 'Make the set pass the validator, or load it without strict mode.',
  },
  BW_AUTHZ_SCHEMA_INVALID: {
    fault: 'policy',
    retry: 'never',
    status: 500,
    fix: 'Correct the Cedar schema.',
  },
  BW_AUTHZ_DATA_INVALID: {
    fault: 'caller',
    retry: 'never',
    status: 500,
    fix: 'Send entities and context in the Cedar JSON format, with whole numbers inside 64 bits.',
  },
  BW_AUTHZ_ENTITY_CONFLICT: {
    fault: 'caller',
    retry: 'never',
    status: 500,
    fix: 'Send each entity once, and keep the hierarchy free of cycles.',
  },
  BW_AUTHZ_REQUEST_INVALID: {
    fault: 'caller',
    retry: 'never',
    status: 403,
    fix: 'Send a request that the schema allows for its action.',
  },
  BW_AUTHZ_ENGINE_FAILED: {
    fault: 'breakwater',
    retry: 'after-delay',
    status: 503,
    fix: 'Read the cause; the decision was deny.',
  },
  BW_AUTHZ_OPTIONS_INVALID: {
    fault: 'caller',
    retry: 'never',
    status: 500,
    fix: 'Correct the options named in the message.',
  },
}

/** The codes of this package: public API, never renamed, never reused. */
export type AuthzErrorCode =
  | 'BW_AUTHZ_POLICY_INVALID'
  | 'BW_AUTHZ_POLICY_REFUSED'
  | 'BW_AUTHZ_SCHEMA_INVALID'
  | 'BW_AUTHZ_DATA_INVALID'
  | 'BW_AUTHZ_ENTITY_CONFLICT'
  | 'BW_AUTHZ_REQUEST_INVALID'
  | 'BW_AUTHZ_ENGINE_FAILED'
  | 'BW_AUTHZ_OPTIONS_INVALID'

const BRAND: unique symbol = Symbol.for('breakwater.error')

/**
 * The only error this package throws on purpose. Switch on `code`. Carries the brand of Breakwater's errors, so that
 * `isBreakwaterError` of `@breakwater/core` knows it although this package depends on nothing but cedar-wasm.
 */
export class AuthzError extends Error {
  override readonly name: string = 'BreakwaterError'
  readonly code: AuthzErrorCode
  readonly spec: AuthzErrorSpec
  /** Values that help to understand this one failure. Safe to log. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: AuthzErrorCode,
    message: string,
    options: { readonly details?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.spec = codes[code]
    this.details = options.details ?? {}
    Object.defineProperty(this, BRAND, { value: true })
  }
}
