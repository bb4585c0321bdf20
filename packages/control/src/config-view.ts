import type { GatewayConfig } from '@breakwater/contract'

/**
 * The configuration as it may be shown: secrets are references already; a variable of a service that was written in
 * plain text may be one, so its value stays out. A limit that is off is `false`, as in the file.
 */
export function shownConfig(config: GatewayConfig): object {
  const services = config.services.map((service) => ({
    ...service,
    env: Object.fromEntries(
      Object.entries(service.env).map(([name, value]) => [name, typeof value === 'string' ? '***' : value]),
    ),
  }))
  const text = JSON.stringify({ ...config, services }, (_key, value: unknown) =>
    value === Infinity ? false : value,
  )
  return JSON.parse(text) as object
}
