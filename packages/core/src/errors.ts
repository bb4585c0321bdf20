/** Whose fault a failure is. Dashboards, retries and status codes all read this first. */
export type Fault = 'caller' | 'policy' | 'upstream' | 'breakwater'

export interface ErrorSpec {
  readonly fault: Fault
  /** Whether the same request may be sent again, and when. */
  readonly retry: 'never' | 'after-delay' | 'if-idempotent'
  /** HTTP status used when this error leaves the process. */
  readonly status: number
  /** One imperative sentence: what the reader should do next. */
  readonly fix: string
}

export interface ErrorOptions {
  /** Values that help to understand this one failure. Must be safe to log: no secrets, no bodies. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

const BRAND: unique symbol = Symbol.for('breakwater.error')

/**
 * The only error class Breakwater throws on purpose. Switch on `code`: it is public API, never renamed, never
 * reused. `message` is for people and may change in any release.
 */
export class BreakwaterError<Code extends string = string> extends Error {
  override readonly name: string = 'BreakwaterError'
  readonly code: Code
  readonly spec: ErrorSpec
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: Code, spec: ErrorSpec, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.spec = spec
    this.details = options.details ?? {}
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** Recognises errors of this library, also those made by another copy of it. */
export function isBreakwaterError(value: unknown): value is BreakwaterError {
  return value instanceof Error && BRAND in value
}

/** What a caught value says of itself: anything may be thrown. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

/** One maker per code: `errors.BW_HTTP_BODY_TOO_LARGE('the body has 20 MiB, the limit is 10', { details })`. */
export type ErrorCatalogue<Specs extends Readonly<Record<string, ErrorSpec>>> = {
  readonly [Code in keyof Specs & string]: ErrorMaker<Code>
}

export interface ErrorMaker<Code extends string> {
  (message: string, options?: ErrorOptions): BreakwaterError<Code>
  readonly code: Code
  readonly spec: ErrorSpec
}

/** Turns a package's table of codes into functions that make its errors. Codes read `BW_<AREA>_<STATE>`. */
export function defineErrors<const Specs extends Readonly<Record<string, ErrorSpec>>>(
  specs: Specs,
): ErrorCatalogue<Specs> {
  const makers = Object.entries(specs).map(([code, spec]) => {
    const make = (message: string, options?: ErrorOptions): BreakwaterError =>
      new BreakwaterError(code, spec, message, options)
    return [code, Object.assign(make, { code, spec })] as const
  })
  return Object.fromEntries(makers) as ErrorCatalogue<Specs>
}

/** What this package itself throws. */
export const errors: ErrorCatalogue<Readonly<Record<'BW_CORE_OPTIONS_INVALID', ErrorSpec>>> = defineErrors({
  BW_CORE_OPTIONS_INVALID: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Correct the option that the message names.',
  },
})
