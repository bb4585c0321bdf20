import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { formatProblem, resolveObject } from '@breakwater/contract'
import type { ConfigInput } from '@breakwater/contract'
import { Gateway, TestIssuer } from '@breakwater/gateway'
import type { GatewayDeps } from '@breakwater/gateway'
import type { RequestHead } from '@breakwater/http'

import { BARE_ROUTE, BARE_UPSTREAM, GATEWAY_PORT } from '../lab/config.ts'
import { RawClient } from '../lab/raw-client.ts'
import { SimService } from '../lab/service.ts'
import { statusOf } from '../lab/visitors.ts'
import { SERVICE_PORT } from '../lab/world.ts'
import type { SimWorld } from '../lab/world.ts'
import { OBJECTS, PEOPLE, POLICIES, SCHEMA, entitiesJson } from './policies.ts'
import type { Person } from './policies.ts'

type RouteInput = ConfigInput['routes'][string]
type AuthorizationInput = Exclude<ConfigInput['authorization'], false | undefined>

/** When the virtual clock stands at 0. Milliseconds since 1970. */
export const EPOCH_MS = 1_800_000_000_000

const { issuer } = TestIssuer.create()
const OF_TENANT: readonly ('workload' | 'tenant')[] = ['workload', 'tenant']

const object = (path: string, action: Readonly<Record<string, string>>, type: string): RouteInput => ({
  match: { path },
  upstream: 'shop',
  ...BARE_ROUTE,
  authorize: {
    action,
    resource: { type, id: '{id}' },
    context: [...OF_TENANT],
    notFound: true,
    obligations: ['mask'],
  },
})

/** Every door of the simulated shop. */
export const ROUTES: Readonly<Record<string, RouteInput>> = {
  storefront: { match: { path: '/*' }, upstream: 'shop', ...BARE_ROUTE, public: ['GET', 'HEAD', 'POST'] },
  order: object('/orders/{id}', { GET: 'viewOrder', DELETE: 'cancelOrder' }, 'Order'),
  invoice: object('/invoices/{id}', { GET: 'viewInvoice' }, 'Invoice'),
  refund: object('/invoices/{id}/refund', { POST: 'refund' }, 'Invoice'),
  user: object('/users/{id}', { GET: 'viewUser', PATCH: 'editUser' }, 'User'),
  'tenant-orders': object('/tenants/{id}/orders', { GET: 'listOrders' }, 'Tenant'),
  admin: {
    match: { path: '/admin/*' },
    upstream: 'shop',
    ...BARE_ROUTE,
    authorize: {
      action: { GET: 'watch', POST: 'administer' },
      resource: { type: 'Shop', id: 'main' },
    },
  },
}

export interface ShopOptions {
  /** What differs in the section `authorization`; `false` switches it off. */
  readonly authorization?: Partial<AuthorizationInput> | false
  readonly routes?: Readonly<Record<string, RouteInput>>
  /** Besides the shop's. */
  readonly upstreams?: ConfigInput['upstreams']
  readonly deps?: Partial<GatewayDeps>
  readonly policies?: string
  /** Where the policies come from instead of the folder. */
  readonly policySource?: Pick<AuthorizationInput, 'policies' | 'bundle' | 'trustedKeys' | 'staleAfter'>
  /** Mean time of the service for a request. Milliseconds. Default 1. */
  readonly serviceMs?: number
}

/** One answer, and whether the service behind has worked for it. */
export interface ShopAnswer {
  readonly status: number
  readonly text: string
}

/** Who asks, and what they say besides. */
export interface Asker {
  readonly person?: Person
  readonly workload?: string
  readonly fields?: readonly string[]
}

/** What the service behind the gateway was asked to do. */
export interface Deed {
  readonly method: string
  readonly path: string
  readonly fields: RequestHead['fields']
}

/**
 * A shop whose service checks nothing, as services do that rely on their gateway. It reads paths and methods as leniently as
 * frameworks do: any case, doubled and closing slashes, override fields.
 */
export class Shop {
  /** The key of the test issuer. */
  static readonly publicKey: string = issuer.publicKey
  readonly deeds: Deed[] = []
  readonly gateway: Gateway
  readonly folder: string
  readonly #world: SimWorld

  private constructor(world: SimWorld, gateway: Gateway, folder: string) {
    this.#world = world
    this.gateway = gateway
    this.folder = folder
  }

