import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { deadline } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

const RUSH_MS = 10_000
const CALM_MS = 25_000
const END_MS = 40_000
const FIELD = 'x-request-deadline-ms'

/** Shoppers leave after a second. Three hops further down nobody knows. */
export const lostDeadline: Drill = defineDrill({
  id: 'lost-deadline',
  title: 'Work goes on for shoppers who left',
  threat: threats.lostDeadline,
  controls: [deadline],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const route = { deadline: control === 'on' }
    const inner = { route: { ...route, timeout: '30s' as const } }
    const gateway = await openGateway(world, {
      services: {
        storefront: { route: { ...route, timeout: '1s' } },
        orders: inner,
        payments: inner,
        catalog: inner,
      },
    })
    lab.defer(() => gateway.close())
    const program = { workers: 200, serviceMs: 2, deadlineField: FIELD }
    const calling = (service: string) => [{ service, timeoutMs: 30_000 }]
    const catalog = await SimService.open(world, { ...program, name: 'catalog', workers: 10, serviceMs: 10 })
    await SimService.open(world, {
      ...program,
      name: 'payments',
      workers: 4,
      serviceMs: 70,
      calls: calling('catalog'),
    })
    await SimService.open(world, { ...program, name: 'orders', calls: calling('payments') })
    await SimService.open(world, { ...program, name: 'storefront', calls: calling('orders') })
    const clients = { service: 'storefront', timeoutMs: 1000, untilMs: END_MS }
    const regulars = sendClients(world, { ...clients, name: 'regulars', perSecond: 30, fromMs: 0 })
    const crowd = sendClients(world, {
      ...clients,
      name: 'crowd',
      perSecond: 60,
      fromMs: RUSH_MS,
      untilMs: CALM_MS,
    })
    await world.run(END_MS + 35_000)

    const before = regulars.between(0, RUSH_MS - 1000)
    const good = regulars.good.length + crowd.good.length
    return {
      wastedRatio: 1 - good / catalog.counters.arrived,
      goodAfter: regulars.between(CALM_MS + 2000, END_MS).goodRatio,
      before: { goodRatio: before.goodRatio, p99Ms: before.quantileMs(0.99) },
    }
  },

  judge: ({ wastedRatio, goodAfter, before }) => ({
    outcome: wastedRatio > 0.15 || goodAfter < 0.9 ? 'breached' : 'contained',
    because: [
      { name: 'work at catalog that nobody waited for', value: wastedRatio, unit: 'ratio', atMost: 0.15 },
      { name: 'good answers once the rush is over', value: goodAfter, unit: 'ratio', atLeast: 0.9 },
    ],
    honest: [
      { name: 'good answers before the rush', value: before.goodRatio, unit: 'ratio', atLeast: 0.99 },
      { name: 'p99 before the rush', value: before.p99Ms, unit: 'ms', atMost: 900 },
    ],
  }),
})
