import type { HttpErrorCode } from '../../src/errors.ts'
import type { MessageLimits } from '../../src/index.ts'

/** What a rule asks for, in the words of RFC 2119. `MAY`: the RFC leaves it open and this engine has decided. */
export type Level = 'MUST' | 'SHOULD' | 'MAY'

/** A message that must come out: exactly these parts are compared. */
export interface ExpectedMessage {
  /** Method and target as in `GET /`, or status as in `200`. */
  readonly start: string
  /** Default: empty. */
  readonly body?: string
  /** Default: none. */
  readonly trailers?: readonly string[]
  /** All fields, `name: value`. Default: not compared. */
  readonly fields?: readonly string[]
  /** Default: true. */
  readonly keepAlive?: boolean
  /** Default: false. */
  readonly upgrade?: boolean
  /** Default: true. */
  readonly isComplete?: boolean
}

/** Refused, after the messages in `after` were read. */
export interface Refusal {
  readonly status: number
  /** Codes that may be given: more than one where the bytes break two rules and their arrival decides which is met first. */
  readonly rules: readonly HttpErrorCode[]
  readonly after?: readonly ExpectedMessage[]
}

/**
 * One sentence of a specification as bytes. Every case runs whole, byte by byte and in random pieces, and must come
 * out the same. Bytes are latin1 text; the connection ends after them.
 */
export interface ConformanceCase {
  /** A sentence in the present, without its subject. */
  readonly name: string
  /** Where the rule is written. */
  readonly rfc: string
  readonly level: Level
  /** The rule, in our own words. */
  readonly rule: string
  readonly bytes: string
  /** Messages that come out, or the refusal. */
  readonly expected: readonly ExpectedMessage[] | Refusal
  readonly limits?: MessageLimits
  /** Responses: the methods of the requests that they answer. Default: `GET` for each. */
  readonly methods?: readonly string[]
}

type Where = readonly [rfc: string, level: Level, rule: string]

/** A case whose bytes are read as `messages`. */
export const accepts = (
  name: string,
  [rfc, level, rule]: Where,
  bytes: string,
  messages: readonly ExpectedMessage[],
  more: Pick<ConformanceCase, 'limits' | 'methods'> = {},
): ConformanceCase => ({ name: `accepts ${name}`, rfc, level, rule, bytes, expected: messages, ...more })

type Short = HttpErrorCode extends `BW_HTTP_${infer Rest}` ? Rest : never

/** A case whose bytes are refused with `status` because of `codes` (without `BW_HTTP_`). */
export const refuses = (
  name: string,
  [rfc, level, rule]: Where,
  bytes: string,
  status: number,
  codes: Short | readonly Short[],
  more: Pick<ConformanceCase, 'limits' | 'methods'> & Pick<Refusal, 'after'> = {},
): ConformanceCase => {
  const { after, ...options } = more
  const list: readonly Short[] = typeof codes === 'string' ? [codes] : codes
  const rules = list.map((code): HttpErrorCode => `BW_HTTP_${code}`)
  const refusal: Refusal = { status, rules, ...(after === undefined ? {} : { after }) }
  return { name: `refuses ${name}`, rfc, level, rule, bytes, expected: refusal, ...options }
}

/** `GET / HTTP/1.1` with a Host and these further field lines. */
export const get = (...lines: string[]): string =>
  ['GET / HTTP/1.1', 'Host: a', ...lines, '', ''].join('\r\n')

/** `POST / HTTP/1.1` with a Host, these field lines and this body. */
export const post = (lines: readonly string[], body: string): string =>
  ['POST / HTTP/1.1', 'Host: a', ...lines, '', body].join('\r\n')

/** A chunked `POST` whose body section is `body` as it stands. */
export const chunked = (body: string): string => post(['Transfer-Encoding: chunked'], body)
