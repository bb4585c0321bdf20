import { createPublicKey, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { failed, ok } from '@breakwater/core'
import type { Result } from '@breakwater/core'
import { Recent } from './recent.ts'
import { TEST_TOKEN_TYPE } from './test-issuer.ts'

/** What a verified token says. */
export interface VerifiedToken {
  readonly kind: 'user' | 'workload'
  readonly subject: string
  readonly tenant: string | undefined
  /** Milliseconds since 1970. */
  readonly expiresMs: number
}

export interface TokenVerifierOptions {
  /** Ed25519 public key, 32 bytes in base64url. */
  readonly publicKey: string
  readonly issuer: string
  readonly audience: string
}

const MAX_TOKEN_CHARACTERS = 4096
const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})$/
const NAME = /^[\x21-\x7e]{1,200}$/

/**
 * Verifies the tokens of one test issuer. The key and the algorithm are those of the configuration, never those that a token
 * asks for (RFC 8725 §3.1). A token found good is remembered, by all of its characters; failures never are.
 */
export class TokenVerifier {
  readonly #options: TokenVerifierOptions
  readonly #key: KeyObject
  readonly #good = new Recent<VerifiedToken>(10_000, 8 * 1024 * 1024)

  constructor(options: TokenVerifierOptions) {
    this.#options = options
    this.#key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: options.publicKey },
      format: 'jwk',
    })
  }

  /** `nowMs`: milliseconds since 1970. The reason is safe to log and to tell. */
  verify(token: string, nowMs: number): Result<VerifiedToken, string> {
    const known = this.#good.get(token)
    if (known !== undefined) return known.expiresMs > nowMs ? ok(known) : failed('the token has expired')
    if (token.length > MAX_TOKEN_CHARACTERS) return failed('the token is too long')
    const [, header = '', payload = '', signature = ''] = COMPACT.exec(token) ?? []
    if (header === '') return failed('the token is not a signed one in compact form')
    const { alg, typ, crit } = read(header)
    if (alg !== 'EdDSA' || typ !== TEST_TOKEN_TYPE || crit !== undefined)
      return failed('the token is not one of the trusted issuer')
    const isGenuine = verify(
      null,
      Buffer.from(`${header}.${payload}`),
      this.#key,
      Buffer.from(signature, 'base64url'),
    )
    if (!isGenuine) return failed('the signature is not one of the trusted issuer')
    const claims = this.#claimsOf(read(payload), nowMs)
    if (claims.ok) this.#good.set(token, claims.value)
    return claims
  }

  #claimsOf(payload: Readonly<Record<string, unknown>>, nowMs: number): Result<VerifiedToken, string> {
    const { iss, aud, exp, nbf, sub, kind, tenant } = payload
    if (iss !== this.#options.issuer) return failed('the token is not one of the trusted issuer')
    const isForUs =
      aud === this.#options.audience || (Array.isArray(aud) && aud.includes(this.#options.audience))
    if (!isForUs) return failed('the token is meant for somebody else')
    if (typeof exp !== 'number' || !Number.isFinite(exp)) return failed('the token does not say when it ends')
    if (exp * 1000 <= nowMs) return failed('the token has expired')
    if (nbf !== undefined && !(typeof nbf === 'number' && nbf * 1000 <= nowMs))
      return failed('the token does not count yet')
    if (typeof sub !== 'string' || !NAME.test(sub)) return failed('the token names no subject')
    if (kind !== 'user' && kind !== 'workload') return failed('the token does not say what its subject is')
    if (tenant !== undefined && !(typeof tenant === 'string' && NAME.test(tenant)))
      return failed('the tenant of the token is not a name')
    return ok({ kind, subject: sub, tenant, expiresMs: exp * 1000 })
  }
}

function read(part: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
  } catch {
    return {}
  }
}
