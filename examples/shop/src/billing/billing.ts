import type { IncomingHttpHeaders } from 'node:http'
import { ListGuard, guard } from '@breakwater/authz/guard'
import type { GuardOptions } from '@breakwater/authz/guard'
import { z } from 'zod'
import { CURRENCY, cents, orderId, userId } from '../domain.ts'
import { requireIdempotencyKey } from '../kit/context.ts'
import { belongsTo, Decisions, tenantOf } from '../kit/decisions.ts'
import { pageOf } from '../kit/listed.ts'
import { Routes } from '../kit/routes.ts'
import type { OpenService } from '../kit/service.ts'
import { BillingStore } from './billing-store.ts'
import type { Invoice } from './billing-store.ts'

/** Only orders sends it, also by itself for somebody who is not there any more: it has to say whose the invoice is. */
const invoiceRequest = z.strictObject({ orderId, userId, amountCents: cents, currency: z.literal(CURRENCY) })
const refundRequest = z.strictObject({ amountCents: cents.min(1), reason: z.string().min(1).max(500) })

const refundKeyOf = (headers: IncomingHttpHeaders): string => requireIdempotencyKey(headers, 'a refund')

/** An invoice as the policies see it. */
const asked = (action: string): GuardOptions<Invoice> => ({
  action,
  type: 'Invoice',
  entity: ({ tenantId, owner, amountCents, refundedCents }) => ({
    attrs: { ...belongsTo(tenantId, owner), amountCents, refundedCents },
  }),
})

/** The same invoice as a row of the table. */
const visibleInvoices = new ListGuard('viewInvoice', {
  entityType: 'Invoice',
  id: 'id',
  attributes: {
    tenant: { column: 'tenant_id', type: 'entity', entityType: 'Tenant' },
    owner: { column: 'user_id', type: 'entity', entityType: 'User' },
    amountCents: { column: 'amount_cents', type: 'long' },
    refundedCents: { column: 'refunded_cents', type: 'long' },
  },
})

/** Invoices and refunds. How much may be paid back, by whom and through which process, the policies say about each one. */
export const openBilling: OpenService = (environment) => {
  const store = new BillingStore(environment)
  const viewed = asked('viewInvoice')
  const refunded: GuardOptions<Invoice> = {
    ...asked('refund'),
    hides: false, // too much is not the same as not there; what is not there reads the same
    facts: (body) => ({ amountCents: refundRequest.parse(body).amountCents }),
  }

  const decisions = new Decisions(environment)
  const routes = new Routes(decisions)
    .tenant(
      {
        method: 'POST',
        path: '/invoices',
        action: 'createInvoice',
        body: invoiceRequest,
        facts: (body) => ({ owner: { __entity: { type: 'User', id: invoiceRequest.parse(body).userId } } }),
      },
      (_tenant, { body, tenant }) => {
        const { userId: owner, ...rest } = body
        return { status: 201, body: store.invoice({ ...rest, owner, tenantId: tenant }) }
      },
    )
    .list(
      { method: 'GET', path: '/invoices', guard: visibleInvoices, each: viewed },
      (rows, { query }) => store.list(rows.where('sqlite'), pageOf(query)),
      (invoices, total) => ({ status: 200, body: { invoices, total } }),
    )
    .object(
      {
        method: 'GET',
        path: '/invoices/{id}',
        guard: guard(viewed, (id, who) => store.find(tenantOf(who), id)),
        what: 'invoice',
      },
      (invoice) => ({ status: 200, body: { ...invoice, refunds: store.refundsOf(invoice) } }),
    )
    .object(
      {
        method: 'POST',
        path: '/invoices/{id}/refunds',
        guard: ({ headers }) => {
          const key = refundKeyOf(headers)
          return guard(refunded, (id, who) => store.findForRefund(tenantOf(who), id, key))
        },
        what: 'invoice',
        body: refundRequest,
      },
      (invoice, { headers, body, caller }) => ({
        status: 201,
        body: store.refund(invoice, body, caller.user ?? caller.workload, refundKeyOf(headers)),
      }),
    )
    .count(
      { method: 'GET', path: '/reports/invoices', guard: visibleInvoices, action: 'report' },
      (rows) => ({ status: 200, body: store.report(rows.where('sqlite')) }),
    )

  return {
    close() {
      store.close()
      decisions.close()
    },
    routes: routes.all,
  }
}
