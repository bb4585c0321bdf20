import { z } from 'zod'

import { field } from '../fields.ts'
import { named, section } from '../section.ts'
import { authorizationSchema } from './authorization.ts'
import { listenerSchema } from './listener.ts'
import {
  adminSchema,
  drainSchema,
  overloadSchema,
  reloadSchema,
  serviceSchema,
  shedSchema,
  socketsSchema,
  stateSchema,
  telemetrySchema,
  welcomeSchema,
} from './node.ts'
import { routeSchema } from './route.ts'
import { upstreamSchema } from './upstream.ts'

/**
 * The one schema. `breakwater.yaml`, `breakwater.config.ts`, the JSON Schema for editors, the reference page and the
 * resolved types are all made from it.
 */
export const gatewaySchema = section({
  name: field(
    z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,62}$/, 'expected a word')
      .prefault('breakwater'),
    'Name of this gateway in Via fields, metrics and logs.',
    { suffix: '', kind: 'name' },
  ),
  listeners: named('Where clients come in.', listenerSchema),
  upstreams: named('Who does the work.', upstreamSchema),
  routes: named('Which request goes where.', routeSchema),
  authorization: authorizationSchema,
  shed: shedSchema,
  overload: overloadSchema,
  telemetry: telemetrySchema,
  admin: adminSchema,
  drain: drainSchema,
  reload: reloadSchema,
  state: stateSchema,
  sockets: socketsSchema,
  services: named(
    'Programs that `breakwater up` starts before it listens, and stops in reverse.',
    serviceSchema,
  ).prefault({}),
  welcome: welcomeSchema,
})

/** The names of the whole configuration's parts, for tools that read it part by part. */
export const memberSchemas = {
  listeners: listenerSchema,
  upstreams: upstreamSchema,
  routes: routeSchema,
  services: serviceSchema,
} as const

/** What a configuration file holds, before defaults and units. */
export type ConfigInput = z.input<typeof gatewaySchema>

/** Every setting with its value, units in names, `Infinity` where a limit is off. Routes: most specific first. */
export type GatewayConfig = z.output<typeof gatewaySchema>
export type ListenerConfig = GatewayConfig['listeners'][number]
export type UpstreamConfig = GatewayConfig['upstreams'][number]
export type RouteConfig = GatewayConfig['routes'][number]
export type ServiceConfig = GatewayConfig['services'][number]
