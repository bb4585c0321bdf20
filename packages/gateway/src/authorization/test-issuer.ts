import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** What the tokens of a test issuer call themselves: nobody takes them for anything else. */
export const TEST_TOKEN_TYPE = 'breakwater-test+jwt'

/** Whom a token speaks for. */
export interface TestClaims {
  readonly kind: 'user' | 'workload'
  /** Visible ASCII characters, 1 to 200. */
  readonly subject: string
  readonly tenant?: string
  /** The gateway it is for: `authorization.identity.audience`, or its name. */
  readonly audience: string
  /** How long it counts. Milliseconds, above 0. */
  readonly validForMs: number
}

/**
 * Makes tokens for tests and trials: compact JWS (RFC 7515) with Ed25519 (RFC 8037). It asks nobody whether a claim is true, and
 * its tokens say so in their type. Not for production.
 */
export class TestIssuer {
  /** For `authorization.identity.testIssuer.publicKey`: 32 bytes, base64url. */
  readonly publicKey: string
  readonly name: string
  readonly #key: KeyObject

  /** `privateKey`: PEM (PKCS #8). Throws what is wrong with it. */
  constructor(privateKey: string, name: string = 'breakwater-test-issuer') {
    this.#key = createPrivateKey(privateKey)
    if (this.#key.asymmetricKeyType !== 'ed25519') throw new TypeError('expected an Ed25519 private key')
    this.name = name
    this.publicKey = String(createPublicKey(this.#key).export({ format: 'jwk' }).x)
  }

  /** One with a key of its own, and the key to keep. */
  static create(name?: string): { readonly issuer: TestIssuer; readonly privateKey: string } {
    const { privateKey } = generateKeyPairSync('ed25519')
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
    return { issuer: new TestIssuer(pem, name), privateKey: pem }
  }

  /** `nowMs`: milliseconds since 1970. */
  sign({ kind, subject, tenant, audience, validForMs }: TestClaims, nowMs: number): string {
    const header = encode({ alg: 'EdDSA', typ: TEST_TOKEN_TYPE })
    const payload = encode({
      iss: this.name,
      sub: subject,
      aud: audience,
      kind,
      ...(tenant !== undefined && { tenant }),
      iat: Math.floor(nowMs / 1000),
      exp: Math.ceil((nowMs + validForMs) / 1000),
    })
    const signature = sign(null, Buffer.from(`${header}.${payload}`), this.#key).toString('base64url')
    return `${header}.${payload}.${signature}`
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
