/**
 * The fourth door: other people's engines, and other people's enforcement points.
 *
 * @module
 */

export {
  OpaClient,
  type OpaDeps,
  type OpaOptions,
  type PdpBreaker,
  type PdpPermit,
  type RemoteDecision,
} from './opa/opa-client.ts'
export { createAuthZenHandler, type AuthZenHandler, type AuthZenOptions } from './authzen/handler.ts'
export type { AuthZenMapping } from './authzen/mapping.ts'
export { storeCandidates, type AuthZenCandidates } from './authzen/search.ts'
export type { AuthZenEntity } from './authzen/model.ts'