  static async open(world: SimWorld, options: ShopOptions = {}): Promise<Shop> {
    const folder = mkdtempSync(join(tmpdir(), 'breakwater-shop-'))
    try {
      return await Shop.#openIn(folder, world, options)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  static async #openIn(folder: string, world: SimWorld, options: ShopOptions): Promise<Shop> {
    writeFileSync(join(folder, 'shop.cedar'), options.policies ?? POLICIES)
    writeFileSync(join(folder, 'shop.cedarschema'), SCHEMA)
    writeFileSync(join(folder, 'entities.json'), entitiesJson())
    const resolved = resolveObject(configOf(folder, options), { file: 'the configuration of a drill' })
    if (!resolved.ok) throw new Error(resolved.error.map(formatProblem).join('\n'))
    let shop: Shop | undefined
    await SimService.open(world, {
      name: 'shop',
      workers: 100,
      serviceMs: options.serviceMs ?? 1,
      effect: (request) => shop?.serve(request) ?? '',
    })
    const gateway = await Gateway.open(resolved.value.config, {
      driver: world.host('gateway'),
      random: world.luck('gateway'),
      seed: 1,
      epochMs: () => EPOCH_MS + world.clock.now(),
      ...options.deps,
    })
    shop = new Shop(world, gateway, folder)
    return shop
  }

  /** What the service does without asking who wants it. */
  serve({ method, path, fields }: RequestHead): string {
    const target = (fields.get('x-original-url') ?? fields.get('x-rewrite-url') ?? path)
      .toLowerCase()
      .replaceAll(/\/+/g, '/')
      .replace(/(?<=.)\/$/, '')
    const verb = fields.get('x-http-method-override') ?? fields.get('x-method-override') ?? method
    this.deeds.push({ method: verb, path: target, fields })
    return JSON.stringify({ did: `${verb} ${target}`, for: fields.get('x-authenticated-user') })
  }

  /** Sends one request as bytes and waits for its answer. */
  async send(request: string): Promise<ShopAnswer> {
    const [answer = { status: 0, text: '' }] = await this.sendAll([request])
    return answer
  }

  /** Sends requests at the same moment, each on a connection of its own. */
  async sendAll(requests: readonly string[]): Promise<readonly ShopAnswer[]> {
    const clients = requests.map((request) => {
      const client = RawClient.open(this.#world, 'attacker', { host: 'gateway', port: GATEWAY_PORT })
      client.write(request)
      return client
    })
    await this.#world.run(750) // a record is written between two breaths of the world
    return clients.map((client) => {
      client.close()
      return { status: statusOf(client.received), text: client.received }
    })
  }

  /** Sends a request and stays: the answer may never end. */
  stay(request: string): RawClient {
    const client = RawClient.open(this.#world, 'visitor', { host: 'gateway', port: GATEWAY_PORT })
    client.write(request)
    return client
  }

  /** One request without a body, by `person` through `workload` if they are named. */
  async ask(method: string, path: string, as: Asker = {}): Promise<ShopAnswer> {
    return this.send(this.request(method, path, as))
  }

  /** The bytes of such a request. */
  request(method: string, path: string, { person, workload, fields = [] }: Asker = {}): string {
    return [
      `${method} ${path} HTTP/1.1`,
      'Host: shop',
      'Connection: close',
      ...(person === undefined ? [] : [`Authorization: Bearer ${this.token(person)}`]),
      ...(workload === undefined ? [] : [`Workload-Authorization: Bearer ${this.workloadToken(workload)}`]),
      ...fields,
      '',
      '',
    ].join('\r\n')
  }

  token(person: Person, validForMs = 3_600_000): string {
    const { tenant } = PEOPLE[person]
    return this.#sign('user', person, tenant, validForMs)
  }

  /** A token that leaves out whose tenant it is. */
  tokenWithoutTenant(person: Person): string {
    const claims = { kind: 'user', subject: person, audience: 'breakwater', validForMs: 60_000 } as const
    return issuer.sign(claims, EPOCH_MS + this.#world.clock.now())
  }

  workloadToken(workload: string, tenant = 'acme'): string {
    return this.#sign('workload', workload, tenant, 3_600_000)
  }

  async close(): Promise<void> {
    await this.gateway.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #sign(kind: 'user' | 'workload', subject: string, tenant: string, validForMs: number): string {
    return issuer.sign(
      { kind, subject, tenant, audience: 'breakwater', validForMs },
      EPOCH_MS + this.#world.clock.now(),
    )
  }
}

function configOf(
  policies: string,
  { authorization, routes, upstreams, policySource = { policies } }: ShopOptions,
): ConfigInput {
  return {
    shed: false,
    overload: false,
    admin: false,
    listeners: { main: { host: '0.0.0.0', port: GATEWAY_PORT } },
    upstreams: { shop: { endpoints: [`shop:${SERVICE_PORT}`], ...BARE_UPSTREAM }, ...upstreams },
    authorization:
      authorization === false
        ? false
        : {
            ...policySource,
            replay: 0,
            identity: { testIssuer: { publicKey: issuer.publicKey } },
            ...authorization,
          },
    routes: { ...ROUTES, ...routes },
  }
}

/** Every object of a type that is not this person's, in and outside their tenant. */
export function foreignObjects(type: keyof typeof OBJECTS, person: Person): readonly string[] {
  return Object.entries(OBJECTS[type]).flatMap(([id, [, owner]]) => (owner === person ? [] : [id]))
}
