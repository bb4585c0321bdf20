import type { Gateway } from '@breakwater/gateway'
import type { Context, Hono } from 'hono'
import { errors } from './errors.ts'

export interface AuthorizationPathsOptions {
  readonly gateway: Gateway
  /** Address of the admin API. */
  readonly ownUrl: () => string
  readonly traceOf: (context: Context) => string
}

/** Where enforcement points elsewhere ask (AuthZEN 1.0 §9, §10). */
export const AUTHZEN_PATHS = ['/.well-known/authzen-configuration', '/access/v1/*'] as const

/** Decisions for enforcement points elsewhere. The limit of bodies is that of its own settings. */
export function mountAuthZen(app: Hono, { gateway, ownUrl, traceOf }: AuthorizationPathsOptions): void {
  for (const path of AUTHZEN_PATHS) {
    app.all(path, (context) => {
      const { authZen } = gateway
      if (authZen === undefined) throw errors.BW_CONTROL_SWITCHED_OFF('authorization.authzen is off')
      return authZen(context.req.raw, { address: ownUrl(), traceId: traceOf(context) })
    })
  }
}
