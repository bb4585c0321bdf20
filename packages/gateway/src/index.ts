/**
 * The data plane: routes compiled to flat plans, every control in its place, over real sockets or a simulated network.
 *
 * @module
 */

export { Gateway } from './gateway.ts'
export type { GatewayDeps } from './gateway.ts'
export { authorizationAlarm, authorizationFailed } from './authorization/authorization.ts'
export type { LiveEntities } from './authorization/authorization.ts'
export type { AuthZenCall } from './authorization/authzen.ts'
export type { BundleState } from './authorization/bundle-point.ts'
export type { DecisionPoint, DecisionRecorder } from './authorization/decision-point.ts'
export { TestIssuer } from './authorization/test-issuer.ts'
export { openTestIssuer } from './authorization/test-issuer-keys.ts'
export type { TestClaims } from './authorization/test-issuer.ts'
export { errors } from './errors.ts'
export { openProcessReadings } from './overload-readings.ts'
export type { EndpointStatus, GatewayStatus, ListenerStatus, RouteStatus, UpstreamStatus } from './status.ts'
