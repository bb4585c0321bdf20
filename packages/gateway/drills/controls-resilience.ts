import { threats } from '@breakwater/contract'
import { defineControl } from '@breakwater/drill'
import type { Control } from '@breakwater/drill'

// Each control is turned off and on by a drill through the configuration keys that are named here; taking out the call
// in `code` turns that drill red.

export const timeout: Control = defineControl({
  id: 'timeout',
  title: 'An end for every request, all tries included',
  defends: [threats.cascadingFailure],
  code: 'packages/gateway/src/plan/stages.ts',
  configuration: ['routes.*.timeout'],
  notCovered: 'The body of an answer that has begun: streams live as long as `maxDuration` lets them.',
})

export const breaker: Control = defineControl({
  id: 'breaker',
  title: 'No calls to an upstream that fails',
  defends: [threats.cascadingFailure, threats.stuckHalfOpen],
  code: 'packages/gateway/src/exchange/exchange.ts',
  configuration: ['upstreams.*.breaker'],
  notCovered: 'The calls that it takes to notice; failures that look like good answers.',
})

export const ladder: Control = defineControl({
  id: 'ladder',
  title: 'A lesser answer where the full one cannot be had',
  defends: [threats.partialFailure, threats.cascadingFailure],
  code: 'packages/gateway/src/exchange/ladder.ts',
  configuration: ['routes.*.ladder'],
  notCovered: 'What has no lesser form: a payment is made or not.',
})

export const staleIfError: Control = defineControl({
  id: 'stale-if-error',
  title: 'The last good answer while there is no new one',
  defends: [threats.partialFailure],
  code: 'packages/gateway/src/exchange/ladder.ts',
  configuration: ['routes.*.staleIfError'],
  notCovered: 'What nobody has asked for before, and what must not be old: stock, balances.',
})

export const retryBudget: Control = defineControl({
  id: 'retry-budget',
  title: 'A bound on all extra tries together',
  defends: [threats.retryStorm, threats.metastableFailure],
  code: 'packages/gateway/src/plan/route-plan.ts',
  configuration: ['upstreams.*.retryBudget'],
  notCovered: 'Clients that try again by themselves. Budgets of several hops multiply: (1 + ratio) for each.',
})

export const probeLimit: Control = defineControl({
  id: 'concurrent-probes',
  title: 'One probe at a time, until it is decided',
  defends: [threats.stuckHalfOpen],
  code: 'packages/gateway/src/upstream/controls.ts',
  configuration: ['upstreams.*.breaker.maxConcurrentProbes'],
  notCovered: 'Each gateway probes for itself: ten gateways send ten probes.',
})

export const bulkhead: Control = defineControl({
  id: 'bulkhead',
  title: 'A bounded share of what all have in common',
  defends: [threats.resourceExhaustion],
  code: 'packages/gateway/src/upstream/capacity.ts',
  configuration: ['upstreams.*.bulkhead'],
  notCovered: 'Callers in front that keep more of their own workers waiting than the bulkhead lets through.',
})

export const deadline: Control = defineControl({
  id: 'deadline',
  title: 'The caller’s deadline travels, and expired work is refused',
  defends: [threats.lostDeadline],
  code: 'packages/gateway/src/plan/stages.ts',
  configuration: ['routes.*.deadline'],
  notCovered: 'Services that do not read the field finish what they have begun.',
})

export const idempotencyKey: Control = defineControl({
  id: 'idempotency-key',
  title: 'One effect for each key',
  defends: [threats.duplicateEffect],
  code: 'packages/gateway/src/exchange/once.ts',
  configuration: ['routes.*.idempotencyKey'],
  notCovered:
    'A crash of the gateway between the effect and the record of its answer; keys that clients do not send.',
})
