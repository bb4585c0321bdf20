/**
 * The third door: policies in operation. Where they come from, and what they decided.
 *
 * @module
 */

export { JoinedPolicies, type PolicyContent, type PolicyText } from './bundle/policy-content.ts'
export { readPolicyFolder } from './bundle/policy-folder.ts'
export { openPolicies, type OpenPolicies, type OpenPoliciesOptions } from './bundle/open-policies.ts'
export { DecisionLog, type DecisionLogDeps, type DecisionLogOptions } from './log/decision-log.ts'
export type { DecisionEntry, DecisionRecord } from './log/record.ts'
export type { LogBatch } from './log/log-batch.ts'
export { readLogFolder } from './log/recover.ts'
export { verifyLog, type ChainHead, type LogFile, type LogVerdict, type VerifyOptions } from './log/verify.ts'
export { readBundle, writeBundle, type Bundle, type BundleManifest } from './bundle/bundle.ts'
export { BundleFile } from './bundle/bundle-file.ts'
export { keyIdOf, signBundle, verifyBundle, type VerifiedBundle } from './bundle/signature.ts'
export { BundleHolder, bundleEvents, type BundleEvent, type BundleHolderOptions } from './bundle/holder.ts'
export { Replayer, replayMismatch, type ReplayerOptions, type ReplayMismatch } from './engine/replayer.ts'
export { KnownUid } from './entities/known-uid.ts'
export { refused } from './engine/decision.ts'
export { KnownContext } from './engine/known-context.ts'
export { LiveEntities } from './bundle/live-entities.ts'
export {
  FollowedPolicies,
  type FollowedEvent,
  type FollowOptions,
  type PoliciesInForce,
} from './bundle/followed-policies.ts'
export type { FollowedFiles } from './bundle/followed-files.ts'
