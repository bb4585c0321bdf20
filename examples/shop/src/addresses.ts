/** The five services, in the order in which they start: each one's dependencies stand before it. */
export const serviceNames = ['catalog', 'billing', 'payments', 'orders', 'storefront'] as const

export type ServiceName = (typeof serviceNames)[number]

/** Port of each service when `PORT` is not set. `breakwater.yaml` names the same ones. */
export const defaultPorts: Readonly<Record<ServiceName, number>> = {
  storefront: 4101,
  orders: 4102,
  payments: 4103,
  catalog: 4104,
  billing: 4105,
}

/** Where the gateway of `breakwater.yaml` listens. */
export const GATEWAY_URL = 'http://127.0.0.1:8080'

/** The file that starts a service, to be run with `node --conditions=source`. */
export function serviceFile(name: ServiceName): URL {
  return new URL(`services/${name}.ts`, import.meta.url)
}
