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
  code: 'packages/gateway/src/exchange/attempts.ts',
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

export const backoff: Control = defineControl({
  id: 'backoff',
  title: 'Waits of random length before each new try',
  defends: [threats.thunderingHerd],
  code: 'packages/gateway/src/exchange/attempts.ts',
  configuration: ['routes.*.retry.backoff'],
  notCovered: 'Clients that come back by themselves, all at once.',
})

export const coalesce: Control = defineControl({
  id: 'coalesce',
  title: 'Equal reads in flight share one call',
  defends: [threats.thunderingHerd],
  code: 'packages/gateway/src/exchange/sharing.ts',
  configuration: ['routes.*.coalesce'],
  notCovered: 'Reads that differ, and personal answers.',
})

export const slowStart: Control = defineControl({
  id: 'slow-start',
  title: 'Who comes back gets its share little by little',
  defends: [threats.thunderingHerd],
  code: 'packages/gateway/src/upstream/upstream.ts',
  configuration: ['upstreams.*.slowStart'],
  notCovered: 'An upstream of one endpoint: there is nobody else to take the rest.',
})

export const shed: Control = defineControl({
  id: 'shed',
  title: 'The least important work is refused first, and early',
  defends: [threats.overload],
  code: 'packages/gateway/src/upstream/capacity.ts',
  configuration: ['shed'],
  notCovered: 'Overload by the most important work alone: some of it is refused too.',
})

export const adaptiveLimit: Control = defineControl({
  id: 'adaptive-limit',
  title: 'As many calls in flight as help',
  defends: [threats.overload],
  code: 'packages/gateway/src/upstream/capacity.ts',
  configuration: ['upstreams.*.adaptiveLimit'],
  notCovered: 'The first moments, until enough answers were measured.',
})

export const clientThrottle: Control = defineControl({
  id: 'client-throttle',
  title: 'What would be refused over there is refused here',
  defends: [threats.overload],
  code: 'packages/gateway/src/exchange/attempts.ts',
  configuration: ['upstreams.*.clientThrottle'],
  notCovered: 'An upstream that hangs instead of refusing is noticed only after a grace time.',
})

export const retry: Control = defineControl({
  id: 'retry',
  title: 'What is safe to repeat is tried again elsewhere',
  defends: [threats.transientFault],
  code: 'packages/gateway/src/exchange/attempts.ts',
  configuration: ['routes.*.retry'],
  notCovered: 'Writes without a key; answers that broke off in the middle.',
})

export const perTryTimeout: Control = defineControl({
  id: 'per-try-timeout',
  title: 'No try uses up the time of the next',
  defends: [threats.brokenEndpoint],
  code: 'packages/gateway/src/exchange/attempt.ts',
  configuration: ['routes.*.perTryTimeout'],
  notCovered: 'An answer that begins in time and then stops.',
})

export const outlierEjection: Control = defineControl({
  id: 'outlier-ejection',
  title: 'A server that fails much is left out for a while',
  defends: [threats.brokenEndpoint],
  code: 'packages/gateway/src/exchange/attempt.ts',
  configuration: ['upstreams.*.outlierEjection'],
  notCovered: 'Faults that all servers share: at most half of them are ever left out.',
})

export const healthCheck: Control = defineControl({
  id: 'health-check',
  title: 'Servers are asked whether they live',
  defends: [threats.brokenEndpoint],
  code: 'packages/gateway/src/upstream/health-check.ts',
  configuration: ['upstreams.*.healthCheck'],
  notCovered: 'A server that answers its check and fails its work.',
})

export const hedge: Control = defineControl({
  id: 'hedge',
  title: 'A second try when the first is unusually slow',
  defends: [threats.tailLatency],
  code: 'packages/gateway/src/exchange/hedging.ts',
  configuration: ['routes.*.hedge'],
  notCovered: 'Writes, and slowness that all servers share.',
})

export const rateLimit: Control = defineControl({
  id: 'rate-limit',
  title: 'So many requests for each key, and no more',
  defends: [threats.noisyNeighbour],
  code: 'packages/gateway/src/plan/stages.ts',
  configuration: ['routes.*.rateLimit'],
  notCovered: 'One attacker with many keys.',
})

export const overloadManager: Control = defineControl({
  id: 'overload-manager',
  title: 'A process in trouble refuses what matters least',
  defends: [threats.processExhaustion],
  code: 'packages/gateway/src/plan/stages.ts',
  configuration: ['overload'],
  notCovered: 'Memory that is taken faster than the interval between two looks.',
})

export const drain: Control = defineControl({
  id: 'drain',
  title: 'Answers under way are finished before the end',
  defends: [threats.abruptStop],
  code: 'packages/gateway/src/gateway.ts',
  configuration: ['drain.timeout'],
  notCovered: 'Streams that outlive the limit; SIGKILL.',
})

export const tenantFairness: Control = defineControl({
  id: 'tenant-fairness',
  title: 'Under overload, those who send most are refused first',
  defends: [threats.noisyNeighbour],
  code: 'packages/gateway/src/upstream/controls.ts',
  configuration: ['shed.tenantFairness'],
  notCovered: 'More greedy tenants than there are buckets: those who share one share its fate.',
})
