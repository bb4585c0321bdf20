import type { Gateway } from '@breakwater/gateway'
import type { Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { errors } from './errors.ts'

export interface AuthorizationPathsOptions {
  readonly gateway: Gateway
  /** Address of the admin API. */
  readonly ownUrl: () => string
  readonly traceOf: (context: Context) => string
}

/** Where signed policies are pushed to and looked at. */
export const BUNDLE_PATH = '/authorization/bundle'

const MAX_BUNDLE_BYTES = 8 * 1024 * 1024
const NO_STORE = { 'cache-control': 'no-store' } as const

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

/** Signed policies as they are, and newer ones to take over. The signature says who may: an older or foreign one changes nothing. */
export function mountBundle(app: Hono, gateway: Gateway): void {
  app.get(BUNDLE_PATH, (context) => {
    const { bundle } = gateway
    return bundle === undefined ? noBundle() : context.json(bundle, 200, NO_STORE)
  })
  const onError = (): never => {
    throw errors.BW_CONTROL_BODY_TOO_LARGE(`the bundle has more than ${MAX_BUNDLE_BYTES} bytes`)
  }
  app.put(BUNDLE_PATH, bodyLimit({ maxSize: MAX_BUNDLE_BYTES, onError }), async (context) => {
    const event = await gateway.pushBundle(new Uint8Array(await context.req.arrayBuffer()))
    if (event === undefined) return noBundle()
    if (event.kind !== 'refused') return context.json({ kind: event.kind, ...gateway.bundle }, 200, NO_STORE)
    const { code, message } = event.error
    // That it cannot be kept is our fault, everything else is the bundle's.
    if (code === 'BW_AUTHZ_BUNDLE_UNSTORED') throw event.error
    throw errors.BW_CONTROL_BUNDLE_REFUSED(message, { details: { reason: code }, cause: event.error })
  })
  app.all(BUNDLE_PATH, () => {
    throw errors.BW_CONTROL_METHOD_NOT_ALLOWED('this path takes GET, HEAD, PUT only', {
      details: { allow: 'GET, HEAD, PUT' },
    })
  })
}

function noBundle(): never {
  throw errors.BW_CONTROL_SWITCHED_OFF(
    'the policies do not come from a bundle: authorization.bundle is not set',
  )
}
