import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill, LocalLab } from '@breakwater/drill'

import { objectGuard } from '../controls-authz.ts'
import { startGateway } from './programs.ts'
import { SHOP_SERVICES, editedPolicies, startShop } from './shop.ts'
import type { RunningShop, ShopService } from './shop.ts'

type Fields = Readonly<Record<string, string>>

const CUSTOMERS: readonly (readonly [user: string, tenant: string])[] = [
  ['usr_ada', 'acme'],
  ['usr_grace', 'acme'],
  ['usr_edsger', 'globex'],
]
/** Processes through which the attackers come; `undefined` is a browser. */
const PROCESSES = [undefined, 'storefront', 'orders', 'back-office'] as const

/** What a customer has bought. */
interface Bought {
  readonly orderId: string
  readonly paymentId: string
  readonly invoiceId: string
}

/** Every door to what somebody bought: of which service, how, and with what. */
const DOORS: readonly (readonly [
  service: ShopService,
  method: string,
  path: (of: Bought) => string,
  body?: string,
])[] = [
  ['orders', 'GET', ({ orderId }) => `/orders/${orderId}`],
  ['orders', 'HEAD', ({ orderId }) => `/orders/${orderId}`],
  ['orders', 'POST', ({ orderId }) => `/orders/${orderId}/cancel`],
  ['payments', 'GET', ({ paymentId }) => `/payments/${paymentId}`],
  ['billing', 'GET', ({ invoiceId }) => `/invoices/${invoiceId}`],
  [
    'billing',
    'POST',
    ({ invoiceId }) => `/invoices/${invoiceId}/refunds`,
    '{"amountCents":1,"reason":"mine"}',
  ],
]

/** A shop for which whoever is logged in may. */
const ANYBODY_MAY = 'permit (principal, action, resource);\n'

/** The services call each other through it; it decides nothing here, so that the services stand alone. */
async function startOpenGateway(lab: LocalLab, port: number, { ports }: RunningShop): Promise<void> {
  const upstreams = SHOP_SERVICES.map((name) => [name, { endpoints: [`${lab.host}:${ports[name]}`] }])
  await startGateway(lab, {
    admin: false,
    overload: false,
    telemetry: { accessLog: false },
    listeners: { main: { host: lab.host, port } },
    upstreams: Object.fromEntries(upstreams) as Record<string, { readonly endpoints: string[] }>,
    routes: {
      storefront: { match: '/shop/*', upstream: 'storefront' },
      orders: { match: '/orders/*', upstream: 'orders' },
      payments: { match: '/payments/*', upstream: 'payments' },
      catalog: { match: '/catalog/*', upstream: 'catalog' },
      billing: { match: '/invoices/*', upstream: 'billing' },
    },
  })
}

let keys = 0

async function ask(url: string, method: string, fields: Fields, body?: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': `key-${keys++}`, ...fields }
  return fetch(url, { method, headers, ...(body !== undefined && { body }) })
}

export const objectsLocal: Drill = defineDrill({
  id: 'objects-local',
  title:
    'Customers of the real shop try the orders, payments and invoices of one another at the services themselves',
  threat: threats.brokenObjectAuthorization,
  controls: [objectGuard],
  lab: 'local',
  arrange: (lab) => ({ lab }),
  async attack({ lab }, { control }) {
    const gatewayPort = await lab.port()
    const gateway = `http://${lab.host}:${gatewayPort}`
    const policies = await editedPolicies(lab, (own) => (control === 'on' ? own : ANYBODY_MAY))
    const shop = await startShop(lab, gateway, { SHOP_POLICIES: policies })
    await startOpenGateway(lab, gatewayPort, shop)
    const knock = async (
      [service, method, path, body]: (typeof DOORS)[number],
      of: Bought,
      [user, tenant]: (typeof CUSTOMERS)[number],
      workload?: string,
    ): Promise<boolean> => {
      const fields = {
        authorization: shop.authorization(user, tenant),
        ...(workload !== undefined && { 'workload-authorization': shop.workloadAuthorization(workload) }),
      }
      const url = `http://${lab.host}:${shop.ports[service]}${path(of)}`
      return (await ask(url, method, fields, body)).ok
    }
    const bought: Bought[] = []
    for (const [user, tenant] of CUSTOMERS) {
      const fields = { authorization: shop.authorization(user, tenant), 'x-tenant-id': tenant }
      const body = '{"lines":[{"productId":"prd_mug","quantity":2}]}'
      const answer = await ask(`${gateway}/shop/checkout`, 'POST', fields, body)
      bought.push((await answer.json()) as Bought)
    }
    let [tries, reached, own] = [0, 0, 0]
    const reads = DOORS.filter(([, method]) => method !== 'POST')
    for (const [index, of] of bought.entries()) {
      for (const [other, customer] of CUSTOMERS.entries()) {
        if (other === index) {
          for (const door of reads) own += Number(await knock(door, of, customer))
          continue
        }
        for (const workload of PROCESSES) {
          for (const door of DOORS) {
            tries++
            reached += Number(await knock(door, of, customer, workload))
          }
        }
      }
    }
    return { tries, reached, own: own / (reads.length * CUSTOMERS.length) }
  },
  judge: ({ tries, reached, own }) => ({
    outcome: reached === 0 ? 'contained' : 'breached',
    because: [
      {
        name: `of ${tries} tries, those that reached something of others`,
        value: reached,
        unit: '',
        atMost: 0,
      },
    ],
    honest: [{ name: 'own things read', value: own, unit: 'ratio', atLeast: 1 }],
  }),
})
