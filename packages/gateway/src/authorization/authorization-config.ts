import type { GatewayConfig } from '@breakwater/contract'

/** The section `authorization` of a configuration in which it is on. */
export type AuthorizationConfig = Exclude<GatewayConfig['authorization'], { readonly mode: 'off' }>
