import { defineErrors } from '@breakwater/core'
import type { ErrorCatalogue } from '@breakwater/core'

const caller = (status: number, fix: string) => ({ fault: 'caller', retry: 'never', status, fix }) as const
const upstream = (status: number, fix: string) =>
  ({ fault: 'upstream', retry: 'if-idempotent', status, fix }) as const

const specs = {
  SHOP_ROUTE_UNKNOWN: caller(404, 'Correct the path.'),
  SHOP_METHOD_NOT_ALLOWED: caller(405, 'Use a method of the Allow header.'),
  SHOP_UNAUTHENTICATED: caller(401, 'Send a token of the user in Authorization.'),
  SHOP_FORBIDDEN: caller(403, 'Ask breakwater authz explain why.'),
  SHOP_TENANT_MISSING: caller(403, 'Use a token that names a tenant.'),
  SHOP_TENANT_MISMATCH: caller(403, 'Leave x-tenant-id out, or send that of the token.'),
  SHOP_HEADER_INVALID: caller(400, 'Correct the header that the message names.'),
  SHOP_QUERY_INVALID: caller(400, 'Correct the part of the query that the message names.'),
  SHOP_BODY_TOO_LARGE: caller(413, 'Send a smaller body.'),
  SHOP_BODY_NOT_JSON: caller(400, 'Send JSON with content-type application/json.'),
  SHOP_BODY_INVALID: caller(422, 'Correct the fields that the answer lists.'),
  SHOP_FIELD_REFUSED: caller(
    422,
    'Send the declared fields only: roles, owners and tenants come from the token.',
  ),
  SHOP_NOT_FOUND: caller(404, 'Check the id and the tenant.'),
  SHOP_IDEMPOTENCY_KEY_MISSING: caller(400, 'Send an Idempotency-Key, one for each intent.'),
  SHOP_IDEMPOTENCY_KEY_REUSED: caller(422, 'Use a new Idempotency-Key for a different request.'),
  SHOP_PAYMENT_DECLINED: caller(402, 'Use another means of payment.'),
  SHOP_ORDER_SETTLED: caller(409, 'Read the order: it is not waiting for its payment any more.'),
  SHOP_REFUND_TOO_LARGE: caller(409, 'Refund at most what is left of the invoice.'),
  SHOP_REFUND_OVERTAKEN: caller(409, 'Read the invoice, then ask again with a new Idempotency-Key.'),
  SHOP_DEADLINE_EXCEEDED: upstream(504, 'Allow more time, or find out which hop is slow.'),
  SHOP_DOWNSTREAM_UNAVAILABLE: upstream(503, 'Look at the service that the message names.'),
  SHOP_WORKERS_EXHAUSTED: upstream(503, 'Find out what the workers of this service are waiting for.'),
  SHOP_CONNECTIONS_EXHAUSTED: upstream(503, 'Find out what holds the database connections of catalog.'),
  SHOP_DECISION_FAILED: upstream(503, 'Read the log of the service: its policies cannot be asked.'),
  SHOP_FAULT_INJECTED: upstream(500, 'Reset the fault with DELETE /__fault.'),
  SHOP_INTERNAL: { fault: 'upstream', retry: 'never', status: 500, fix: 'Read the log of the service.' },
} as const

/** What the shop's services answer when they do not do what was asked. */
export const errors: ErrorCatalogue<typeof specs> = defineErrors(specs)
