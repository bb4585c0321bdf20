import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { retryBudget } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

const TRIGGER_MS = 10_000
const TRIGGER_END_MS = 16_000
const LATER_MS = 45_000
const END_MS = 60_000

/** Six seconds of trouble, gone since long; what they left behind keeps itself alive. */
export const metastable: Drill = defineDrill({
  id: 'metastable',
  title: 'The trigger is gone, the failure stays',
  threat: threats.metastableFailure,
  controls: [retryBudget],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const gateway = await openGateway(world, {
      services: {
        orders: {
          upstream: {
            retryBudget: control === 'on' && { ratio: 0.1, min: '1/s' },
            pool: { maxConnections: 5000 },
          },
          route: {
            timeout: '8s',
            perTryTimeout: '1s',
            retry: { maxAttempts: 4, backoff: { base: '50ms', max: '200ms' } },
          },
        },
      },
    })
    lab.defer(() => gateway.close())
    const orders = await SimService.open(world, { name: 'orders', workers: 10, serviceMs: 100 })
    const shoppers = sendClients(world, {
      name: 'shoppers',
      service: 'orders',
      perSecond: 60,
      fromMs: 0,
      untilMs: END_MS,
      timeoutMs: 8000,
    })
    world.clock.schedule(TRIGGER_MS, () => orders.setWorkers(1))
    world.clock.schedule(TRIGGER_END_MS, () => orders.setWorkers(10))
    await world.run(END_MS + 10_000)
    const arrived = orders.arrivalsMs.filter((timeMs) => timeMs > LATER_MS && timeMs < END_MS).length
    const before = shoppers.between(0, TRIGGER_MS - 1000)
    const later = shoppers.between(LATER_MS, END_MS)
    return {
      laterGood: later.goodRatio,
      laterLoad: arrived / later.count,
      before: { goodRatio: before.goodRatio, p99Ms: before.quantileMs(0.99) },
    }
  },

  judge: ({ laterGood, laterLoad, before }) => ({
    outcome: laterGood < 0.99 ? 'breached' : 'contained',
    because: [
      {
        name: 'good answers half a minute after the trigger',
        value: laterGood,
        unit: 'ratio',
        atLeast: 0.99,
      },
      { name: 'requests at orders for each of a shopper by then', value: laterLoad, unit: '' },
    ],
    honest: [
      { name: 'good answers before', value: before.goodRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 before', value: before.p99Ms, unit: 'ms', atMost: 900 },
    ],
  }),
})
