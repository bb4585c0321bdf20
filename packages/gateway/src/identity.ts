/**
 * The door for services behind the gateway: they verify who asks by the same two tokens, with the same code, and believe no field
 * that says so. Needs no gateway in the process.
 *
 * @module
 */

export { identify } from './authorization/caller.ts'
export type { Caller, IdentityOptions } from './authorization/caller.ts'
export { TestIssuer } from './authorization/test-issuer.ts'
export type { TestClaims } from './authorization/test-issuer.ts'
export { TokenVerifier } from './authorization/token-verifier.ts'
export type { TokenVerifierOptions } from './authorization/token-verifier.ts'
