import { requestFraming } from '@breakwater/http'
import type { RequestInit } from '@breakwater/http'
import { encodeDeadline } from '@breakwater/resilience/machines'
import type { Exchange } from './exchange.ts'

/** The request as the upstream gets it: re-serialised from what was parsed, with this hop's fields. */
export function upstreamRequest(exchange: Exchange, nowMs: number): RequestInit {
  const { inbound, plan, identity, path, listener } = exchange
  const { request } = inbound
  const fields = listener.forwarding.requestFields(inbound)
  identity.write(fields)
  plan.guard?.writeFields(fields, exchange)
  if (plan.deadlineHeader !== undefined) {
    const left = encodeDeadline(exchange.deadlineMs, nowMs)
    if (left === undefined) fields.delete(plan.deadlineHeader)
    else fields.set(plan.deadlineHeader, left)
  }
  const mayUpgrade = request.upgrade !== undefined && plan.upgradeProtocols.has(request.upgrade)
  return {
    method: request.method,
    target: request.query === undefined ? path : `${path}?${request.query}`,
    authority: request.authority === '' ? exchange.upstream.name : request.authority,
    fields,
    framing: requestFraming(request),
    ...(mayUpgrade && request.upgrade !== undefined ? { upgrade: request.upgrade } : undefined),
  }
}
