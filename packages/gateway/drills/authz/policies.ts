/** The rules of the simulated shop: roles, owners, tenants, and what each process is for. */
export const POLICIES = `
@id("customers-see-their-own")
permit (principal in Role::"customer", action in [Action::"viewOrder", Action::"viewInvoice", Action::"cancelOrder"], resource)
when { resource.owner == principal };

@id("customers-edit-themselves")
permit (principal is User, action in [Action::"viewUser", Action::"editUser"], resource)
when { resource == principal };

@id("support-sees-the-tenant")
@obligation_mask("card")
permit (principal in Role::"support", action in [Action::"viewOrder", Action::"viewInvoice", Action::"listOrders"], resource);

@id("admins-refund")
permit (principal in Role::"billing-admin", action in [Action::"refund", Action::"viewInvoice", Action::"listOrders"], resource);

@id("operators-run-the-shop")
permit (principal in Role::"operator", action in [Action::"administer", Action::"watch"], resource);

@id("reporting-reads")
permit (principal == Workload::"reporting", action in [Action::"viewInvoice", Action::"listOrders"], resource);

@id("only-ones-own-tenant")
forbid (principal, action in Action::"ofTenant", resource)
unless { resource.tenant == context.tenant };

@id("users-stay-in-their-tenant")
forbid (principal is User, action in Action::"ofTenant", resource)
unless { principal.tenant == context.tenant };

@id("refunds-only-through-billing")
forbid (principal, action == Action::"refund", resource)
unless { context.workload in Duty::"refunds" };
`

export const SCHEMA = `
entity Role, Duty;
entity Tenant = { tenant: Tenant };
entity User in [Role] = { tenant: Tenant };
entity Workload in [Duty];
entity Order = { tenant: Tenant, owner: User };
entity Invoice = { tenant: Tenant, owner: User };
entity Shop;
type Call = { workload: Workload, tenant: Tenant };
action ofTenant;
action viewOrder, cancelOrder in [ofTenant] appliesTo { principal: [User, Workload], resource: [Order], context: Call };
action viewInvoice, refund in [ofTenant] appliesTo { principal: [User, Workload], resource: [Invoice], context: Call };
action listOrders in [ofTenant] appliesTo { principal: [User, Workload], resource: [Tenant], context: Call };
action viewUser, editUser in [ofTenant] appliesTo { principal: [User], resource: [User], context: Call };
action administer, watch appliesTo { principal: [User], resource: [Shop], context: { workload: Workload } };
`

const uid = (type: string, id: string): { readonly type: string; readonly id: string } => ({ type, id })

/** Who is who, in two tenants. */
export const PEOPLE = {
  ada: { tenant: 'acme', roles: ['customer'] },
  grace: { tenant: 'acme', roles: ['customer'] },
  edsger: { tenant: 'globex', roles: ['customer'] },
  sue: { tenant: 'acme', roles: ['support'] },
  bill: { tenant: 'acme', roles: ['billing-admin'] },
  olga: { tenant: 'acme', roles: ['operator'] },
} as const

export type Person = keyof typeof PEOPLE

/** Whose each object is. */
export const OBJECTS = {
  Order: { o1: ['acme', 'ada'], o2: ['acme', 'grace'], o3: ['globex', 'edsger'] },
  Invoice: { i1: ['acme', 'ada'], i2: ['acme', 'grace'], i3: ['globex', 'edsger'] },
} as const

/** The entities in Cedar's JSON format. */
export function entitiesJson(): string {
  const tenants = ['acme', 'globex'].map((id) => ({
    uid: uid('Tenant', id),
    attrs: { tenant: uid('Tenant', id) },
  }))
  const people = Object.entries(PEOPLE).map(([id, { tenant, roles }]) => ({
    uid: uid('User', id),
    attrs: { tenant: uid('Tenant', tenant) },
    parents: roles.map((role) => uid('Role', role)),
  }))
  const objects = Object.entries(OBJECTS).flatMap(([type, byId]) =>
    Object.entries(byId).map(([id, [tenant, owner]]) => ({
      uid: uid(type, id),
      attrs: { tenant: uid('Tenant', tenant), owner: uid('User', owner) },
    })),
  )
  const workloads = [
    { uid: uid('Workload', 'browser') },
    { uid: uid('Workload', 'reporting') },
    { uid: uid('Workload', 'billing'), parents: [uid('Duty', 'refunds')] },
  ]
  const rest = [
    ...['customer', 'support', 'billing-admin', 'operator'].map((id) => ({ uid: uid('Role', id) })),
    { uid: uid('Duty', 'refunds') },
    { uid: uid('Shop', 'main') },
  ]
  return JSON.stringify([...tenants, ...people, ...objects, ...workloads, ...rest])
}
