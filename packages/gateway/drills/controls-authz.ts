import { threats } from '@breakwater/contract'
import { defineControl } from '@breakwater/drill'
import type { Control } from '@breakwater/drill'

const GUARD = 'packages/gateway/src/authorization/route-guard.ts'
const SHARED = 'packages/gateway/src/authorization/authorization.ts'

export const objectCheck: Control = defineControl({
  id: 'object-check',
  title: 'Asks the policies about the very object of a request, before anything is spent on it',
  defends: [threats.brokenObjectAuthorization],
  code: GUARD,
  configuration: ['authorization', 'routes.*.authorize.resource'],
  notCovered: 'Objects that the gateway has no entity of: they are refused here and guarded in the service.',
})

export const shareScope: Control = defineControl({
  id: 'share-scope',
  title: 'Stored, shared and replayed answers belong to one caller',
  defends: [threats.brokenObjectAuthorization],
  code: 'packages/gateway/src/exchange/shared-key.ts',
  configuration: ['authorization'],
  notCovered: 'Public routes, on which answers are shared by everybody.',
})

export const actionCheck: Control = defineControl({
  id: 'action-check',
  title: 'Asks for the action that the route declares for the method',
  defends: [threats.brokenFunctionAuthorization],
  code: GUARD,
  configuration: ['authorization', 'routes.*.authorize.action'],
  notCovered: 'Several functions behind one method and path.',
})

export const spelling: Control = defineControl({
  id: 'spelling',
  title: 'Refuses a path that a lenient server would take for that of another route',
  defends: [threats.authorizationBypass],
  code: GUARD,
  configuration: ['authorization'],
  notCovered: 'Rewrites inside a service that fold more than case, escapes, slashes, dots and parameters.',
})

export const stripClaims: Control = defineControl({
  id: 'strip-claims',
  title: 'Removes override fields and claims from outside',
  defends: [threats.authorizationBypass, threats.forgedIdentity],
  code: GUARD,
  configuration: ['authorization', 'authorization.identity.stripHeaders'],
  notCovered: 'Names of a house of its own, until they stand in stripHeaders.',
})

export const upgradeList: Control = defineControl({
  id: 'upgrade-list',
  title: 'Hands a connection over to the protocols of the route and no other, never to HTTP/2',
  defends: [threats.authorizationBypass],
  code: 'packages/gateway/src/exchange/upstream-request.ts',
  configuration: ['routes.*.upgrade.protocols'],
  notCovered: 'What is said inside a WebSocket that a route allows: the service decides on that.',
})

export const identify: Control = defineControl({
  id: 'identify',
  title: 'Believes signed tokens and nothing else',
  defends: [threats.forgedIdentity],
  code: GUARD,
  configuration: ['authorization.identity'],
  notCovered: 'Stolen tokens, until they expire.',
})

export const workloadCheck: Control = defineControl({
  id: 'workload-check',
  title: 'Decides on the pair of workload and user',
  defends: [threats.overPoweredService],
  code: GUARD,
  configuration: ['authorization', 'routes.*.authorize.context'],
  notCovered: 'Calls between services that do not pass through the gateway.',
})

export const failClosed: Control = defineControl({
  id: 'fail-closed',
  title: 'What cannot be decided is denied',
  defends: [threats.panicInCheck, threats.policyEngineDown],
  code: GUARD,
  configuration: ['authorization.mode'],
  notCovered: 'Availability of guarded routes while nobody can decide.',
})

export const liveEntities: Control = defineControl({
  id: 'live-entities',
  title: 'Looks roles up at every decision',
  defends: [threats.stalePermission],
  code: SHARED,
  configuration: ['authorization'],
  notCovered: 'What has begun before the change: see access-watch.',
})

export const accessWatch: Control = defineControl({
  id: 'access-watch',
  title:
    'Asks again about tunnels and streams when entities or policies change, and cuts what is no longer allowed',
  defends: [threats.stalePermission],
  code: 'packages/gateway/src/authorization/access-watch.ts',
  configuration: ['authorization'],
  notCovered: 'Answers of known length up to 64 KiB, and uploads: they are finished.',
})

export const acceptOnly: Control = defineControl({
  id: 'accept-only',
  title: 'Reads named fields from a body, never a role, an owner or a tenant',
  defends: [threats.roleFromBody],
  code: 'packages/authz/src/guard/accept-only.ts',
  configuration: [],
  notCovered: 'Handlers that read the body themselves.',
})

export const objectGuard: Control = defineControl({
  id: 'object-guard',
  title: 'Hands a handler the object that was decided on, and never an id',
  defends: [threats.brokenObjectAuthorization],
  code: 'packages/authz/src/guard/guard.ts',
  configuration: [],
  notCovered: 'Handlers that look up further objects by themselves.',
})

export const listGuard: Control = defineControl({
  id: 'list-guard',
  title: 'Makes what may be seen a condition of the query, counts included',
  defends: [threats.listLeak],
  code: 'packages/authz/src/guard/list-guard.ts',
  configuration: [],
  notCovered: 'Policies that cannot become a condition: they are refused by name.',
})

export const redaction: Control = defineControl({
  id: 'redaction',
  title: 'Leaves out of the answers of a service what its caller may not see: fields and rows',
  defends: [threats.excessiveAnswer],
  code: 'packages/gateway/src/authorization/redaction/redaction.ts',
  configuration: ['authorization', 'routes.*.authorize.answer'],
  notCovered:
    'Routes that do not ask for it, counts and pages that the service makes, and names that its callers choose.',
})

export const decisionLog: Control = defineControl({
  id: 'decision-log',
  title: 'Every decision stands in a hash-chained log before it is acted on',
  defends: [threats.decisionTampering],
  code: SHARED,
  configuration: ['authorization.decisionLog'],
  notCovered: 'A log that is rewritten as a whole when no seal was kept elsewhere.',
})

export const signedBundles: Control = defineControl({
  id: 'signed-bundles',
  title: 'Takes policies that are signed, and never older ones than before',
  defends: [threats.policyRollback],
  code: 'packages/gateway/src/authorization/bundle-point.ts',
  configuration: ['authorization.bundle', 'authorization.trustedKeys'],
  notCovered: 'What the newest policies say.',
})

export const refundTotal: Control = defineControl({
  id: 'refund-total',
  title:
    'Keeps the sum of refunds on the invoice, lets the policies limit the sum, and writes what was decided on or nothing',
  defends: [threats.limitInSlices],
  code: 'examples/shop/src/billing/billing-store.ts',
  configuration: [],
  notCovered: 'Many invoices, each up to the limit: that takes a limit for a person and a time.',
})

/** The controls of authorization. */
export const authzControls: readonly Control[] = [
  objectCheck,
  shareScope,
  actionCheck,
  spelling,
  stripClaims,
  upgradeList,
  identify,
  workloadCheck,
  failClosed,
  liveEntities,
  accessWatch,
  acceptOnly,
  objectGuard,
  listGuard,
  redaction,
  decisionLog,
  signedBundles,
  refundTotal,
]
