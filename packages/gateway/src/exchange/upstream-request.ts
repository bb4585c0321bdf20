import { requestFraming } from '@breakwater/http'
import type { RequestInit } from '@breakwater/http'
import { encodeDeadline } from '@breakwater/resilience/machines'
import type { Exchange } from './exchange.ts'

/**
 * The request as the upstream gets it: re-serialised from what was parsed, with this hop's fields.
 * - upgrade-list: it may only leave HTTP for a protocol of the route. In a tunnel of HTTP/2 (h2c) nobody would decide on requests.
 */
export function upstreamRequest(exchange: Exchange, nowMs: number): RequestInit {
  const { inbound, plan, identity, path, listener } = exchange
  const { request } = inbound
  const fields = listener.forwarding.requestFields(inbound)
  plan.guard?.writeFields(fields, exchange)
  if (plan.deadlineHeader !== undefined) {
    const left = encodeDeadline(exchange.deadlineMs, nowMs)
    if (left === undefined) fields.delete(plan.deadlineHeader)
    else fields.put(plan.deadlineHeader, left)
  }
  const { method, upgrade } = request
  const target = request.query === undefined ? path : `${path}?${request.query}`
  const authority = request.authority === '' ? exchange.attempts.upstream.name : request.authority
  return {
    method,
    target,
    authority,
    fields,
    ownLines: listener.forwarding.hopLines(inbound) + identity.lines,
    framing: requestFraming(request),
    upgrade: upgrade !== undefined && plan.upgradeProtocols.has(upgrade) ? upgrade : undefined,
  }
}
