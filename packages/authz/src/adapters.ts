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
  type RemoteDecision,
} from './opa/opa-client.ts'
