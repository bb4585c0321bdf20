import { threats } from '@breakwater/contract'
import { defineControl } from '@breakwater/drill'
import type { Control } from '@breakwater/drill'

const LISTENER = 'packages/gateway/src/listener.ts'
const PLAN = 'packages/gateway/src/plan/route-plan.ts'

// --- slow clients

export const firstByteTimeout: Control = defineControl({
  id: 'first-byte-timeout',
  title: 'Closes connections on which nothing is said',
  defends: [threats.slowClients],
  code: LISTENER,
  configuration: ['listeners.*.timeouts.firstByte'],
  notCovered: 'Clients that say a byte and stop: the head timeout is for those.',
})

export const headTimeout: Control = defineControl({
  id: 'head-timeout',
  title: 'A head must end within its time, however its bytes are spread',
  defends: [threats.slowClients],
  code: LISTENER,
  configuration: ['listeners.*.timeouts.head'],
  notCovered: 'Attackers who reconnect faster than connections are given up.',
})

export const bodyIdleTimeout: Control = defineControl({
  id: 'body-idle-timeout',
  title: 'Gives up a body that has stopped',
  defends: [threats.slowClients],
  code: LISTENER,
  configuration: ['listeners.*.timeouts.bodyIdle'],
  notCovered: 'Bodies that trickle: the minimum rate is for those.',
})

export const minRate: Control = defineControl({
  id: 'min-rate',
  title: 'Gives up a body that arrives too slowly',
  defends: [threats.slowClients],
  code: LISTENER,
  configuration: ['listeners.*.timeouts.minRate', 'listeners.*.timeouts.minRateGrace'],
  notCovered: 'Attackers who keep just above the rate pay for it in bandwidth.',
})

export const keepAliveTimeout: Control = defineControl({
  id: 'keep-alive-timeout',
  title: 'Closes connections that ask for nothing more',
  defends: [threats.slowClients],
  code: LISTENER,
  configuration: ['listeners.*.timeouts.keepAlive'],
  notCovered: 'Clients that ask for something cheap now and then.',
})

export const writeStallTimeout: Control = defineControl({
  id: 'write-stall-timeout',
  title: 'Gives up a client that does not read its answer',
  defends: [threats.slowClients],
  code: LISTENER,
  configuration: ['listeners.*.timeouts.writeStall'],
  notCovered: 'Readers who keep just above the minimum rate.',
})

export const maxConnectionsPerAddress: Control = defineControl({
  id: 'max-connections-per-address',
  title: 'One address cannot take all connections',
  defends: [threats.slowClients],
  code: LISTENER,
  configuration: ['listeners.*.limits.maxConnectionsPerAddress'],
  notCovered: 'Attackers with many addresses; clients behind one address share its part.',
})

export const maxConnections: Control = defineControl({
  id: 'max-connections',
  title: 'The number of connections is bounded, whoever opens them',
  defends: [threats.slowClients],
  code: LISTENER,
  configuration: ['listeners.*.limits.maxConnections'],
  notCovered: 'It protects the process: while it is reached, honest clients are turned away too.',
})

// --- floods

export const maxHead: Control = defineControl({
  id: 'max-head',
  title: 'Request line and fields together are bounded: 431',
  defends: [threats.headerAndBodyFlood],
  code: LISTENER,
  configuration: ['listeners.*.limits.maxHead'],
  notCovered: 'Many connections, each below the limit: those are bounded by their number.',
})

export const maxFields: Control = defineControl({
  id: 'max-fields',
  title: 'The number of fields is bounded: 431',
  defends: [threats.headerAndBodyFlood],
  code: LISTENER,
  configuration: ['listeners.*.limits.maxFields'],
  notCovered: 'Values that are lists.',
})

export const maxFieldLine: Control = defineControl({
  id: 'max-field-line',
  title: 'One field line is bounded: 431',
  defends: [threats.headerAndBodyFlood],
  code: LISTENER,
  configuration: ['listeners.*.limits.maxFieldLine'],
  notCovered: 'Services that take less: give them a smaller limit.',
})

export const maxTarget: Control = defineControl({
  id: 'max-target',
  title: 'The request target is bounded: 414',
  defends: [threats.headerAndBodyFlood],
  code: LISTENER,
  configuration: ['listeners.*.limits.maxTarget'],
  notCovered: 'Services that take less: give them a smaller limit.',
})

export const maxBody: Control = defineControl({
  id: 'max-body',
  title: 'The body is bounded, announced or not: 413',
  defends: [threats.headerAndBodyFlood],
  code: LISTENER,
  configuration: ['listeners.*.limits.maxBody', 'routes.*.maxBody'],
  notCovered: 'What a compressed body becomes at the service that unpacks it.',
})

// --- keys

export const maxKeys: Control = defineControl({
  id: 'max-keys',
  title: 'A rate limit remembers so many keys; later ones share cells',
  defends: [threats.unboundedKeys],
  code: PLAN,
  configuration: ['routes.*.rateLimit.maxKeys'],
  notCovered: 'While the table is full, honest newcomers are limited together with the flood.',
})

export const maxEntries: Control = defineControl({
  id: 'max-entries',
  title: 'So many idempotency keys are remembered, and a tenth of them for one tenant',
  defends: [threats.unboundedKeys],
  code: PLAN,
  configuration: ['routes.*.idempotencyKey.maxEntries'],
  notCovered: 'A flood under many tenants fills the store: new keys are refused until old ones expire.',
})

export const maxSize: Control = defineControl({
  id: 'max-size',
  title: 'Stored answers take so much memory; what is asked for once goes first',
  defends: [threats.unboundedKeys],
  code: PLAN,
  configuration: ['routes.*.staleIfError.maxSize'],
  notCovered: 'Answers that honest clients asked for only once are pushed out by a flood.',
})

// --- who, where to, and where a message ends

export const trustedProxies: Control = defineControl({
  id: 'trusted-proxies',
  title: 'Forwarded fields count only from configured networks',
  defends: [threats.forgedForwardedHeaders],
  code: LISTENER,
  configuration: ['listeners.*.trustForwardedFrom'],
  notCovered: 'A trusted proxy that passes on what its own clients claim.',
})

export const keepLastGood: Control = defineControl({
  id: 'keep-last-good',
  title: 'A route or an upstream that became bad keeps its last good version',
  defends: [threats.badReload],
  code: 'packages/contract/src/config/reload.ts',
  configuration: ['reload.keepLastGood'],
  notCovered: 'A valid configuration that says the wrong thing.',
})

export const requestParser: Control = defineControl({
  id: 'request-parser',
  title: 'What two servers may read differently is refused, the rest is written anew',
  defends: [threats.requestSmuggling],
  code: 'packages/http/src/server/connection.ts',
  configuration: [],
  notCovered:
    'Disagreement between proxies in front of Breakwater; upstreams that misread unambiguous messages.',
})

/** The controls of the protocol: connections, messages, keys and configuration. */
export const protocolControls: readonly Control[] = [
  firstByteTimeout,
  headTimeout,
  bodyIdleTimeout,
  minRate,
  keepAliveTimeout,
  writeStallTimeout,
  maxConnectionsPerAddress,
  maxConnections,
  maxHead,
  maxFields,
  maxFieldLine,
  maxTarget,
  maxBody,
  maxKeys,
  maxEntries,
  maxSize,
  trustedProxies,
  keepLastGood,
  requestParser,
]
