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
  BW_AUTHZ_BUNDLE_REFUSED: {
    fault: 'policy',
    retry: 'never',
    status: 503,
    fix: 'Publish a bundle that is whole, signed by a trusted key, newer and valid; the one before stays in force.',
  },
  BW_AUTHZ_BUNDLE_STALE: {
    fault: 'policy',
    retry: 'after-delay',
    status: 503,
    fix: 'Publish a bundle signed anew; decisions are deny until one arrives.',
  },
  BW_AUTHZ_BUNDLE_MISSING: {
    fault: 'policy',
    retry: 'after-delay',
    status: 503,
    fix: 'Offer a bundle; decisions are deny until one is accepted.',
  },
  BW_AUTHZ_BUNDLE_UNSTORED: {
    fault: 'breakwater',
    retry: 'after-delay',
    status: 503,
    fix: 'Make room, and let the gateway write to the folder of the bundle; the one before stays in force.',
  },
  BW_AUTHZ_KEY_INVALID: {
    fault: 'caller',
    retry: 'never',
    status: 500,
    fix: 'Give an Ed25519 key in PEM form.',
  },
  BW_AUTHZ_LOG_FAILED: {
    fault: 'breakwater',
    retry: 'after-delay',
    status: 503,
    fix: 'Make room for the decision log; an allow without a record must not be acted on.',
  },
  BW_AUTHZ_LOG_BROKEN: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Keep the file as evidence and find out who changed it.',
  },
  BW_AUTHZ_TEST_INVALID: {
    fault: 'caller',
    retry: 'never',
    status: 500,
    fix: 'Correct what the message names, at its place.',
  },
  BW_AUTHZ_PDP_UNAVAILABLE: {
    fault: 'upstream',
    retry: 'after-delay',
    status: 503,
    fix: 'Look at the policy engine; decisions are deny while it does not answer.',
  },
  BW_AUTHZ_PDP_ANSWER_INVALID: {
    fault: 'upstream',
    retry: 'never',
    status: 502,
    fix: 'Make the policy answer true or false at the path asked.',
  },
  BW_AUTHZ_DENIED: {
    fault: 'caller',
    retry: 'never',
    status: 403,
    fix: 'Ask whoever administers the policies for the permission.',
  },
  BW_AUTHZ_OBJECT_HIDDEN: {
    fault: 'caller',
    retry: 'never',
    status: 404,
    fix: 'Check the id, and whether it is yours to ask for.',
  },
  BW_AUTHZ_UNAUTHENTICATED: {
    fault: 'caller',
    retry: 'never',
    status: 401,
    fix: 'Prove who you are first.',
  },
  BW_AUTHZ_METHOD_UNDECLARED: {
    fault: 'caller',
    retry: 'never',
    status: 405,
    fix: 'Use a method that the path has.',
  },
  BW_AUTHZ_OBLIGATION_UNKNOWN: {
    fault: 'policy',
    retry: 'never',
    status: 403,
    fix: 'Teach the guard the obligation, or take it out of the policy.',
  },
  BW_AUTHZ_LIST_UNPUSHABLE: {
    fault: 'policy',
    retry: 'never',
    status: 503,
    fix: 'Write the policies that are named so that they become a condition on columns.',
  },
  BW_AUTHZ_FIELD_REFUSED: {
    fault: 'caller',
    retry: 'never',
    status: 422,
    fix: 'Send only the fields that a client may set.',
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
  | 'BW_AUTHZ_BUNDLE_REFUSED'
  | 'BW_AUTHZ_BUNDLE_STALE'
  | 'BW_AUTHZ_BUNDLE_MISSING'
  | 'BW_AUTHZ_BUNDLE_UNSTORED'
  | 'BW_AUTHZ_KEY_INVALID'
  | 'BW_AUTHZ_LOG_FAILED'
  | 'BW_AUTHZ_LOG_BROKEN'
  | 'BW_AUTHZ_TEST_INVALID'
  | 'BW_AUTHZ_PDP_UNAVAILABLE'
  | 'BW_AUTHZ_PDP_ANSWER_INVALID'
  | 'BW_AUTHZ_DENIED'
  | 'BW_AUTHZ_OBJECT_HIDDEN'
  | 'BW_AUTHZ_UNAUTHENTICATED'
  | 'BW_AUTHZ_METHOD_UNDECLARED'
  | 'BW_AUTHZ_OBLIGATION_UNKNOWN'
  | 'BW_AUTHZ_LIST_UNPUSHABLE'
  | 'BW_AUTHZ_FIELD_REFUSED'

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

/** What a caught value says of itself: anything may be thrown. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
