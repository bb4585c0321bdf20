import { createHash, timingSafeEqual } from 'node:crypto'

import type { MiddlewareHandler } from 'hono'
import { errors } from './errors.ts'
import { isLoopbackHostField } from './loopback.ts'

/**
 * Refuses whom a browser might have sent: a Host field that is no loopback name (DNS rebinding) and a page of another
 * origin (cross-site request forgery). Neither needs a token to do harm.
 */
export const refuseBrowsersOfOthers: MiddlewareHandler = async (context, next) => {
  const host = context.req.header('host')
  if (!isLoopbackHostField(host)) {
    throw errors.BW_CONTROL_HOST_REFUSED(`the Host field "${(host ?? '').slice(0, 100)}" is no loopback name`)
  }
  const origin = context.req.header('origin')
  const site = context.req.header('sec-fetch-site')
  const isForeign = origin !== undefined && origin.toLowerCase() !== `http://${(host ?? '').toLowerCase()}`
  if (isForeign || (site !== undefined && site !== 'same-origin' && site !== 'none')) {
    throw errors.BW_CONTROL_ORIGIN_REFUSED('the request comes from a page of another origin')
  }
  await next()
}

/** Asks for the bearer token; `read` brings the right one, so that it can be changed without a restart. */
export function requireToken(read: () => string): MiddlewareHandler {
  return async (context, next) => {
    const [, given] = /^Bearer +([\x21-\x7e]+)$/i.exec(context.req.header('authorization') ?? '') ?? []
    if (given === undefined) throw errors.BW_CONTROL_TOKEN_REFUSED('the request carries no bearer token')
    // Digests have one length, so the comparison tells nothing about that of the token.
    if (!timingSafeEqual(digest(given), digest(read()))) {
      throw errors.BW_CONTROL_TOKEN_REFUSED('the bearer token is not the right one')
    }
    await next()
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
