import { NO_FAILURES, NO_OBLIGATIONS, refused } from '../engine/decision.ts'
import type { Decision } from '../engine/decision.ts'
import type { AuthzRequest } from '../engine/request.ts'
import { AuthzError, messageOf } from '../errors.ts'
import { readAnswer } from './read-answer.ts'

/** Decides whether the engine may be asked at all. `@breakwater/resilience` has one; any other will do. */
export interface PdpBreaker {
  /** Permission for one question, told once what became of it; undefined while the engine is left in peace. */
  admit(): PdpPermit | undefined
}

/** What became of one question: exactly one of these is called. */
export interface PdpPermit {
  succeeded(): void
  failed(): void
  /** The caller left before there was an answer: that says nothing about the engine. */
  ignored(): void
}

export interface OpaOptions {
  /** Where OPA listens: `http://127.0.0.1:8181`. */
  readonly url: string
  /** Path of the decision: `shop/authz/allow` (a boolean), or a document with `allow`. */
  readonly path: string
  /** The whole call. Default 5000, at least 1. */
  readonly timeoutMs?: number
  /** Answers beyond this size are no answers. Default 64 KiB. */
  readonly maxAnswerBytes?: number
  /** Headers of every call, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface OpaDeps {
  readonly fetch?: typeof globalThis.fetch
  readonly breaker?: PdpBreaker
}

/** A decision of an engine elsewhere. */
export type RemoteDecision = Omit<Decision, 'engine'> & { readonly engine: 'opa' }

const DECISION_PATH = /^\w[\w-]*(?:\/\w[\w-]*)*$/

/**
 * Asks OPA over its REST API (`POST /v1/data/<path>`). Never throws, and nothing but a clear allow is an allow: no answer in
 * time, an error, a redirect, an undefined result or a result of another shape is a deny with a code.
 */
export class OpaClient {
  readonly #options: Required<OpaOptions>
  readonly #endpoint: string
  readonly #fetch: typeof globalThis.fetch
  readonly #breaker: PdpBreaker | undefined

  /** @throws `BW_AUTHZ_OPTIONS_INVALID`. */
  constructor(options: OpaOptions, deps: OpaDeps = {}) {
    const { timeoutMs = 5000, maxAnswerBytes = 65_536, headers = {}, url, path } = options
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol) || !DECISION_PATH.test(path)) {
      throw new AuthzError(
        'BW_AUTHZ_OPTIONS_INVALID',
        `opa: url ${url} and path ${path} must be an http address and names joined by /`,
      )
    }
    if (!(timeoutMs >= 1) || !(maxAnswerBytes >= 1)) {
      throw new AuthzError(
        'BW_AUTHZ_OPTIONS_INVALID',
        `opa: timeoutMs ${timeoutMs} and maxAnswerBytes ${maxAnswerBytes} must be at least 1`,
      )
    }
    this.#options = { url, path, timeoutMs, maxAnswerBytes, headers }
    this.#endpoint = `${url.replace(/\/+$/, '')}/v1/data/${path}`
    this.#fetch = deps.fetch ?? globalThis.fetch
    this.#breaker = deps.breaker
  }

  /** Asks with the request as OPA's `input`, with its `entities` where it brings some. `signal` is the caller's: gone with it, the question is too. */
  async decide(request: AuthzRequest, signal?: AbortSignal): Promise<RemoteDecision> {
    let question: string
    try {
      question = questionOf(request)
    } catch (cause) {
      return this.#refuse('BW_AUTHZ_DATA_INVALID', 'the question cannot be put into JSON', cause)
    }
    const permit = this.#breaker?.admit()
    if (this.#breaker !== undefined && permit === undefined)
      return this.#refuse('BW_AUTHZ_PDP_UNAVAILABLE', 'the breaker is open: OPA is not asked')
    try {
      const result = await this.#ask(question, signal)
      permit?.succeeded()
      return this.#decisionOf(result)
    } catch (cause) {
      if (signal?.aborted === true) permit?.ignored()
      else permit?.failed()
      if (cause instanceof AuthzError) return this.#refuse(cause.code, cause.message, cause)
      return this.#refuse('BW_AUTHZ_PDP_UNAVAILABLE', `OPA gave no answer: ${messageOf(cause)}`, cause)
    }
  }

  /** @throws AuthzError, or whatever `fetch` throws. */
  async #ask(question: string, signal: AbortSignal | undefined): Promise<unknown> {
    const { timeoutMs, maxAnswerBytes, headers } = this.#options
    const timeout = AbortSignal.timeout(timeoutMs)
    const response = await this.#fetch(this.#endpoint, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
      body: question,
      // Who may answer is configured; another address is not it.
      redirect: 'error',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    })
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new AuthzError('BW_AUTHZ_PDP_UNAVAILABLE', `OPA answered ${response.status}`)
    }
    return readAnswer(response, maxAnswerBytes)
  }

  #decisionOf(answer: unknown): RemoteDecision {
    const { result } = (answer ?? {}) as { readonly result?: unknown }
    const allow = typeof result === 'object' && result !== null && 'allow' in result ? result.allow : result
    if (allow === undefined) {
      return this.#refuse(
        'BW_AUTHZ_PDP_ANSWER_INVALID',
        `${this.#options.path} is undefined for this request`,
      )
    }
    if (typeof allow !== 'boolean') {
      return this.#refuse('BW_AUTHZ_PDP_ANSWER_INVALID', `${this.#options.path} is neither true nor false`)
    }
    return {
      decision: allow ? 'allow' : 'deny',
      reasons: [this.#options.path],
      errors: NO_FAILURES,
      obligations: NO_OBLIGATIONS,
      policyVersion: this.version,
      engine: 'opa',
    }
  }

  #refuse(code: AuthzError['code'], message: string, cause?: unknown): RemoteDecision {
    return refused(new AuthzError(code, message, { cause }), this.version, 'opa')
  }

  /** What its decisions name as their policies. */
  get version(): string {
    return `opa:${this.#options.path}`
  }
}

function questionOf({ principal, action, resource, context = {}, entities }: AuthzRequest): string {
  const read = (value: unknown): unknown => (typeof value === 'string' ? JSON.parse(value) : value)
  const input = { principal, action, resource, context: read(context), entities: read(entities) }
  return JSON.stringify({ input }, (_, value: unknown) =>
    typeof value === 'bigint' ? rawJson(`${value}`) : value,
  )
}

/** Of ECMAScript 2026; TypeScript does not know it yet. */
const rawJson = (text: string): unknown => (JSON as JSON & { rawJSON(text: string): unknown }).rawJSON(text)
