import { FieldList, HttpServer } from '@breakwater/http'
import type { ServerExchange } from '@breakwater/http'

import { BARE_ROUTE } from '../lab/config.ts'
import { SERVICE_PORT } from '../lab/world.ts'
import type { SimWorld } from '../lab/world.ts'
import type { ShopOptions } from './shop.ts'

const EVERY_MS = 100
const HOST = 'feed'

/** What operators watch all day: a stream of events and a tunnel, for whoever may `watch` the shop. */
export const FEED: ShopOptions = {
  upstreams: { feed: { endpoints: [`${HOST}:${SERVICE_PORT}`] } },
  routes: {
    feed: {
      match: { path: '/feed/*' },
      upstream: 'feed',
      ...BARE_ROUTE,
      upgrade: { protocols: ['websocket'], idle: '1h' },
      authorize: { action: { GET: 'watch' }, resource: { type: 'Shop', id: 'main' } },
    },
  },
}

/** A service that tells something ten times a second to everybody who has come in, for as long as they stay. */
export async function openFeed(world: SimWorld): Promise<void> {
  const tellers = new Set<() => void>()
  const tick = (): void => {
    for (const tell of tellers) tell()
    world.clock.schedule(EVERY_MS, tick)
  }
  world.clock.schedule(EVERY_MS, tick)
  await HttpServer.open(
    world.host(HOST),
    { host: HOST, port: SERVICE_PORT },
    {
      onRequest(exchange) {
        if (exchange.request.upgrade === undefined) stream(exchange, tellers)
        else tunnel(exchange, tellers, world)
      },
    },
  )
}

function stream(exchange: ServerExchange, tellers: Set<() => void>): void {
  const type = exchange.request.path.endsWith('/events') ? 'text/event-stream' : 'application/x-ndjson'
  const tell = (): void => void exchange.sendData(Buffer.from('data: secret\n\n'))
  exchange.onAbort = () => tellers.delete(tell)
  exchange.sendHead(200, FieldList.from([['content-type', type]]), { kind: 'chunked' })
  tellers.add(tell)
}

function tunnel(exchange: ServerExchange, tellers: Set<() => void>, world: SimWorld): void {
  const upgraded = exchange.upgrade('websocket')
  const { transport } = upgraded
  const tell = (): void => void transport.write('secret')
  upgraded.attach(
    {
      onBytes() {},
      onDrain() {},
      onEnd: () => transport.end(),
      onClose: () => tellers.delete(tell),
    },
    world.clock.now(),
  )
  tellers.add(tell)
}
