import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { drain } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

const RELEASE_MS = 10_000

/** A release: the gateway is asked to stop while answers are under way. */
export const abruptStop: Drill = defineDrill({
  id: 'abrupt-stop',
  title: 'A release while answers are under way',
  threat: threats.abruptStop,
  controls: [drain],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const gateway = await openGateway(world, {
      services: { orders: {} },
      rest: { drain: { timeout: control === 'on' ? '30s' : '0s' } },
    })
    lab.defer(() => gateway.close())
    await SimService.open(world, { name: 'orders', workers: 80, serviceMs: 300 })
    const shoppers = sendClients(world, {
      name: 'shoppers',
      service: 'orders',
      perSecond: 100,
      fromMs: 0,
      untilMs: RELEASE_MS,
      timeoutMs: 10_000,
    })
    await world.run(RELEASE_MS)
    const drained = gateway.drain()
    await world.clock.advance(15_000)
    await drained
    const early = shoppers.between(0, RELEASE_MS - 5000)
    return {
      lost: shoppers.count - shoppers.good.length,
      early: { goodRatio: early.goodRatio, p99Ms: early.quantileMs(0.99) },
    }
  },

  judge: ({ lost, early }) => ({
    outcome: lost > 0 ? 'breached' : 'contained',
    because: [{ name: 'answers that were cut', value: lost, unit: '', atMost: 0 }],
    honest: [
      { name: 'good answers before', value: early.goodRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 before', value: early.p99Ms, unit: 'ms', atMost: 3000 },
    ],
  }),
})
