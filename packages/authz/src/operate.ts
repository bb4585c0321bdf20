/**
 * The third door: policies in operation. Where they come from, and what they decided.
 *
 * @module
 */

export { JoinedPolicies, type PolicyContent, type PolicyText } from './bundle/policy-content.ts'
export { readPolicyFolder } from './bundle/policy-folder.ts'
export { openPolicies, type OpenPolicies, type OpenPoliciesOptions } from './bundle/open-policies.ts'
