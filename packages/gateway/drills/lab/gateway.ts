import { Gateway } from '@breakwater/gateway'
import type { GatewayDeps } from '@breakwater/gateway'

import { GATEWAY_PORT, drillConfig } from './config.ts'
import type { DrillConfig } from './config.ts'
import type { SimWorld } from './world.ts'

/**
 * The gateway under test on a host of its own; from now on every request for one of its services goes through it. Close
 * it at the end of the run: `lab.defer(() => gateway.close())`.
 */
export async function openGateway(
  world: SimWorld,
  options: DrillConfig,
  host = 'gateway',
  deps: Pick<GatewayDeps, 'readOverload'> = {},
): Promise<Gateway> {
  const random = world.luck(host)
  const gateway = await Gateway.open(drillConfig(options), {
    driver: world.host(host),
    random,
    seed: Math.floor(random() * 2 ** 32),
    ...deps,
  })
  for (const service of Object.keys(options.services))
    world.routeThrough(service, { host, port: GATEWAY_PORT })
  return gateway
}
