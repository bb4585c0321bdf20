import { resolveText, resolveTolerant, threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'
import { Gateway } from '@breakwater/gateway'
import { FieldList, HttpServer } from '@breakwater/http'

import { keepLastGood } from '../controls-protocol.ts'
import { GATEWAY_PORT } from '../lab/config.ts'
import { RawClient } from '../lab/raw-client.ts'
import { SimService } from '../lab/service.ts'
import { sendVisitors } from '../lab/visitors.ts'
import type { Visitors } from '../lab/visitors.ts'
import { SERVICE_PORT, SimWorld } from '../lab/world.ts'

const GATE = { host: 'gateway', port: GATEWAY_PORT }
const RELOAD_MS = 10_000
const END_MS = 30_000
const SERVICES = ['orders', 'payments', 'news'] as const

/** The file before and after: two mistakes of the kind that people make, and one change that is right. */
function configText(isEdited: boolean, keepsLastGood: boolean): string {
  return `
admin: false
overload: false
reload: { keepLastGood: ${keepsLastGood} }
listeners:
  main: { host: 0.0.0.0, port: ${GATEWAY_PORT} }
upstreams:
  orders: { endpoints: [orders:${SERVICE_PORT}] }
  payments: { endpoints: [payments:${isEdited ? '99999' : SERVICE_PORT}] }
  news: { endpoints: [news:${SERVICE_PORT}] }
routes:
  orders: { match: /orders/*, ${isEdited ? 'upsteam' : 'upstream'}: orders }
  payments: { match: /payments/*, upstream: payments }
  news: { match: /news/*, upstream: news, timeout: ${isEdited ? '9s' : '8s'} }
`
}

export const badReload: Drill = defineDrill({
  id: 'bad-reload',
  title: 'A file with two typing mistakes is loaded while everybody is at work',
  threat: threats.badReload,
  controls: [keepLastGood],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),
  async attack({ lab, world }, { control }) {
    const keepsLastGood = control === 'on'
    for (const name of ['orders', 'payments'])
      await SimService.open(world, { name, workers: 50, serviceMs: 2 })
    await openTicker(world)
    const first = resolveText(configText(false, keepsLastGood), { file: 'breakwater.yaml' })
    if (!first.ok) throw new Error('the first configuration is wrong')
    const gateway = await Gateway.open(first.value.config, {
      driver: world.host('gateway'),
      random: world.luck('gateway'),
      seed: 1,
    })
    lab.defer(() => gateway.close())
    const visitors = new Map<string, Visitors>()
    for (const name of SERVICES) {
      const isTicker = name === 'news'
      visitors.set(
        name,
        sendVisitors(world, {
          from: `visitors-${name}`,
          to: GATE,
          request: `GET /${name}/${isTicker ? 'once' : ''} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n`,
          perSecond: 10,
          fromMs: 0,
          untilMs: END_MS,
          timeoutMs: 1000,
          random: world.luck(`visitors ${name}`),
        }),
      )
    }
    const stream = RawClient.open(world, 'reader', GATE)
    stream.write('GET /news/stream HTTP/1.1\r\nHost: shop\r\n\r\n')

    await lab.clock.advance(RELOAD_MS)
    const reloaded = resolveTolerant(configText(true, keepsLastGood), gateway.config)
    await gateway.reload(reloaded.config)
    await lab.clock.advance(END_MS - RELOAD_MS + 2000)
    const ticks = stream.received.match(/tick/g)?.length ?? 0
    return { visitors, ticks, problems: reloaded.problems.length }
  },
  judge({ visitors, ticks, problems }) {
    const share = (name: string, fromMs: number, untilMs: number): number =>
      visitors.get(name)?.goodRatio(fromMs, untilMs) ?? 0
    const served = Math.min(share('orders', RELOAD_MS, END_MS), share('payments', RELOAD_MS, END_MS))
    return {
      outcome: served >= 0.99 && problems >= 2 ? 'contained' : 'breached',
      because: [
        {
          name: 'visitors of the two mistyped routes served after the reload',
          value: served,
          unit: 'ratio',
          atLeast: 0.99,
        },
        { name: 'mistakes that the operator is told', value: problems, unit: '', atLeast: 2 },
      ],
      honest: [
        {
          name: 'visitors served before the reload',
          value: Math.min(...SERVICES.map((name) => share(name, 0, RELOAD_MS - 1000))),
          unit: 'ratio',
          atLeast: 0.99,
        },
        {
          name: 'visitors of the route that was changed rightly',
          value: share('news', RELOAD_MS, END_MS),
          unit: 'ratio',
          atLeast: 0.99,
        },
        {
          name: 'events of a stream that was open all the time',
          value: ticks,
          unit: '',
          atLeast: END_MS / 1000 - 1,
        },
      ],
    }
  },
})

/** Tells the news once, or one a second for as long as somebody listens. */
async function openTicker(world: SimWorld): Promise<void> {
  await HttpServer.open(
    world.host('news'),
    { host: 'news', port: SERVICE_PORT },
    {
      onRequest(exchange) {
        if (exchange.request.path.endsWith('once')) {
          exchange.sendHead(200, new FieldList(), { kind: 'length', bytes: 0 })
          exchange.sendEnd()
          return
        }
        let isGone = false
        exchange.onAbort = () => (isGone = true)
        exchange.sendHead(200, FieldList.from([['content-type', 'text/event-stream']]), { kind: 'chunked' })
        const tick = (): void => {
          if (isGone) return
          exchange.sendData(Buffer.from('data: tick\n\n'))
          world.clock.schedule(1000, tick)
        }
        tick()
      },
    },
  )
}
