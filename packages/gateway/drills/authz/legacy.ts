import { threats } from '@breakwater/contract'
import type { ConfigInput } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { ControlState, Drill } from '@breakwater/drill'
import { FieldList, HttpServer } from '@breakwater/http'
import type { ServerExchange } from '@breakwater/http'

import { redaction } from '../controls-authz.ts'
import { BARE_ROUTE, BARE_UPSTREAM } from '../lab/config.ts'
import { SERVICE_PORT } from '../lab/world.ts'
import type { SimWorld } from '../lab/world.ts'
import { arrange, honestLimit, honestRatio } from './play.ts'
import { PEOPLE, POLICIES } from './policies.ts'
import type { Person } from './policies.ts'
import { Shop } from './shop.ts'

type RouteInput = ConfigInput['routes'][string]
type Authorize = NonNullable<RouteInput['authorize']>

/** Customers may list, support too: what of it they may see is asked about each row. */
const LISTS = `
@id("customers-list")
permit (principal in Role::"customer", action == Action::"listOrders", resource);
`

interface LegacyOrder {
  readonly id: string
  readonly tenant: string
  readonly owner: Person
  readonly card: string
}

/** None of them is known to the gateway. */
const ORDERS: readonly LegacyOrder[] = (['ada', 'grace', 'edsger'] as const).flatMap((owner) =>
  Array.from({ length: 5 }, (_, index) => ({
    id: `${owner}-${index}`,
    tenant: PEOPLE[owner].tenant,
    owner,
    card: `4111-${owner}-${index}`,
  })),
)

/** Never heard of policies: gives everybody everything. */
function serveAll(exchange: ServerExchange): void {
  const body = Buffer.from(JSON.stringify({ orders: ORDERS, total: ORDERS.length }))
  const fields = FieldList.from([
    ['content-type', 'application/json'],
    ['etag', '"all"'],
    ['x-total-count', String(ORDERS.length)],
  ])
  exchange.sendHead(200, fields, { kind: 'length', bytes: body.length })
  exchange.sendData(body)
  exchange.sendEnd()
}

/** Listens on the host `legacy`. */
export async function openLegacy(
  world: SimWorld,
  serve: (exchange: ServerExchange) => void = serveAll,
): Promise<void> {
  const onRequest = (exchange: ServerExchange): void => {
    exchange.readBody({ onData() {}, onEnd: () => serve(exchange), onAbort() {} })
  }
  await HttpServer.open(world.host('legacy'), { host: 'legacy', port: SERVICE_PORT }, { onRequest })
}

/** Options of a shop with a legacy service at `/legacy/{id}`. */
export function legacyShop(
  authorize: Partial<Authorize>,
  more: Partial<RouteInput> = {},
): NonNullable<Parameters<typeof Shop.open>[1]> {
  return {
    policies: POLICIES + LISTS,
    upstreams: { legacy: { endpoints: [`legacy:${SERVICE_PORT}`], ...BARE_UPSTREAM } },
    routes: {
      legacy: {
        match: { path: '/legacy/{id}' },
        upstream: 'legacy',
        ...BARE_ROUTE,
        ...more,
        authorize: {
          action: { GET: 'listOrders', POST: 'listOrders', PUT: 'listOrders' },
          resource: { type: 'Tenant', id: '{id}' },
          context: ['workload', 'tenant'],
          ...authorize,
        },
      },
    },
  }
}

/** By the gateway itself; or as it is usually done: the service is told, and nobody looks whether it does it. */
const settings = (control: ControlState): Partial<Authorize> =>
  control === 'on'
    ? { answer: { rows: { list: 'orders', type: 'Order', action: 'viewOrder', count: 'total' } } }
    : { obligations: ['mask'] }

/** What somebody got to see in an answer that they may not. */
function lookedAt(person: Person, text: string): { readonly foreign: number; readonly own: number } {
  const body = /\{.*\}/s.exec(text)?.[0] ?? '{}'
  const { orders = [], total = 0 } = JSON.parse(body) as {
    readonly orders?: readonly Partial<LegacyOrder>[]
    readonly total?: number
  }
  const isSupport = person === 'sue'
  const isOwn = ({ owner, tenant }: LegacyOrder): boolean =>
    isSupport ? tenant === PEOPLE[person].tenant : owner === person
  const mine = ORDERS.filter(isOwn)
  const isShown = (order: LegacyOrder): boolean =>
    orders.some(({ id, card }) => id === order.id && (isSupport || card === order.card))
  const seen = orders.filter(({ id }) => !mine.some((order) => order.id === id)).length
  const cards = isSupport ? orders.filter(({ card }) => card !== undefined).length : 0
  const counted = Math.max(0, total - mine.length) + (/^x-total-count/im.test(text) ? 1 : 0)
  return { foreign: seen + cards + counted, own: mine.filter(isShown).length / mine.length }
}

export const legacyAnswers: Drill = defineDrill({
  id: 'legacy-answers',
  title: 'A service that knows nothing of policies answers with everything it has',
  threat: threats.excessiveAnswer,
  controls: [redaction],
  lab: 'sim',
  arrange,
  async attack({ lab, world }, { control }) {
    await openLegacy(world)
    const shop = await Shop.open(world, legacyShop(settings(control)))
    lab.defer(() => shop.close())
    let honest = await honestRatio(shop)
    let foreign = 0
    for (const person of ['ada', 'grace', 'edsger', 'sue'] as const) {
      const { status, text } = await shop.ask('GET', `/legacy/${PEOPLE[person].tenant}`, { person })
      const looked = lookedAt(person, text)
      foreign += looked.foreign
      honest = Math.min(honest, status === 200 ? looked.own : 0)
    }
    return { honest, foreign }
  },
  judge: ({ honest, foreign }) => ({
    outcome: foreign === 0 ? 'contained' : 'breached',
    because: [
      {
        name: 'rows, fields and counts that somebody saw who may not',
        value: foreign,
        unit: 'pieces',
        atMost: 0,
      },
    ],
    honest: honestLimit(honest),
  }),
})
