/**
 * The data plane: routes compiled to flat plans, every control in its place, over real sockets or a simulated network.
 *
 * @module
 */

export { Gateway } from './gateway.ts'
export type { GatewayDeps } from './gateway.ts'
export { errors } from './errors.ts'
export { openProcessReadings } from './overload-readings.ts'
export type { EndpointStatus, GatewayStatus, ListenerStatus, RouteStatus, UpstreamStatus } from './status.ts'
